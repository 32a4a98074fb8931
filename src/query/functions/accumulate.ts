import { Timestamp } from '../../object/time.js';
import type { Type } from '../types.js';
import { isMissing } from '../values/equality.js';
import { normal, numberOf } from '../values/number.js';

/**
 * A running sum: whole numbers exactly (as number while that is exact, then as bigint), as soon as a float comes by Neumaier's compensated
 * summation, so that the order of many terms hardly matters.
 */
export class Sum {
  count = 0;
  private small = 0;
  private large = 0n;
  private float = 0;
  private compensation = 0;
  private floats: boolean;

  /** @param floats the terms are floats, also those that happen to be whole */
  constructor(floats: boolean) {
    this.floats = floats;
  }

  /** Adds a number; anything else is passed by. */
  add(value: unknown): void {
    const term = typeof value === 'number' ? value : numberOf(value);
    if (term === undefined) return;
    this.count++;
    if (typeof term === 'bigint') {
      this.large += term;
      return;
    }
    if (!this.floats && Number.isSafeInteger(term)) {
      const sum = this.small + term;
      if (Number.isSafeInteger(sum)) this.small = sum;
      else {
        this.large += BigInt(this.small) + BigInt(term);
        this.small = 0;
      }
      return;
    }
    this.floats = true;
    const sum = this.float + term;
    this.compensation += Math.abs(this.float) >= Math.abs(term) ? this.float - sum + term : term - sum + this.float;
    this.float = sum;
  }

  /** The sum; null of no terms. */
  result(): number | bigint | null {
    if (this.count === 0) return null;
    const whole = this.large === 0n ? this.small : this.large + BigInt(this.small);
    if (!this.floats) return typeof whole === 'bigint' ? normal(whole) : whole;
    // Infinity less infinity is no compensation.
    const float = Number.isFinite(this.float) ? this.float + this.compensation : this.float;
    return float + Number(whole);
  }

  /** The mean; null of no terms. */
  mean(): number | null {
    const sum = this.result();
    return sum === null ? null : Number(sum) / this.count;
  }
}

export function sumOf(values: readonly unknown[], type: Type): number | bigint | null {
  const sum = new Sum(type.kind === 'float');
  for (const value of values) sum.add(value);
  return sum.result();
}

/** A mean in the type that it has: a duration in whole nanoseconds, a time as one, anything else with decimals. */
export function averageOf(values: readonly unknown[], type: Type): unknown {
  const mean = new Mean(type);
  for (const value of values) mean.add(value);
  return mean.result();
}

export class Mean {
  private readonly sum: Sum;
  private times = false;

  constructor(private readonly type: Type) {
    this.sum = new Sum(type.kind === 'float');
  }

  add(value: unknown): void {
    if (value instanceof Timestamp) this.times = true;
    this.sum.add(value instanceof Timestamp ? value.ns : value);
  }

  result(): unknown {
    if (this.type.kind !== 'duration' && !this.times) return this.sum.mean();
    const sum = this.sum.result();
    if (sum === null) return null;
    const mean = BigInt(sum) / BigInt(this.sum.count);
    return this.times ? new Timestamp(mean) : mean;
  }
}

/** The middle value, of two middle ones the mean; times and durations as such. */
export function medianOf(values: readonly unknown[], type: Type): unknown {
  const known = values.filter(
    (value) => !isMissing(value) && (value instanceof Timestamp || numberOf(value) !== undefined),
  );
  const number = (value: unknown): number | bigint => (value instanceof Timestamp ? value.ns : (numberOf(value) ?? 0));
  known.sort((a, b) => (number(a) < number(b) ? -1 : number(a) > number(b) ? 1 : 0));
  const middle = Math.floor(known.length / 2);
  if (known.length === 0) return null;
  return averageOf(known.length % 2 === 1 ? [known[middle]] : [known[middle - 1], known[middle]], type);
}
