import { Absent, orElse } from '../../../memory/absent.js';
import { addressOf, PAGE_SIZE, pageNumber, pageOffset } from '../../../memory/page.js';
import type { Struct } from '../../../object/struct.js';
import type { WindowsKernel } from '../kernel.js';
import { headerTest } from './objects.js';

/** A used entry of a handle table. */
export interface HandleEntry {
  /** the handle as the process sees it: 4, 8, … */
  readonly handle: number;
  /** where the entry leads: an object's header, in PspCidTable the object itself */
  readonly object: bigint;
  readonly access: number;
}

/** Handles that a process may have (16 million, Windows Internals); what states more is damaged. */
const MOST = 1 << 24;

/**
 * The used entries of a `_HANDLE_TABLE`: one, two or three levels of pages, told by the low bits of TableCode. Each page of entries
 * begins with one that is not used. Free entries have no object.
 * @param onFault told which part of the table cannot be read
 */
export function* handleEntries(kernel: WindowsKernel, table: Struct, onFault?: (what: string) => void): Generator<HandleEntry> {
  const { decode, size } = formOf(kernel);
  for (const { bytes, first } of entryPages(kernel, table, onFault)) {
    for (let index = 1; (index + 1) * size <= bytes.length; index++) {
      const found = decode(bytes, index * size);
      if (found) yield { handle: (first + index) * 4, ...found };
    }
  }
}

/**
 * Addresses of the headers of one type's objects that a table's entries lead to, as often as there are entries. The same as
 * {@link handleEntries} and a look at each object's type, but in page numbers: who asks all tables for processes looks at ten thousand objects
 * to find two hundred.
 */
export function* headersOfType(kernel: WindowsKernel, table: Struct, type: string, onFault?: (what: string) => void): Generator<bigint> {
  const { decode, size, plain } = formOf(kernel);
  const is = headerTest(kernel, type);
  const wide = kernel.profile.pointerSize === 8;
  for (const { bytes } of entryPages(kernel, table, onFault)) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = size; at + size <= bytes.length; at += size) {
      if (plain === undefined) {
        const object = decode(bytes, at)?.object;
        if (object !== undefined && is(pageNumber(object), pageOffset(object))) yield object;
        continue;
      }
      const low = view.getUint32(at + plain, true) & ~7;
      const high = wide ? view.getUint32(at + plain + 4, true) : 0;
      if ((low | high) === 0) continue;
      const page = high * 2 ** 20 + (low >>> 12);
      if (is(page, low & 0xfff)) yield addressOf(page, low & 0xfff);
    }
  }
}

/** A page of entries. */
interface EntryPage {
  readonly bytes: Buffer;
  /** number of its first handle */
  readonly first: number;
}

function* entryPages(kernel: WindowsKernel, table: Struct, onFault?: (what: string) => void): Generator<EntryPage> {
  const code = table.$pointer('TableCode');
  const levels = Number(code & 7n);
  const root = code & ~7n;
  if (root === 0n || levels > 2) {
    if (levels > 2) onFault?.(`the handle table at 0x${table.$address.toString(16)} states ${levels + 1} levels`);
    return;
  }
  // What the table says of its size (`NextHandleNeedingPool`) is not asked: a zero there would hide all that is in it.
  const context: Walk = { perPage: PAGE_SIZE / formOf(kernel).size, seen: new Set(), missing: [] };
  yield* walk(kernel, root, levels, 0, context);
  const [first] = context.missing;
  if (first !== undefined) onFault?.(`${context.missing.length === 1 ? 'a page' : `${context.missing.length} pages`} of the handle table at 0x${table.$address.toString(16)} cannot be read: 0x${first.toString(16)}`);
}

interface Walk {
  readonly perPage: number;
  readonly seen: Set<bigint>;
  /** pages that cannot be read */
  readonly missing: bigint[];
}

