import { inflateRawSync } from 'node:zlib';
import { printable, ProfileError } from '../error.js';
import { LzxDecoder } from './lzx.js';

/** Constants of Microsoft's cabinet format (MS-CAB, "Microsoft Cabinet Format"). All numbers are little-endian. */
const HEADER_LENGTH = 36;
const HAS_PREVIOUS = 1;
const HAS_NEXT = 2;
const HAS_RESERVE = 4;
const METHODS = ['none', 'MSZIP', 'Quantum', 'LZX'];
/** Bytes that a block may unpack to, and that MSZIP looks back. */
const BLOCK = 32768;
const AGAIN = 'Fetch it again, or unpack it with cabextract or expand.';

/** A file in a cabinet. */
export interface CabinetFile {
  /** as stated: may hold backslashes */
  readonly name: string;
  /** bytes when unpacked */
  readonly size: number;
  /** place in its folder's unpacked bytes */
  readonly offset: number;
  /** number of the folder (a run of compressed data, not a directory) */
  readonly folder: number;
}

export function isCabinet(bytes: Buffer): boolean {
  return bytes.length >= HEADER_LENGTH && bytes.toString('latin1', 0, 4) === 'MSCF';
}

/** A cabinet in memory: its list of files, and their bytes. Stored, MSZIP and LZX folders are unpacked. */
export class Cabinet {
  readonly files: readonly CabinetFile[];
  private readonly folders: { readonly start: number; readonly blocks: number; readonly method: number }[] = [];
  private readonly blockReserve: number;

  /** @param path for messages @throws ProfileError where it is no cabinet, cut off, or part of a set */
  constructor(
    private readonly bytes: Buffer,
    private readonly path: string,
    /** bytes that a folder may unpack to */
    private readonly most = 100 * 1024 * 1024,
  ) {
    if (!isCabinet(bytes)) throw this.damaged('it does not begin as one');
    const flags = this.u16(30);
    if ((flags & (HAS_PREVIOUS | HAS_NEXT)) !== 0) throw this.damaged('it is one of a set, of which all are needed');
    let at = HEADER_LENGTH;
    let folderReserve = 0;
    this.blockReserve = 0;
    if ((flags & HAS_RESERVE) !== 0) {
      folderReserve = this.u8(38);
      this.blockReserve = this.u8(39);
      at += 4 + this.u16(36);
    }
    for (let i = 0; i < this.u16(26); i++, at += 8 + folderReserve) this.folders.push({ start: this.u32(at), blocks: this.u16(at + 4), method: this.u16(at + 6) });
    const files: CabinetFile[] = [];
    at = this.u32(16);
    for (let i = 0; i < this.u16(28); i++) {
      const end = bytes.indexOf(0, at + 16);
      if (at + 16 > bytes.length || end < 0) throw this.damaged('its list of files is cut off');
      files.push({ size: this.u32(at), offset: this.u32(at + 4), folder: this.u16(at + 8), name: bytes.toString((this.u16(at + 14) & 0x80) === 0 ? 'latin1' : 'utf8', at + 16, end) });
      at = end + 1;
    }
    this.files = files;
  }

  /** The bytes of a file. @throws ProfileError where they cannot be unpacked */
  read(file: CabinetFile): Buffer {
    const folder = this.folders[file.folder];
    if (!folder) throw this.damaged(`${printable(file.name)} is in folder ${file.folder}, which it does not have`);
    const end = file.offset + file.size;
    if (end > this.most) throw this.damaged(`${printable(file.name)} would have ${file.size} bytes`);
    const method = folder.method & 15;
    if (method !== 0 && method !== 1 && method !== 3) throw this.damaged(`its compression is ${METHODS[method] ?? `number ${method}`}, and MSZIP and LZX are read`);
    const lzx = method === 3 ? new LzxDecoder((folder.method >> 8) & 31) : undefined;
    const pieces: Buffer[] = [];
    let done = 0;
    for (const block of this.blocks(folder.start, folder.blocks)) {
      if (done >= end) break;
      const plain = lzx ? this.expand(lzx, block) : method === 0 ? block.data : this.inflate(block, pieces.at(-1));
      if (plain.length !== block.size) throw this.damaged(`a block has ${plain.length} bytes instead of ${block.size}`);
      pieces.push(plain);
      done += plain.length;
    }
    if (done < end) throw this.damaged(`${printable(file.name)} is not whole: ${Math.max(0, done - file.offset)} of ${file.size} bytes`);
    return Buffer.concat(pieces, done).subarray(file.offset, end);
  }

  private *blocks(start: number, count: number): Generator<{ data: Buffer; size: number }> {
    let at = start;
    for (let i = 0; i < count; i++) {
      const [checksum, packed, size] = [this.u32(at), this.u16(at + 4), this.u16(at + 6)];
      const from = at + 8 + this.blockReserve;
      const data = this.bytes.subarray(from, from + packed);
      if (data.length < packed) throw this.damaged('it is cut off');
      if (size > BLOCK) throw this.damaged(`a block claims ${size} bytes`);
      if (checksum !== 0 && checksum !== blockChecksum(this.bytes.subarray(at + 4, from), data)) throw this.damaged(`the checksum of block ${i} is wrong`);
      yield { data, size };
      at = from + packed;
    }
  }

  /** An MSZIP block: CK, then deflated data that may look back into the block before. */
  private inflate({ data, size }: { data: Buffer; size: number }, before: Buffer | undefined): Buffer {
    if (data.toString('latin1', 0, 2) !== 'CK') throw this.damaged('an MSZIP block does not begin as one');
    try {
      return inflateRawSync(data.subarray(2), { maxOutputLength: Math.max(1, size), ...(before && { dictionary: before }) });
    } catch (error) {
      // zlib reports by plain errors with a code.
      if (!(error instanceof Error) || !('code' in error)) throw error;
      throw this.damaged(`a block cannot be unpacked (${error.message})`, error);
    }
  }

  private expand(lzx: LzxDecoder, { data, size }: { data: Buffer; size: number }): Buffer {
    try {
      return lzx.frameOf(data, size);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw this.damaged(`a block cannot be unpacked (${error.message})`, error);
    }
  }

  private u8(at: number): number {
    return this.number(at, 1);
  }

  private u16(at: number): number {
    return this.number(at, 2);
  }

  private u32(at: number): number {
    return this.number(at, 4);
  }

  private number(at: number, length: number): number {
    if (at + length > this.bytes.length) throw this.damaged('it is cut off');
    return this.bytes.readUIntLE(at, length);
  }

  private damaged(why: string, cause?: Error): ProfileError {
    return new ProfileError(`${this.path} is no cabinet that can be unpacked: ${why}.`, AGAIN, { cause });
  }
}

/** CSUM of MS-CAB: words of 4 bytes xored; what remains counts with its bytes in reverse. First the data, then the block's header. */
export function blockChecksum(header: Buffer, data: Buffer): number {
  return sum(header, sum(data, 0));
}

function sum(bytes: Buffer, seed: number): number {
  let result = seed;
  const whole = bytes.length & ~3;
  for (let at = 0; at < whole; at += 4) result ^= bytes.readInt32LE(at);
  const rest = bytes.length - whole;
  let last = 0;
  for (let i = 0; i < rest; i++) last = (last << 8) | (bytes[whole + i] ?? 0);
  return (result ^ last) >>> 0;
}
