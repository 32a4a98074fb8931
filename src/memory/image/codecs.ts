import type * as Zlib from 'node:zlib';
import { decodeLzo } from './lzo.js';
import { decodeSnappy } from './snappy.js';
import { ZstdDecoder } from '../zstd/zstd.js';

/** How a page is stored: the flags of a page descriptor (makedumpfile's diskdump_mod.h). */
export const CODECS = [
  { flag: 0x1, name: 'zlib' },
  { flag: 0x2, name: 'lzo' },
  { flag: 0x4, name: 'snappy' },
  { flag: 0x20, name: 'zstd' },
] as const;

/** All flags that say how a page is compressed. */
export const CODEC_FLAGS = CODECS.reduce((flags, codec) => flags | codec.flag, 0);

// What decompresses is loaded or made with the first page that needs it: most images need none of it.
let zlib: typeof Zlib | undefined;
let zstd: ZstdDecoder | undefined;

/**
 * Decompresses one page into `target`, where exactly `length` bytes belong. Returns false where the data is damaged; what then
 * stands in the target is meaningless. Never writes outside of `[targetOffset, targetOffset + length)`.
 */
export function decodePage(
  flag: number,
  source: Buffer,
  target: Buffer,
  targetOffset: number,
  length: number,
): boolean {
  switch (flag) {
    case 0x1:
      return decodeZlib(source, target, targetOffset, length);
    case 0x2:
      return decodeLzo(source, target, targetOffset, length) === length;
    case 0x4:
      return decodeSnappy(source, target, targetOffset, length) === length;
    case 0x20:
      zstd ??= new ZstdDecoder();
      return zstd.decode(source, target, targetOffset, length) === length;
    default:
      return false;
  }
}

function decodeZlib(source: Buffer, target: Buffer, targetOffset: number, length: number): boolean {
  zlib ??= process.getBuiltinModule('node:zlib');
  try {
    const page = zlib.inflateSync(source, { chunkSize: length, maxOutputLength: length });
    return page.length === length && page.copy(target, targetOffset) === length;
  } catch (error) {
    // Z_DATA_ERROR, Z_BUF_ERROR, ERR_BUFFER_TOO_LARGE …: all of them are a damaged page.
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}
