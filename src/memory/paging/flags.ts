/**
 * What a page-table entry allows and says, decoded the same way for every architecture. Hot loops carry the bits of
 * {@link PageBits} in one small integer; everything else sees {@link PageFlags}.
 */
export interface PageFlags {
  /** the processor would use this entry; false for what only the operating system understands (see `softFrame`) */
  readonly present: boolean;
  readonly writable: boolean;
  /** accessible to user mode (x86 U/S; arm64 AP[1]) */
  readonly user: boolean;
  readonly accessed: boolean;
  readonly dirty: boolean;
  /** survives a change of the address space in the TLB (x86 G; arm64 not nG) */
  readonly global: boolean;
  readonly noExecute: boolean;
  /** a leaf above the last level: a 2 MiB, 4 MiB or 1 GiB page */
  readonly large: boolean;
}

/** {@link PageFlags} as bits of a small integer. */
export const PageBits = {
  present: 1,
  writable: 2,
  user: 4,
  accessed: 8,
  dirty: 16,
  global: 32,
  noExecute: 64,
  large: 128,
} as const;

/** The bits that say what may be done with a page, and not what was done with it. */
export const RIGHTS = PageBits.present | PageBits.writable | PageBits.user | PageBits.noExecute;

const decoded: (PageFlags | undefined)[] = new Array<PageFlags | undefined>(256);

/** Decodes {@link PageBits}. The same bits give the same (frozen) object. */
export function pageFlags(bits: number): PageFlags {
  return (decoded[bits & 0xff] ??= Object.freeze({
    present: (bits & PageBits.present) !== 0,
    writable: (bits & PageBits.writable) !== 0,
    user: (bits & PageBits.user) !== 0,
    accessed: (bits & PageBits.accessed) !== 0,
    dirty: (bits & PageBits.dirty) !== 0,
    global: (bits & PageBits.global) !== 0,
    noExecute: (bits & PageBits.noExecute) !== 0,
    large: (bits & PageBits.large) !== 0,
  }));
}

/**
 * Rights of a path through the tables: what every level allows (writable, user), what any level forbids (execution).
 * All other bits are those of the lower entry. (Intel SDM vol. 3A, 4.6 "Access Rights"; Arm ARM D8.4 "hierarchical
 * control of data access permissions".)
 */
export function combine(above: number, entry: number): number {
  const allowed = PageBits.writable | PageBits.user;
  return (entry & ~allowed) | (above & entry & allowed) | (above & PageBits.noExecute);
}

/** {@link combine} with this changes nothing: the rights above the top level. */
export const ALL_RIGHTS = PageBits.present | PageBits.writable | PageBits.user;
