import { orElse } from '../../memory/absent.js';
import type { Struct } from '../../object/struct.js';
import type { WindowsKernel } from './kernel.js';

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
const PAGE = 4096;

/**
 * The used entries of a `_HANDLE_TABLE`: one, two or three levels of pages, told by the low bits of TableCode. Each page of entries
 * begins with one that is not used. Free entries have no object.
 * @param onFault told which part of the table cannot be read
 */
export function* handleEntries(kernel: WindowsKernel, table: Struct, onFault?: (what: string) => void): Generator<HandleEntry> {
  const code = table.$pointer('TableCode');
  const levels = Number(code & 7n);
  const root = code & ~7n;
  if (root === 0n || levels > 2) {
    if (levels > 2) onFault?.(`the handle table at 0x${table.$address.toString(16)} states ${levels + 1} levels`);
    return;
  }
  const size = kernel.struct('_HANDLE_TABLE_ENTRY').size ?? 2 * kernel.profile.pointerSize;
  const perPage = PAGE / size;
  // What the table says of its size (`NextHandleNeedingPool`) is not asked: a zero there would hide all that is in it.
  const context: Walk = { perPage, size, seen: new Set(), missing: [] };
  yield* walk(kernel, root, levels, 0, context);
  const [first] = context.missing;
  if (first !== undefined) onFault?.(`${context.missing.length === 1 ? 'a page' : `${context.missing.length} pages`} of the handle table at 0x${table.$address.toString(16)} cannot be read: 0x${first.toString(16)}`);
}

interface Walk {
  readonly perPage: number;
  readonly size: number;
  readonly seen: Set<bigint>;
  /** pages that cannot be read */
  readonly missing: bigint[];
}

/** @param first number of the first handle below this page */
function* walk(kernel: WindowsKernel, page: bigint, level: number, first: number, context: Walk): Generator<HandleEntry> {
  if (first >= MOST || context.seen.has(page)) return;
  context.seen.add(page);
  const { bytes, gaps } = kernel.space.readPartial(page, PAGE);
  if (gaps.length > 0) {
    context.missing.push(page);
    return;
  }
  if (level === 0) {
    yield* entries(kernel, page, bytes, first, context);
    return;
  }
  const pointer = kernel.profile.pointerSize;
  const below = level === 1 ? context.perPage : context.perPage * (PAGE / pointer);
  for (let index = 0; index < PAGE / pointer; index++) {
    const child = pointer === 8 ? bytes.readBigUInt64LE(index * 8) : BigInt(bytes.readUInt32LE(index * 4));
    if (child !== 0n) yield* walk(kernel, child, level - 1, first + index * below, context);
  }
}

function* entries(kernel: WindowsKernel, page: bigint, bytes: Buffer, first: number, { perPage, size }: Walk): Generator<HandleEntry> {
  const decode = decoder(kernel);
  for (let index = 1; index < perPage; index++) {
    const found = decode(bytes, index * size, page);
    if (found) yield { handle: (first + index) * 4, ...found };
  }
}

type Decoder = (bytes: Buffer, at: number, page: bigint) => { object: bigint; access: number } | undefined;

/**
 * How this build's `_HANDLE_TABLE_ENTRY` holds its object. Until Windows 7 a pointer whose low 3 bits are flags; since Windows 8 (x64) the
 * upper bits of a word, without the low ones that are always 0 and the high ones that are always 1: ObjectPointerBits.
 */
function decoder(kernel: WindowsKernel): Decoder {
  return kernel.memo('handle table entries', () => {
    const type = kernel.struct('_HANDLE_TABLE_ENTRY');
    const pointer = kernel.profile.pointerSize;
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
      return (bytes, at) => {
        const value = (word(bytes, at + bits.offset) >> BigInt(startBit)) & ((1n << BigInt(count)) - 1n);
        if (value === 0n) return undefined;
        const object = value << low;
        return { object: wide ? BigInt.asUintN(64, BigInt.asIntN(48, object)) : object, access: access(bytes, at) };
      };
    }
    const object = type.members.get('Object')?.offset ?? 0;
    return (bytes, at) => {
      const value = word(bytes, at + object) & ~7n;
      // A free entry has the next free one's number behind, and no object.
      return value === 0n ? undefined : { object: value, access: access(bytes, at) };
    };
  });
}

/** A process's handle table; undefined where it has none any more. */
export function handleTable(kernel: WindowsKernel, process: Struct): Struct | undefined {
  const address = orElse(() => process.$pointer('ObjectTable'), 0n);
  return address === 0n ? undefined : kernel.at('_HANDLE_TABLE', address);
}
