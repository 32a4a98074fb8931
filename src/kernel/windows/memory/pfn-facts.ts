import { orElse } from '../../../memory/absent.js';
import { addressOf } from '../../../memory/page.js';
import type { Struct } from '../../../object/struct.js';
import type { WindowsKernel } from '../kernel.js';
import { pageOwners } from './page-owners.js';
import { CACHING, LISTS, type PageFrame, type PageFrames } from './pfn.js';
import { holds, placeText, subsectionAt } from './sections.js';
import type { Eprocess } from '../types.js';

/** A statement about a page of memory. */
export interface PfnFact {
  readonly fact: string;
  readonly address?: bigint;
  readonly value?: string | number | Eprocess;
}

/** Flags of `_MMPFN.u3` in the order in which they are told; builds have them in one struct of flags or in two. */
const FLAGS = ['Modified', 'ReadInProgress', 'WriteInProgress', 'ParityError', 'InPageError', 'KernelStack', 'Rom', 'RemovalRequested', 'OnProtectedStandby', 'SystemChargedPage'] as const;

/** Lists of pages that still have their content. */
const LINKED: ReadonlySet<string> = new Set(['Standby', 'Modified', 'ModifiedNoWrite']);

/** What the page database says of a page: everything that is told of one in use, links of the list for others. */
export function* pfnFacts(kernel: WindowsKernel, frames: PageFrames, record: PageFrame): Generator<PfnFact> {
  const { frame } = record;
  const struct = frames.struct(frame);
  const list = LISTS[record.list] ?? String(record.list);
  yield { fact: 'PFN', address: BigInt(frame) };
  yield { fact: 'Physical address', address: BigInt(frame) * 4096n };
  yield { fact: 'PFN Record VA', address: frames.addressOf(frame) };
  yield { fact: 'Type', value: list };
  if (record.list < 2 || list === 'Bad') {
    // Other members keep what they were when the page was last used.
    yield* links(struct);
    return;
  }
  yield { fact: 'Flags', value: flags(struct).join(' ') || 'none' };
  yield { fact: 'Reference', value: record.references };
  // On a list the links stand where a page in use has its count (Windows Internals, 7th ed., part 1, chapter 5, "PFN data structures").
  if (LINKED.has(list)) yield* links(struct);
  const counts = [['ShareCount', 'shares'], ['Priority', 'priority'], ['Color', 'color']] as const;
  for (const [fact, name] of counts) {
    if (name === 'shares' && LINKED.has(list)) continue;
    const value = frames.get(frame, name);
    if (value !== undefined) yield { fact, value };
  }
  const caching = frames.get(frame, 'caching');
  if (caching !== undefined) yield { fact: 'Cache attribute', value: CACHING[caching] ?? caching };
  if (record.pte === 0n) {
    yield { fact: 'Controlling PTE', value: 'none: memory of a driver or the firmware' };
    return;
  }
  const physical = record.pteFrame * 4096 + Number(record.pte & 0xfffn);
  yield { fact: 'Controlling PTE (VA)', address: record.pte };
  yield { fact: 'Controlling PTE (PA)', address: BigInt(physical) };
  yield { fact: 'Controlling PTE Type', value: record.prototype ? 'Prototype' : 'Hardware' };
  const owners = pageOwners(kernel);
  const root = owners.rootAt(record);
  if (root) yield { fact: 'Owning process', address: root.$address, value: root };
  const value = owners.entryAt(physical);
  if (value) yield { fact: 'Controlling PTE', address: (BigInt(value[1]) << 32n) | BigInt(value[0]), value: entryText(kernel, record.prototype, value, record.pte) };
  if (!record.prototype && !root) {
    const place = owners.placeOf(record);
    if (place?.process) yield { fact: 'Process', address: place.process.$address, value: place.process };
    if (place) yield { fact: 'Virtual address', address: addressOf(place.page, 0) };
  }
  const original = frames.original(frame);
  if (original && (original[0] | original[1]) !== 0) {
    yield { fact: 'Original PTE', address: (BigInt(original[1]) << 32n) | BigInt(original[0]), value: entryText(kernel, true, original, record.prototype ? record.pte : undefined) };
  }
}

/** Its neighbours on the list, by the numbers of their pages. */
function* links(struct: Struct): Generator<PfnFact> {
  for (const [fact, union] of [['Flink', 'u1'], ['Blink', 'u2']] as const) {
    const link = orElse(() => BigInt((struct.$get(union) as Struct).$get(fact) as number | bigint), undefined);
    if (link !== undefined) yield { fact, address: link };
  }
}

/** What an entry means; `prototype` is its address where it is, or becomes, one of a section's. */
function entryText(kernel: WindowsKernel, inSection: boolean, [low, high]: readonly [number, number], prototype: bigint | undefined): string | undefined {
  const { entries } = kernel;
  if (!entries) return undefined;
  const entry = inSection ? entries.decodePrototype(low, high) : entries.decode(low, high);
  if (entry.kind === 'prototype') return entry.address === undefined ? 'described by a VAD' : `prototype at 0x${entry.address.toString(16)}`;
  if (entry.kind !== 'subsection') return entries.words(entry);
  const part = entry.address === undefined ? undefined : subsectionAt(kernel, entry.address);
  if (!part) return entry.address === undefined ? 'in a file' : `in the file of the subsection 0x${entry.address.toString(16)}`;
  return prototype !== undefined && holds(kernel, part, prototype) ? placeText(kernel, part, prototype) : `in the file of the subsection 0x${part.address.toString(16)}`;
}

function flags(struct: Struct): string[] {
  const bits = orElse(() => struct.$get('u3') as Struct, undefined);
  const groups = ['e1', 'e3'].flatMap((name) => (bits?.$has(name) === true ? [bits.$get(name) as Struct] : []));
  return FLAGS.filter((flag) => groups.some((group) => group.$has(flag) && orElse(() => Number(group.$get(flag)), 0) === 1));
}
