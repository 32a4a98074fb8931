/** What the meaning of values depends on besides the values. One for a whole query, so that `now()` is the same in every row. */
export interface ValueContext {
  /** name of the time zone in which dates without one are read and parts of times are told */
  readonly timezone: string;
  /** nanoseconds since 1970: what `now()` and "2 hours ago" mean */
  readonly now: bigint;
}

/** A context of this moment. */
export function valueContext(timezone = 'UTC'): ValueContext {
  return { timezone, now: BigInt(Date.now()) * 1_000_000n };
}
