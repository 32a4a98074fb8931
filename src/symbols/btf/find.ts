import { found, type Steps } from '../../memory/breathe.js';
import type { PhysicalSpace } from '../../memory/physical.js';
import { occurrenceSteps, readPhysical } from '../window.js';
import { BTF_NEEDLE, HEADER_SIZE, readSections, verifyBtf } from './format.js';

/** Fewer bytes than this are no kernel's types: bpf programs and modules have BTF of their own. */
const SMALLEST = 256 * 1024;

/** Something in physical memory that begins like the BTF of a kernel. */
export interface BtfCandidate {
  /** physical address of the header */
  readonly offset: number;
  /** bytes, by its header */
  readonly length: number;
  /** why it is not sound: stale copies (the boot decompressor leaves shifted, partly overwritten ones) are not */
  readonly problem?: string;
}

/**
 * Searches a window of physical memory for the BTF of a kernel. A kernel's image is physically contiguous, so the blob is
 * read as it stands. More than one candidate may be sound: the live one is where `__start_BTF` of kallsyms says.
 * @param options the window in physical bytes: `from` inclusive, `to` exclusive; all of the image when left out
 * @returns all candidates, ascending; those without `problem` can be given to `BtfTypes`
 */
export function findBtf(physical: PhysicalSpace, options: { from?: number; to?: number } = {}): BtfCandidate[] {
  return [...found(btfSteps(physical, options))];
}

/** {@link findBtf} in steps. */
export function* btfSteps(physical: PhysicalSpace, options: { from?: number; to?: number } = {}): Steps<BtfCandidate> {
  const to = Math.min(options.to ?? Infinity, physical.end);
  for (const offset of occurrenceSteps(physical, BTF_NEEDLE, options.from ?? 0, to)) {
    yield offset === undefined ? undefined : btfAt(physical, offset, SMALLEST);
  }
}

/** The bytes of a candidate, or undefined when the image does not hold all of them. */
export function readBtf(physical: PhysicalSpace, candidate: { offset: number; length: number }): Buffer | undefined {
  return readPhysical(physical, candidate.offset, candidate.length);
}

/**
 * The BTF whose header is at a physical address (that of `__start_BTF`), or undefined when none is there. Reads nothing else, so it is
 * the fast way once kallsyms is decoded.
 * @param smallest bytes below which it is not looked at
 */
export function btfAt(physical: PhysicalSpace, offset: number, smallest = 0): BtfCandidate | undefined {
  const header = readPhysical(physical, offset, HEADER_SIZE);
  const sections = header && readSections(header);
  if (!sections || typeof sections === 'string' || sections.total < smallest) return undefined;
  const blob = readPhysical(physical, offset, sections.total);
  const problem = blob ? verifyBtf(blob) : 'not all of it is in the image';
  return { offset, length: sections.total, ...(problem === undefined ? {} : { problem }) };
}
