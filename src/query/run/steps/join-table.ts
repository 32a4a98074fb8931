import { Timestamp } from '../../../object/time.js';
import { QueryError } from '../../error.js';
import { isMissing } from '../../values/equality.js';
import { type Key, keyOf, keyOfAll } from '../../values/key.js';
import { isList } from '../../values/list.js';
import type { Evaluate } from '../compile.js';
import type { Tuple } from '../tuple.js';

/** Rows of the right side by their keys; those of one key are chained, in their order. */
export interface JoinTable {
  readonly heads: Map<Key, number>;
  readonly next: Int32Array;
  readonly tuples: readonly Tuple[];
  /** the first of those whose key is no plain value: they are looked at for each row of the left */
  readonly odd: number;
}

/** Stands for the key of a value that is equal to values with other keys. */
export const ODD = Symbol('a key that is no plain value');

export type JoinKey = Key | typeof ODD;

export function told(key: JoinKey): Key {
  if (key !== ODD) return key;
  throw new QueryError(
    'A key of this join holds lists or times in a column of unknown type, and the join is too large to compare all rows: give the column a type with cast().',
  );
}

export function tableOf(keys: readonly JoinKey[], tuples: readonly Tuple[]): JoinTable {
  const heads = new Map<Key, number>();
  const next = new Int32Array(tuples.length);
  let odd = -1;
  for (let index = tuples.length - 1; index >= 0; index--) {
    const key = keys[index] as JoinKey;
    if (key === ODD) {
      next[index] = odd;
      odd = index;
    } else {
      next[index] = heads.get(key) ?? -1;
      heads.set(key, index);
    }
  }
  return { heads, next, tuples, odd };
}

/**
 * The key of a tuple's side of a join; undefined where a part is null, which equals nothing.
 * @param loose types are not known: a value may have no key that tells what it equals
 */
export function joinKey(keys: readonly Evaluate[], tuple: Tuple, loose: boolean): JoinKey | undefined {
  const only = keys[0] as Evaluate;
  if (keys.length === 1) {
    const value = only(tuple);
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
    if (loose && isOdd(value)) return ODD;
    return isMissing(value) ? undefined : keyOf(value);
  }
  const values = keys.map((key) => key(tuple));
  if (values.some(isMissing)) return undefined;
  return loose && values.some(isOdd) ? ODD : keyOfAll(values);
}

/** True for values that may equal others than those with their key. */
function isOdd(value: unknown): boolean {
  return isList(value) || value instanceof Timestamp;
}
