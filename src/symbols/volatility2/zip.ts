import { inflateRawSync } from 'node:zlib';
import { ProfileError } from '../error.js';

/** Signatures of records, read little-endian (PKWARE APPNOTE 6.3, section 4.3). */
const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_LENGTH = 22;
/** The end of the directory, with the longest comment behind it. */
const LONGEST_TAIL = END_LENGTH + 0xffff;
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

/** The bytes of an archive, wherever they are. */
export interface ZipBytes {
  readonly size: number;
  /** fewer bytes at the end of the archive */
  read(at: number, length: number): Buffer;
}

/** The files of a zip archive in memory, stored or deflated. @throws ProfileError */
export function zipMembers(bytes: Buffer, path: string): ZipMember[] {
  return zipMembersOf({ size: bytes.length, read: (at, length) => bytes.subarray(at, at + length) }, path);
}

/** The files of a zip archive of which only the directory is read now. @throws ProfileError */
export function zipMembersOf(archive: ZipBytes, path: string): ZipMember[] {
  const tail = archive.read(Math.max(0, archive.size - LONGEST_TAIL), LONGEST_TAIL);
  const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]), tail.length - END_LENGTH);
  if (tail.length < END_LENGTH || end < 0) throw new ProfileError(`${path} is a zip file without its directory: it is cut off.`, AGAIN);
  const count = tail.readUInt16LE(end + 10);
  const start = tail.readUInt32LE(end + 16);
  if (count === 0xffff || start === 0xffffffff) throw new ProfileError(`${path} is a zip file of the 64-bit form, which is not read.`, 'Unpack it and name the folder.');
  const bytes = archive.read(start, tail.readUInt32LE(end + 12));
  let at = 0;
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
    if (!name.endsWith('/')) members.push({ name, size, read: () => content(archive, path, { name, method, packed, size, local }) });
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

function content(archive: ZipBytes, path: string, { name, method, packed, size, local }: Place): Buffer {
  const damaged = (why: string, cause?: Error): ProfileError => new ProfileError(`${path}: ${name} cannot be unpacked: ${why}.`, AGAIN, { cause });
  const header = archive.read(local, 30);
  if (header.length < 30 || header.readUInt32LE(0) !== LOCAL) throw damaged('its header is damaged');
  const start = local + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (start + packed > archive.size) throw damaged('it is cut off');
  if (size > MAX_MEMBER) throw damaged(`it claims ${size} bytes`);
  const data = archive.read(start, packed);
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
