import type { PagedSpace } from '../../../memory/paging/paged.js';
import type { Steps } from '../../../memory/breathe.js';
import { orElse } from '../../../memory/absent.js';
import { addressOf } from '../../../memory/page.js';
import type { Profile } from '../../../symbols/profile.js';
import type { ProfileSource } from '../../../symbols/source.js';
import type { WindowsRoot } from './dtb.js';
import { KERNEL_HALF } from '../system/kernel-images.js';

/** Pages that are looked through below a debug record for the image's header: kernels have up to 16 MiB, and some are larger. */
const REACH = 64 * 256;
/** Processes between System and the list's head that are followed at most. */
const MOST_LINKS = 16;
/** What NtBuildLab and NtBuildLabEx look like: `7600.16385.amd64fre.win7_rtm.090713-1255` */
export const BUILD_STRING = /^\d+\.[\x21-\x7e]+$/;

/** Where a kernel's image may begin, and how that was found. */
export interface BaseCandidate {
  readonly base: bigint;
  readonly method: string;
}

/** Virtual addresses of physical ones in the kernel's half, in the order of the virtual. */
export function* virtualsOf(space: PagedSpace, physical: readonly number[]): Generator<bigint> {
  const byFrame = new Map(physical.map((at) => [Math.floor(at / 4096), at % 4096]));
  if (byFrame.size === 0) return;
  const from = space.bits === 64 ? KERNEL_HALF.wide : KERNEL_HALF.narrow;
  for (const run of space.leaves(Number(from >> 12n))) {
    for (const [frame, offset] of byFrame) {
      if (frame >= run.frame && frame < run.frame + run.pages) yield addressOf(run.page + frame - run.frame, offset);
    }
  }
}

/** The header of the executable that an address belongs to: the nearest one below whose size covers it. */
export function headerBelow(space: PagedSpace, address: bigint): bigint | undefined {
  let page = address & ~0xfffn;
  for (let count = 0; count < REACH && page > 0n; count++, page -= 4096n) {
    const size = sizeOfImage(space, page);
    if (size !== undefined && page + BigInt(size) > address) return page;
  }
  return undefined;
}

/** SizeOfImage of the PE header at a page, or undefined where there is none. */
export function sizeOfImage(space: PagedSpace, base: bigint): number | undefined {
  return orElse(() => {
    if (space.readU16(base) !== 0x5a4d) return undefined;
    const header = space.readU32(base + 0x3cn);
    if (header > 0x1000 || space.readU32(base + BigInt(header)) !== 0x4550) return undefined;
    return space.readU32(base + BigInt(header) + 0x50n);
  }, undefined);
}

/** What is known of a kernel's image before its base is. */
export interface ImageSigns {
  /** physical addresses of its debug record */
  readonly records: readonly number[];
  /** physical address of its header */
  readonly header?: number | undefined;
  /** virtual address of its header, where page tables led to it */
  readonly base?: bigint | undefined;
}

/**
 * Where a kernel's image may begin, by independent methods, the surest first: its header, the header below its debug record, the build string where the profile
 * has it, the list of processes, and the header below an interrupt handler or the processors' entry point.
 */
export function* baseCandidates(space: PagedSpace, root: WindowsRoot, signs: ImageSigns, source: ProfileSource, types: Profile): Steps<BaseCandidate> {
  if (signs.base !== undefined) yield { base: signs.base, method: 'header of the image' };
  if (signs.header !== undefined) for (const base of virtualsOf(space, [signs.header])) yield { base, method: 'header of the image' };
  for (const address of virtualsOf(space, signs.records)) {
    yield undefined;
    const base = headerBelow(space, address);
    if (base !== undefined) yield { base, method: 'image of the record' };
    yield* baseByBuildString(space, address, source);
  }
  yield* baseByProcessList(space, root, source, types);
  if (root.hint !== undefined) {
    const base = headerBelow(space, root.hint);
    if (base !== undefined) yield { base, method: `header below 0x${root.hint.toString(16)}, which the ${root.method.replace(/ at .*/, '')} names` };
  }
}

/** Bases below an address from which the profile leads to a build string: for an image whose header is not there. */
function* baseByBuildString(space: PagedSpace, address: bigint, source: ProfileSource): Steps<BaseCandidate> {
  const offset = source.constants.get('NtBuildLab');
  if (offset === undefined) return;
  let page = address & ~0xfffn;
  for (let count = 0; count < REACH && page > 0n; count++, page -= 4096n) {
    if (count % 512 === 0) yield undefined;
    const text = orElse(() => space.readCString(page + offset, 64).toString('latin1'), '');
    if (text.length > 8 && BUILD_STRING.test(text)) yield { base: page, method: 'build string where the profile has NtBuildLab' };
  }
}

/** The head of the list of processes is a variable of the kernel: from the System process back, it is the neighbour or near. */
function* baseByProcessList(space: PagedSpace, root: WindowsRoot, source: ProfileSource, types: Profile): Steps<BaseCandidate> {
  const head = source.constants.get('PsActiveProcessHead');
  if (head === undefined || root.process === undefined || !types.has('_EPROCESS', 'ActiveProcessLinks')) return;
  const pointer = BigInt(types.pointerSize);
  const links = BigInt(types.struct('_EPROCESS').offsetOf('ActiveProcessLinks'));
  const half = space.bits === 64 ? KERNEL_HALF.wide : KERNEL_HALF.narrow;
  // Blink: the one before. Physical at first, because the object's own virtual address is not known.
  let at = orElse(() => (types.pointerSize === 8 ? space.physical.readU64(BigInt(root.process ?? 0) + links + pointer) : BigInt(space.physical.readU32(BigInt(root.process ?? 0) + links + pointer))), 0n);
  for (let count = 0; count < MOST_LINKS && at > 0n; count++) {
    const base = at - head;
    if (base >= half && (base & 0xfffn) === 0n) yield { base, method: 'list of processes, whose head is a variable of the kernel' };
    const from = at + pointer;
    at = orElse(() => space.readPointer(from), 0n);
  }
}
