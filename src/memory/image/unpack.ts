import { createRequire } from 'node:module';
import { inflateSync } from 'node:zlib';
import { lzo1x } from './lzo.js';

/** How a page is packed. */
export type Packing = 'zlib' | 'lzo' | 'snappy' | 'zstd';

interface Snappy {
  uncompress(input: Uint8Array, limit?: number): Uint8Array;
}
interface Zstd {
  decompress(input: Uint8Array, output?: Uint8Array): Uint8Array;
}

/** Decompressors are loaded with the first page that needs them: start-up counts. */
const require = createRequire(import.meta.url);
let snappy: Snappy | undefined;
let zstd: Zstd | undefined;

/** Unpacks bytes that become `size` bytes. Undefined where they are damaged: that page is missing, the others are not. */
export function unpack(packing: Packing, packed: Buffer, size: number): Buffer | undefined {
  let bytes: Buffer;
  try {
    bytes = unpackWith(packing, packed, size);
  } catch (error) {
    // Each library has errors of its own; all say that the input is damaged.
    if (error instanceof Error) return undefined;
    throw error;
  }
  return bytes.length >= size ? bytes : undefined;
}

function unpackWith(packing: Packing, packed: Buffer, size: number): Buffer {
  switch (packing) {
    case 'zlib':
      return inflateSync(packed, { maxOutputLength: size });
    case 'lzo':
      return lzo1x(packed, size);
    case 'snappy':
      snappy ??= require('snappyjs') as Snappy;
      return buffer(snappy.uncompress(packed, size));
    case 'zstd':
      zstd ??= require('fzstd') as Zstd;
      return buffer(zstd.decompress(packed, new Uint8Array(size)));
  }
}

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
