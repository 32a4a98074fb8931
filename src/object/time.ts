const NS = 1_000_000_000n;
/** 100 ns ticks between 1601-01-01 and 1970-01-01. */
const FILETIME_EPOCH = 116_444_736_000_000_000n;

/** A moment, in nanoseconds since 1970-01-01 UTC. */
export class Timestamp {
  constructor(readonly ns: bigint) {}

  static fromSeconds(seconds: bigint, nanoseconds = 0n): Timestamp {
    return new Timestamp(seconds * NS + nanoseconds);
  }

  /** @param ticks 100 ns since 1601-01-01 UTC (FILETIME) */
  static fromFileTime(ticks: bigint): Timestamp {
    return new Timestamp((ticks - FILETIME_EPOCH) * 100n);
  }

  /** Milliseconds since 1970, for arithmetic that needs no more. */
  get ms(): number {
    return Number(this.ns / 1_000_000n);
  }

  /** ISO 8601 in UTC with as many decimals (none, 3, 6 or 9) as the value has: `2026-11-24T00:12:01.250Z`. */
  toISOString(): string {
    let fraction = this.ns % NS;
    let seconds = this.ns / NS;
    if (fraction < 0n) {
      fraction += NS;
      seconds -= 1n;
    }
    const milliseconds = Number(seconds) * 1000;
    // A Date holds 275,760 years each way; a corrupt value may not fit.
    if (Math.abs(milliseconds) > 8.64e15) return `${this.ns} ns`;
    const date = new Date(milliseconds).toISOString().replace(/\.\d+Z$/, '');
    if (fraction === 0n) return `${date}Z`;
    let digits = fraction.toString().padStart(9, '0');
    while (digits.endsWith('000')) digits = digits.slice(0, -3);
    return `${date}.${digits}Z`;
  }

  toString(): string {
    return this.toISOString();
  }

  /** What `console.log` shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  toJSON(): string {
    return this.toISOString();
  }
}
