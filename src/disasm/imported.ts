import { orElse } from '../memory/absent.js';
import type { Steps } from '../memory/breathe.js';
import type { AddressSpace } from '../memory/space.js';
import { type CodeRange, indirectCalls } from '../symbols/pe/imported-calls.js';
import type { Disassembler } from './decode.js';

/** A pointer through which code calls, or which stands among such. */
export interface UsedPointer {
  /** where it is */
  readonly slot: bigint;
  /** where it leads */
  readonly target: bigint;
  /** the calls and jumps through it; none for one that was found beside others */
  readonly callers: readonly bigint[];
}

export interface ImportSearch {
  readonly space: AddressSpace;
  readonly disassembler: Disassembler;
  readonly code: readonly CodeRange[];
  /** bytes of a pointer */
  readonly width: 4 | 8;
  /** tables of pointers that are known: they are looked at as a whole */
  readonly tables: readonly CodeRange[];
  /** true for the address of a function that modules export */
  isExport(address: bigint): boolean;
}

/** Pointers of one table, and all together, at most. */
const MOST_TABLE = 1 << 14;
const MOST_POINTERS = 1 << 17;
/** Callers that are kept of one pointer. */
const MOST_CALLERS = 1 << 12;

/**
 * The pointers to exported functions that code uses, by address: those of indirect calls and jumps, then what stands beside them, since import address
 * tables are arrays (a null ends the functions of one module, and those of the next follow). The last step is the result.
 */
export function* usedPointers(search: ImportSearch): Steps<readonly UsedPointer[]> {
  const found = new Map<bigint, { target: bigint; callers: bigint[] }>();
  const { space, width, isExport } = search;
  const pointerAt = (slot: bigint): bigint | undefined => orElse(() => (width === 8 ? space.readU64(slot) : BigInt(space.readU32(slot))), undefined);
  for (const address of indirectCalls(space, search.code)) {
    if (address === undefined) {
      yield undefined;
      continue;
    }
    const slot = slotOf(search.disassembler, space, address);
    const known = slot === undefined ? undefined : found.get(slot);
    if (known) {
      if (known.callers.length < MOST_CALLERS) known.callers.push(address);
      continue;
    }
    const target = slot === undefined ? undefined : pointerAt(slot);
    if (slot === undefined || target === undefined || found.size >= MOST_POINTERS || !isExport(target)) continue;
    found.set(slot, { target, callers: [address] });
    // The table of exports of a module that was not asked for before may just have been read.
    yield undefined;
  }
  const take = (slot: bigint): 'export' | 'null' | 'other' => {
    if (found.has(slot)) return 'export';
    const target = pointerAt(slot);
    if (target === undefined || found.size >= MOST_POINTERS) return 'other';
    if (target === 0n) return 'null';
    if (!isExport(target)) return 'other';
    found.set(slot, { target, callers: [] });
    return 'export';
  };
  const step = BigInt(width);
  for (const slot of [...found.keys()]) {
    for (const direction of [step, -step]) {
      let nulls = 0;
      for (let at = slot + direction, count = 0; count < MOST_TABLE && at > 0n; at += direction, count++) {
        const before = found.size;
        const what = take(at);
        // Behind what was there before, its own neighbours are looked at anyway.
        if (what === 'other' || (what === 'null' && ++nulls > 1) || (what === 'export' && found.size === before)) break;
        if (what === 'export') nulls = 0;
      }
    }
    yield undefined;
  }
  for (const { start, size } of search.tables) for (let at = 0; at + width <= size && at < MOST_TABLE * width; at += width) take(start + BigInt(at));
  yield [...found].map(([slot, one]) => ({ slot, ...one })).sort((a, b) => (a.slot < b.slot ? -1 : 1));
}

/** The pointer through which the instruction at an address calls or jumps; undefined where it does neither. */
function slotOf(disassembler: Disassembler, space: AddressSpace, address: bigint): bigint | undefined {
  const [code] = disassembler.decode(space, address, address + 1n);
  if (code?.kind !== 'instruction' || (code.flow !== 'indirect call' && code.flow !== 'indirect jump')) return undefined;
  for (const reference of code.references) if (reference.kind === 'memory' && reference.absolute && reference.segment === undefined) return disassembler.bits === 64 ? reference.address : reference.address & 0xffffffffn;
  return undefined;
}
