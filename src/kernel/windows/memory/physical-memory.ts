import { corrupt, orElse } from '../../../memory/absent.js';
import type { PhysicalSpace } from '../../../memory/physical.js';
import type { WindowsKernel } from '../kernel.js';

/** Runs that a machine has at most; firmware gives some tens. */
const MOST_RUNS = 4096;
const PAGE = 4096;
/** Physical addresses have 52 bits at most (Intel SDM vol. 3, 4.1.4). */
const MOST_PAGES = 2 ** 40;

/** A range of physical memory that the machine has. Bytes. */
export interface PhysicalRun {
  readonly start: number;
  /** one past the last byte */
  readonly end: number;
  readonly pages: number;
}

/** What the kernel was given as physical memory. */
export interface PhysicalMemory {
  /** address of the `_PHYSICAL_MEMORY_DESCRIPTOR` */
  readonly descriptor: bigint;
  readonly runs: readonly PhysicalRun[];
  /** pages of all runs, as the descriptor counts them */
  readonly pages: number;
}

/**
 * Physical memory by nt!MmPhysicalMemoryBlock (`_PHYSICAL_MEMORY_DESCRIPTOR`, ntosp.h: number of runs, number of pages, runs of first page and count;
 * each a word). Throws Absent.
 */
export function physicalMemory(kernel: WindowsKernel): PhysicalMemory {
  const { space, profile } = kernel;
  const word = profile.pointerSize;
  const descriptor = kernel.variable('MmPhysicalMemoryBlock');
  if (descriptor === 0n) throw corrupt('nt!MmPhysicalMemoryBlock is null', profile.address('MmPhysicalMemoryBlock'));
  const count = space.readU32(descriptor);
  if (count > MOST_RUNS) throw corrupt(`the descriptor of physical memory states ${count} runs`, descriptor);
  // A profile without the struct (one of XP's) means the same layout.
  const first = profile.has('_PHYSICAL_MEMORY_DESCRIPTOR') ? profile.struct('_PHYSICAL_MEMORY_DESCRIPTOR').offsetOf('Run') : 2 * word;
  const runs: PhysicalRun[] = [];
  for (let index = 0; index < count; index++) {
    const at = descriptor + BigInt(first + index * 2 * word);
    const [base, pages] = [Number(space.readPointer(at)), Number(space.readPointer(at + BigInt(word)))];
    if (base + pages > MOST_PAGES) throw corrupt(`the descriptor of physical memory states ${pages} pages from 0x${(base * PAGE).toString(16)} on`, at);
    runs.push({ start: base * PAGE, end: (base + pages) * PAGE, pages });
  }
  return { descriptor, runs, pages: orElse(() => Number(space.readPointer(descriptor + BigInt(word))), 0) };
}

/** Bytes of a range that the image holds. */
export function heldBytes(physical: PhysicalSpace, { start, end }: { readonly start: number; readonly end: number }): number {
  return physical.runs.reduce((sum, run) => sum + Math.max(0, Math.min(run.end, end) - Math.max(run.start, start)), 0);
}
