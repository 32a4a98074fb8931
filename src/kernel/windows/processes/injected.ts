import { orElse } from '../../../memory/absent.js';
import type { Steps } from '../../../memory/breathe.js';
import { extents } from '../../../memory/extents.js';
import { addressOf, PAGE_SIZE, pageNumber } from '../../../memory/page.js';
import type { PagedSpace } from '../../../memory/paging/paged.js';
import type { WindowsKernel } from '../kernel.js';
import { PageFrames } from '../memory/pfn.js';
import type { Eprocess } from '../types.js';
import { isExecutable, isWritable, type Vad, type VadFacts, vadFacts, vads } from '../memory/vad.js';

/**
 * Why a region may hold code that no file brought:
 * - `private`: memory of the process alone that was made executable and writable (VirtualAlloc);
 * - `shared`: a section that is not mapped as an image, or one that is and may be written to without a copy, executable and writable;
 * - `protection`: memory of the process alone that was not made executable, and has executable pages now (VirtualProtect);
 * - `image`: an image whose executable pages were written to and became the process's own: code that was changed after it was loaded.
 */
export const KINDS = ['private', 'shared', 'protection', 'image'] as const;
export type Kind = (typeof KINDS)[number];

/** Pages of a section that are looked at: a gigabyte. */
const MOST_PAGES = 1 << 18;
/** Pages after which a step has been done. */
const STEP = 512;
/** Headers that are told of one region. */
const MOST_HEADERS = 16;

/** A region that may hold injected code. */
export interface Suspect {
  readonly region: Vad;
  readonly facts: VadFacts;
  readonly kind: Kind;
  /** pages that are in memory and hold more than zeros; of kinds `protection` and `image`, those that are executable or the process's own */
  readonly pages: number;
  /** where the first of them begins to hold something, down to 16 bytes; undefined where there is none: nothing to see */
  readonly first: bigint | undefined;
  /** where executables begin: pages that begin with MZ, or whose MZ alone is missing */
  readonly headers: readonly { readonly at: bigint; readonly wiped: boolean }[];
}

/** The regions of a process that may hold injected code, with what is in them, by address. */
export function* suspects(kernel: WindowsKernel, process: Eprocess, kinds: ReadonlySet<Kind>, onFault: (what: string) => void): Steps<Suspect> {
  const space = orElse(() => kernel.spaceOf(process), undefined);
  if (!space) return;
  const frames = kinds.has('image') ? orElse(() => new PageFrames(kernel), undefined) : undefined;
  if (kinds.has('image') && !frames) onFault('the page database cannot be read, which tells changed pages of images from others');
  for (const region of vads(kernel, process, onFault)) {
    const facts = orElse(() => vadFacts(kernel, region), undefined);
    const kind = facts && kindOf(facts);
    if (!facts || kind === undefined || !kinds.has(kind)) continue;
    yield undefined;
    const range = { from: pageNumber(region.start), to: pageNumber(region.end) + 1 };
    if (kind === 'shared' && range.to - range.from > MOST_PAGES) onFault(`only the first GiB of the section at 0x${region.start.toString(16)} was looked at`);
    const pages = kind === 'private' || kind === 'shared' ? presentPages(space, range, kind === 'shared') : rightPages(space, range, kind === 'image' ? frames : undefined);
    const content = yield* contentOf(space, pages, range.from);
    // What was made executable from the beginning is counted also where there is nothing in it.
    if (content.pages > 0 || kind === 'private' || kind === 'shared') yield { region, facts, kind, ...content };
  }
}

