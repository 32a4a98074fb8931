/** Why a value is missing. */
export type AbsenceKind =
  /** the page is not in the image, or not mapped */
  | 'unreadable'
  /** this kernel's structure has no such member, this profile no such type or symbol */
  | 'no-member'
  /** the question makes no sense for this object (a kernel thread's command line) */
  | 'not-applicable'
  /** the bytes are there, but cannot be what they should be (a list that loops, an impossible count) */
  | 'corrupt';

/**
 * The value of a cell that has none: what is missing, why, and where. Readers throw it, the row runner catches it
 * (and only the row runner and the walkers do): one bad page costs one cell, not a table.
 *
 * It is thrown millions of times on a smeared image, so it is not an Error and carries no stack.
 */
export class Absent {
  constructor(
    readonly kind: AbsenceKind,
    /** one phrase for the analyst: `page not present`, `no member tasks in task_struct` */
    readonly reason: string,
    /** the address that could not be read, if there is one */
    readonly address?: bigint,
  ) {}

  /** `unreadable at 0xffff888001234000: page not present` */
  toString(): string {
    const at = this.address === undefined ? '' : ` at 0x${this.address.toString(16)}`;
    return `${this.kind}${at}: ${this.reason}`;
  }

  toJSON(): null {
    return null;
  }
}

export function unreadable(address: bigint, reason = 'page not present'): Absent {
  return new Absent('unreadable', reason, address);
}

export function corrupt(reason: string, address?: bigint): Absent {
  return new Absent('corrupt', reason, address);
}

/** The value of `compute`, or the {@link Absent} it threw. Any other exception flies. */
export function orAbsent<T>(compute: () => T): T | Absent {
  try {
    return compute();
  } catch (error) {
    if (error instanceof Absent) return error;
    throw error;
  }
}

/** The value of `compute`, or `fallback` where it threw an {@link Absent}. */
export function orElse<T, F>(compute: () => T, fallback: F): T | F {
  try {
    return compute();
  } catch (error) {
    if (error instanceof Absent) return fallback;
    throw error;
  }
}