/** @param first number of the first handle below this page */
function* walk(kernel: WindowsKernel, page: bigint, level: number, first: number, context: Walk): Generator<EntryPage> {
  if (first >= MOST || context.seen.has(page)) return;
  context.seen.add(page);
  const { bytes, gaps } = kernel.space.readPartial(page, PAGE_SIZE);
  if (gaps.length > 0) {
    context.missing.push(page);
    return;
  }
  if (level === 0) {
    yield { bytes, first };
    return;
  }
  const pointer = kernel.profile.pointerSize;
  const below = level === 1 ? context.perPage : context.perPage * (PAGE_SIZE / pointer);
  for (let index = 0; index < PAGE_SIZE / pointer; index++) {
    const child = pointer === 8 ? bytes.readBigUInt64LE(index * 8) : BigInt(bytes.readUInt32LE(index * 4));
    if (child !== 0n) yield* walk(kernel, child, level - 1, first + index * below, context);
  }
}

type Decoder = (bytes: Buffer, at: number) => { object: bigint; access: number } | undefined;

interface Form {
  readonly decode: Decoder;
  /** bytes of an entry */
  readonly size: number;
  /** where in an entry its pointer stands; undefined where the pointer is packed */
  readonly plain: number | undefined;
}

/**
 * How this build's `_HANDLE_TABLE_ENTRY` holds its object. Until Windows 7 a pointer whose low 3 bits are flags; since Windows 8 (x64) the
 * upper bits of a word, without the low ones that are always 0 and the high ones that are always 1: ObjectPointerBits.
 */
function formOf(kernel: WindowsKernel): Form {
  return kernel.memo('handle table entries', () => {
    const type = kernel.struct('_HANDLE_TABLE_ENTRY');
    const pointer = kernel.profile.pointerSize;
    const size = type.size ?? 2 * pointer;
    const word = (bytes: Buffer, at: number): bigint => (pointer === 8 ? bytes.readBigUInt64LE(at) : BigInt(bytes.readUInt32LE(at)));
    const bits = type.members.get('ObjectPointerBits');
    const granted = type.members.get('GrantedAccess') ?? type.members.get('GrantedAccessBits');
    const access = (bytes: Buffer, at: number): number => {
      if (!granted) return 0;
      const value = bytes.readUInt32LE(at + granted.offset);
      return granted.type.kind === 'bitfield' ? (value >>> granted.type.startBit) & (2 ** granted.type.bits - 1) : value;
    };
    if (bits?.type.kind === 'bitfield') {
      const { startBit, bits: count } = bits.type;
      const wide = pointer === 8;
      // 44 bits of a 48-bit address that ends in 4 zeros; on x86 29 of 32, ending in 3.
      const low = BigInt(wide ? 48 - count : 32 - count);
      const decode: Decoder = (bytes, at) => {
        const value = (word(bytes, at + bits.offset) >> BigInt(startBit)) & ((1n << BigInt(count)) - 1n);
        if (value === 0n) return undefined;
        const object = value << low;
        return { object: wide ? BigInt.asUintN(64, BigInt.asIntN(48, object)) : object, access: access(bytes, at) };
      };
      return { decode, size, plain: undefined };
    }
    const plain = type.members.get('Object')?.offset ?? 0;
    const decode: Decoder = (bytes, at) => {
      const value = word(bytes, at + plain) & ~7n;
      // A free entry has the next free one's number behind, and no object.
      return value === 0n ? undefined : { object: value, access: access(bytes, at) };
    };
    return { decode, size, plain };
  });
}

/**
 * How many handles a process has; null where it has no table any more. Since Windows 8.1 no member counts them: a table's entries that are used are
 * counted then. Throws Absent where it cannot be known.
 */
export function handleCount(kernel: WindowsKernel, process: Struct): number | null {
  const address = process.$pointer('ObjectTable');
  if (address === 0n) return null;
  const table = kernel.at('_HANDLE_TABLE', address);
  if (table.$has('HandleCount')) return Number(table.$get('HandleCount'));
  const entries = handleEntries(kernel, table, (what) => {
    throw new Absent('unreadable', what, address);
  });
  return [...entries].length;
}

/** A process's handle table; undefined where it has none any more. */
export function handleTable(kernel: WindowsKernel, process: Struct): Struct | undefined {
  const address = orElse(() => process.$pointer('ObjectTable'), 0n);
  return address === 0n ? undefined : kernel.at('_HANDLE_TABLE', address);
}
