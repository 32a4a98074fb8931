import { inflateRawSync } from 'node:zlib';
import { ProfileError } from '../error.js';

/** Signatures of records, read little-endian (PKWARE APPNOTE 6.3, section 4.3). */
const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_LENGTH = 22;
/** What a member may unpack to: the debug information of a vmlinux has some hundred MB. */
const MAX_MEMBER = 1024 * 1024 * 1024;
const AGAIN = 'Fetch or make the zip file again.';

export interface ZipMember {
  readonly name: string;
  /** bytes when unpacked, as the directory says */
  readonly size: number;
  /** @throws ProfileError */
  read(): Buffer;
}

export function isZip(bytes: Buffer): boolean {
  return bytes.length >= 4 && (bytes.readUInt32LE(0) === LOCAL || bytes.readUInt32LE(0) === END);
}

/** The files of a zip archive in memory, stored or deflated. */
export function zipMembers(bytes: Buffer, path: string): ZipMember[] {
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]), bytes.length - END_LENGTH);
  if (bytes.length < END_LENGTH || end < 0) throw new ProfileError(`${path} is a zip file without its directory: it is cut off.`, AGAIN);
  const count = bytes.readUInt16LE(end + 10);
  let at = bytes.readUInt32LE(end + 16);
  const members: ZipMember[] = [];
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== CENTRAL) throw new ProfileError(`${path} is a zip file with a damaged directory.`, AGAIN);
    const method = bytes.readUInt16LE(at + 10);
    const packed = bytes.readUInt32LE(at + 20);
    const size = bytes.readUInt32LE(at + 24);
    const nameLength = bytes.readUInt16LE(at + 28);
    const local = bytes.readUInt32LE(at + 42);
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength);
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
    if (!name.endsWith('/')) members.push({ name, size, read: () => content(bytes, path, { name, method, packed, size, local }) });
  }
  return members;
}

interface Place {
  readonly name: string;
  readonly method: number;
  readonly packed: number;
  readonly size: number;
  readonly local: number;
}

function content(bytes: Buffer, path: string, { name, method, packed, size, local }: Place): Buffer {
  const damaged = (why: string, cause?: Error): ProfileError => new ProfileError(`${path}: ${name} cannot be unpacked: ${why}.`, AGAIN, { cause });
  if (local + 30 > bytes.length || bytes.readUInt32LE(local) !== LOCAL) throw damaged('its header is damaged');
  const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
  if (start + packed > bytes.length) throw damaged('it is cut off');
  if (size > MAX_MEMBER) throw damaged(`it claims ${size} bytes`);
  const data = bytes.subarray(start, start + packed);
  if (method === 0) return data;
  if (method !== 8) throw damaged(`its compression method ${method} is not supported`);
  try {
    return inflateRawSync(data, { maxOutputLength: Math.max(size, 1) });
  } catch (error) {
    // zlib reports by plain errors with a code.
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw damaged(error.message, error);
  }
}
