import { Absent } from '../memory/absent.js';
import { addressOf, pageNumber, pageOffset } from '../memory/page.js';
import type { AddressSpace } from '../memory/space.js';
import type { TypeDescriptor } from '../symbols/types.js';
import { readBytes, type TypeCompiler, type ValueType } from './compiler.js';
import { decodeCString, decodeText } from './text.js';
import { Timestamp } from './time.js';

type Args = Readonly<Record<string, unknown>>;
interface Reader {
  readonly size: number;
  read(space: AddressSpace, page: number, offset: number): unknown;
}

/**
 * The classes of Rekall's vtype language that are more than C (as the profiles of its repository use them). A class that is
 * not known reads as Absent, so that a profile with an exotic member loads and works but for that member.
 */
const readers: Readonly<Record<string, (compiler: TypeCompiler, args: Args) => Reader>> = {
  String: (_compiler, args) => {
    const length = byteCount(args['length'], 1024);
    return { size: length, read: (space, page, offset) => decodeCString(available(space, page, offset, length)) };
  },
  UnicodeString: (_compiler, args) => {
    const length = byteCount(args['length'], 1024);
    return {
      size: length,
      read: (space, page, offset) => {
        const text = available(space, page, offset, length & ~1).toString('utf16le');
        const nul = text.indexOf('\0');
        return nul < 0 ? text : text.slice(0, nul);
      },
    };
  },
  Signature: (_compiler, args) => {
    const length = String(args['value'] ?? '').length;
    return { size: length, read: (space, page, offset) => decodeText(readBytes(space, page, offset, length)) };
  },
  UnixTimeStamp: () => ({
    size: 4,
    read: (space, page, offset) => Timestamp.fromSeconds(BigInt(readBytes(space, page, offset, 4).readUInt32LE(0))),
  }),
  WinFileTime: () => ({
    size: 8,
    read: (space, page, offset) => fileTime(readBytes(space, page, offset, 8).readBigUInt64LE(0)),
  }),
  // `_ETHREAD.CreateTime` until Server 2003: a FILETIME above three other bits.
  ThreadCreateTimeStamp: () => ({
    size: 8,
    read: (space, page, offset) => fileTime(readBytes(space, page, offset, 8).readBigUInt64LE(0) >> 3n),
  }),
  Flags: underlying,
  // Four characters, read as the number that they are in memory.
  Tag: underlying,
  Enumeration: underlying,
  ValueEnumeration: underlying,
  Ipv4Address: () => ({
    size: 4,
    read: (space, page, offset) => Array.from(readBytes(space, page, offset, 4)).join('.'),
  }),
  MacAddress: () => ({
    size: 6,
    read: (space, page, offset) =>
      Array.from(readBytes(space, page, offset, 6), (byte) => byte.toString(16).padStart(2, '0')).join(':'),
  }),
};

/** The reader of a named vtype class. */
export function namedType(compiler: TypeCompiler, name: string, args: Args): ValueType {
  const make = readers[name];
  if (!make) {
    const read = (): never => {
      throw new Absent('no-member', `values of the profile's class ${name} cannot be read`);
    };
    return { size: 0, name, read, readAt: read };
  }
  const { size, read } = make(compiler, args);
  return { size, name, read, readAt: (space, address) => read(space, pageNumber(address), pageOffset(address)) };
}

/** A FILETIME of 0 is that of what has not happened: a process's end while it runs. */
function fileTime(ticks: bigint): Timestamp | null {
  return ticks === 0n ? null : Timestamp.fromFileTime(ticks);
}

/** A length that a profile states, within reason. */
function byteCount(value: unknown, fallback: number): number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 1 << 20 ? value : fallback;
}

/** The bytes that are there, up to `length`: a string's buffer may end at an unreadable page. */
function available(space: AddressSpace, page: number, offset: number, length: number): Buffer {
  const address = addressOf(page, offset);
  const { bytes, gaps } = space.readPartial(address, length);
  const first = gaps[0];
  if (!first) return bytes;
  if (first.start === address) throw new Absent('unreadable', 'page not present', first.start);
  return bytes.subarray(0, Number(first.start - address));
}

function underlying(compiler: TypeCompiler, args: Args): Reader {
  const target = args['target'];
  const type: TypeDescriptor =
    typeof target === 'object' && target !== null && 'kind' in target
      ? (target as TypeDescriptor)
      : { kind: 'int', size: 4, signed: false };
  const value = compiler.value(type);
  return { size: value.size, read: (space, page, offset) => value.read(space, page, offset) };
}