function kindOf({ protection, private: own, image }: VadFacts): Kind | undefined {
  const code = isExecutable(protection) && isWritable(protection);
  if (own) return code ? 'private' : isExecutable(protection) ? undefined : 'protection';
  // EXECUTE_WRITECOPY is how images are mapped: who writes gets a copy.
  if (code && (protection & 7) !== 7) return 'shared';
  return image ? 'image' : undefined;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Pages of a region that have a place in memory. Those of sections need no entry in the page tables. */
function* presentPages(space: PagedSpace, { from, to }: Range, section: boolean): Generator<number | undefined> {
  const parts = section ? [{ page: from, pages: Math.min(to - from, MOST_PAGES) }] : extents(space, from, to);
  for (const { page, pages } of parts) {
    for (let at = page; at < page + pages; at++) {
      yield at;
      if (at % STEP === 0) yield undefined;
    }
  }
}

/**
 * Pages that the processor lets run. Where a process has none that it may not, no-execute is not in use, and nothing follows.
 * @param frames only the process's own: those that the page database does not know as a section's
 */
function* rightPages(space: PagedSpace, { from, to }: Range, frames: PageFrames | undefined): Generator<number | undefined> {
  if (!usesNoExecute(space)) return;
  let count = 0;
  for (const { page, frame, pages, bits } of space.leaves(from, to)) {
    const runs = (bits & PRESENT) !== 0 && (bits & NO_EXECUTE) === 0;
    for (let at = 0; runs && at < pages; at++) if (!frames || frames.at(frame + at)?.prototype === false) yield page + at;
    if (count++ % STEP === 0) yield undefined;
  }
}

/** PageBits of src/memory/paging/flags.ts */
const PRESENT = 1;
const NO_EXECUTE = 64;

const known = new WeakMap<PagedSpace, boolean>();

/** Whether any page of user space is marked so: page tables of 32 bits cannot, and old processors do not. */
function usesNoExecute(space: PagedSpace): boolean {
  let found = known.get(space);
  if (found === undefined) {
    found = false;
    for (const { bits } of space.leaves(0, space.bits === 64 ? USER_END : 0x80000)) {
      if ((bits & (PRESENT | NO_EXECUTE)) !== (PRESENT | NO_EXECUTE)) continue;
      found = true;
      break;
    }
    known.set(space, found);
  }
  return found;
}

/** User space of x64 ends at 2^47. */
const USER_END = 2 ** 35;

const ZEROS = Buffer.alloc(PAGE_SIZE);

function* contentOf(space: PagedSpace, numbers: Iterable<number | undefined>, start: number): Generator<undefined, Pick<Suspect, 'pages' | 'first' | 'headers'>, undefined> {
  let pages = 0;
  let first: bigint | undefined;
  const headers: { at: bigint; wiped: boolean }[] = [];
  for (const number of numbers) {
    if (number === undefined) {
      yield undefined;
      continue;
    }
    const bytes = space.pageAt(number)?.bytes;
    if (!bytes || bytes.equals(ZEROS)) continue;
    pages++;
    first ??= addressOf(number, bytes.findIndex((byte) => byte !== 0) & ~0xf);
    const header = headerIn(bytes, number === start);
    if (header !== undefined && headers.length < MOST_HEADERS) headers.push({ at: addressOf(number, 0), wiped: header === 'wiped' });
  }
  return { pages, first, headers };
}

/**
 * An executable's header in a page: `MZ` and a PE header where IMAGE_DOS_HEADER.e_lfanew says, or that alone, its mark wiped; where a region
 * begins, the mark is enough.
 */
function headerIn(page: Buffer, begins: boolean): 'whole' | 'wiped' | undefined {
  const marked = page[0] === 0x4d && page[1] === 0x5a;
  if (marked && begins) return 'whole';
  const place = page.readUInt32LE(0x3c);
  if (place < 0x40 || place > PAGE_SIZE - 4 || page.readUInt32LE(place) !== 0x4550) return undefined;
  return marked ? 'whole' : 'wiped';
}

/** What code begins with that was not made by a linker, and what functions begin with. Sources: Intel SDM vol. 2 for the codes; Microsoft, "x64 prolog and epilog". */
const BEGINNINGS: readonly (readonly [bytes: readonly number[], what: string])[] = [
  [[0xe8, 0, 0, 0, 0], 'calls the next instruction, to learn where it is: shellcode'],
  [[0xfc, 0xe8], 'CLD and a call: shellcode'],
  [[0xfc, 0x48, 0x83, 0xe4, 0xf0], 'CLD and an aligned stack: shellcode'],
  [[0xd9, 0x74, 0x24, 0xf4], 'FNSTENV, to learn where it is: shellcode'],
  [[0x55, 0x8b, 0xec], 'begins like a function'],
  [[0x55, 0x89, 0xe5], 'begins like a function'],
  [[0x55, 0x48], 'begins like a function'],
  [[0x40, 0x53], 'begins like a function'],
  [[0x40, 0x55], 'begins like a function'],
  [[0x48, 0x83, 0xec], 'begins like a function'],
  [[0x48, 0x81, 0xec], 'begins like a function'],
  [[0x48, 0x89, 0x5c, 0x24], 'begins like a function'],
  [[0x48, 0x8b, 0xc4], 'begins like a function'],
  [[0x4c, 0x8b, 0xdc], 'begins like a function'],
  [[0x8b, 0xff, 0x55], 'begins like a function'],
  [[0xe9], 'begins with a jump'],
  [[0xeb], 'begins with a jump'],
  [[0xff, 0x25], 'begins with a jump'],
  [[0x4c, 0x8b, 0xd1, 0xb8], 'begins like a system call'],
];

/** What the bytes at a place look like: code of a known beginning, text; null where they say nothing. */
export function looksLike(bytes: Buffer): string | null {
  const found = BEGINNINGS.find(([pattern]) => pattern.every((byte, index) => bytes[index] === byte));
  if (found) return found[1];
  // Up to where a text may end.
  const end = bytes.indexOf(0);
  const text = end < 0 ? bytes : bytes.subarray(0, end);
  return text.length >= SHORTEST_TEXT && text.every((byte) => byte >= 0x20 && byte < 0x7f) ? 'holds text' : null;
}

const SHORTEST_TEXT = 12;
