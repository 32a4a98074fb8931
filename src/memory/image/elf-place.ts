import { ImageError, type ImageHints } from '../image.js';
import type { PlacedSegment } from './elf.js';
import type { ProgramHeader } from './elf-header.js';

/** /proc/kcore gives the virtual address space, and in it one segment for vmalloc of 32 TiB or more. No memory is so large. */
const ADDRESS_SPACE_SIZE = 1n << 44n;

/** Where the kernel half of a 64-bit address space begins, with five levels of page tables (`ff11…` is the direct map). */
const KERNEL_HALF = 0xff00_0000_0000_0000n;

/** x86-64 places its direct map at a multiple of 1 GiB (arch/x86/mm/kaslr.c, PUD_SIZE); i386 at one of 256 MiB (CONFIG_PAGE_OFFSET). */
const DIRECT_MAP_ALIGNMENT = { amd64: 1n << 30n, i386: 1n << 28n };

/** Physical places of an ELF core's loaded segments. */
export interface Placement {
  readonly placed: readonly PlacedSegment[];
  /** The segments whose virtual address is worth a hint: those placed, and kernel text. */
  readonly mapped: readonly PlacedSegment[];
  /** True for /proc/kcore and copies of it, whose segments are virtual memory. */
  readonly live: boolean;
}

/**
 * Says where in physical memory segments lie. Usually `p_paddr` tells. /proc/kcore (fs/proc/kcore.c) leaves it 0 in old kernels
 * (4.9), and in newer ones (5.x) sets it for RAM and kernel text and gives all ones for what is only virtual. There only the
 * direct map counts, which stands below vmalloc; kernel text is part of it.
 */
export function placeSegments(
  path: string,
  loads: readonly ProgramHeader[],
  architecture: ImageHints['architecture'],
  warnings: string[],
): Placement {
  const unset =
    architecture === 'i386'
      ? (value: bigint): boolean => value === 0xffff_ffffn || value === 2n ** 64n - 1n
      : (value: bigint): boolean => value === 2n ** 64n - 1n;
  const zero = loads.every((segment) => segment.physical === 0n);
  const kernel = (segment: ProgramHeader): boolean =>
    architecture === 'i386' ? segment.virtual >= 0x4000_0000n : segment.virtual >= KERNEL_HALF;
  const withoutAddresses = zero && loads.some(kernel);
  const live =
    withoutAddresses ||
    loads.some(
      (segment) => unset(segment.physical) || (architecture !== 'i386' && segment.fileSize >= ADDRESS_SPACE_SIZE),
    );
  if (!live) {
    if (zero && loads.length > 1) {
      throw new ImageError(
        `${path} is a core whose segments have neither physical nor kernel addresses: the core of a process? Try: gdb -c ${path}`,
      );
    }
    const placed = loads.map((segment) => place(segment, segment.physical));
    return { placed, mapped: placed, live };
  }
  const stated = loads.filter((segment) => !unset(segment.physical)).map((segment) => place(segment, segment.physical));
  const direct = withoutAddresses
    ? fromDirectMap(loads.filter(kernel), architecture)
    : belowVmalloc(loads, architecture);
  const placed = direct.flatMap((segment) => (unset(segment.physical) ? [] : [place(segment, segment.physical)]));
  if (placed.length === 0) {
    throw new ImageError(
      `${path} is kernel memory by virtual address (like /proc/kcore), and none of its ${loads.length} segments says where it is in ` +
        `physical memory. Acquire physical memory instead: avml image.lime`,
    );
  }
  if (withoutAddresses)
    warnings.push('the segments have no physical addresses: taken from their place in the direct map');
  return { placed, mapped: withoutAddresses ? placed : stated, live };
}

/** Segments of the direct map with the physical address that follows from its base. */
function fromDirectMap(segments: readonly ProgramHeader[], architecture: ImageHints['architecture']): ProgramHeader[] {
  // arm64's memory does not begin at 0: the base of its linear map says nothing.
  if (architecture !== 'amd64' && architecture !== 'i386') return [];
  const sorted = belowVmalloc(segments, architecture);
  const lowest = sorted[0];
  if (!lowest) return [];
  // Physical memory begins within the first 64 KiB on every PC, so the lowest segment is in the first gigabyte.
  const base = lowest.virtual - (lowest.virtual % DIRECT_MAP_ALIGNMENT[architecture]);
  return sorted.map((segment) => ({ ...segment, physical: segment.virtual - base }));
}

/** The segments of the direct map: those below vmalloc. On i386 all of it is the lowest one, vmalloc stands right behind. */
function belowVmalloc(segments: readonly ProgramHeader[], architecture: ImageHints['architecture']): ProgramHeader[] {
  const sorted = [...segments].sort((a, b) => (a.virtual < b.virtual ? -1 : a.virtual > b.virtual ? 1 : 0));
  if (architecture === 'i386') return sorted.slice(0, 1);
  // arm64 had vmalloc below the direct map until 5.4.
  if (architecture === 'arm64') return sorted.filter((segment) => segment.fileSize < ADDRESS_SPACE_SIZE);
  const vmalloc = sorted.findIndex((segment) => segment.fileSize >= ADDRESS_SPACE_SIZE);
  return vmalloc < 0 ? sorted : sorted.slice(0, vmalloc);
}

function place(segment: ProgramHeader, physical: bigint): PlacedSegment {
  return {
    physical: Number(physical),
    length: Number(segment.fileSize),
    offset: Number(segment.offset),
    virtual: segment.virtual,
  };
}
