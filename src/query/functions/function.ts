import type { Type } from '../types.js';
import type { ValueContext } from '../values/context.js';

/** What a parameter takes: a kind of type, or a family of them. */
export type Accepts =
  | 'any'
  /** int, float, size, address, physical, duration, bool */
  | 'number'
  /** the same without float */
  | 'int'
  | 'string'
  | 'bytes'
  | 'bool'
  | 'time'
  | 'duration'
  | 'struct'
  /** an address: a number, a pointer, or a struct (then its own) */
  | 'address'
  | 'list'
  | 'row';

/**
 * How an argument reaches the function:
 * - `value`: evaluated;
 * - `each`: not evaluated, but compiled with the members of the elements of the first argument in scope (as `where` has the columns):
 *   it arrives as {@link PerElement}; an element that is no row or struct is `it`;
 * - `pair`: `key: value` or `key = value`, a bare name as key being its own text: arrives as `readonly [string, unknown]`;
 * - `word`: a bare name (or a string) that is text: the type of `cast`.
 */
export type ArgumentForm = 'value' | 'each' | 'pair' | 'word';

/** An argument of form `each`, compiled: its value for one element. */
export type PerElement = (element: unknown) => unknown;

export interface FunctionParameter {
  readonly name: string;
  /** kinds of types that fit; `any` and null always do */
  readonly accepts: Accepts | readonly Accepts[];
  readonly optional?: boolean;
  /** any number of arguments, at least one unless optional; only the last parameter */
  readonly variadic?: boolean;
  /** default `value` */
  readonly form?: ArgumentForm;
}

/** A query and its value, for help; a test runs it. The value is compared as JSON would write it. */
export interface FunctionExample {
  readonly query: string;
  readonly value: unknown;
}

interface Declaration {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly topic: FunctionTopic;
  /** one sentence */
  readonly doc: string;
  readonly parameters: readonly FunctionParameter[];
  /** the type of its value, which may follow from those of its arguments (of an `each` argument: of its value) */
  readonly result: Type | ((args: readonly Type[]) => Type);
  readonly examples: readonly [FunctionExample, ...FunctionExample[]];
}

export type FunctionTopic =
  'text' | 'numbers' | 'time' | 'lists' | 'bytes' | 'conversion' | 'logic' | 'objects' | 'network' | 'aggregates';

/** A function of values. */
export interface ScalarFunction extends Declaration {
  readonly kind: 'scalar';
  /** false where equal arguments need not give equal values (`random`), so that it is not computed beforehand */
  readonly pure?: boolean;
  /**
   * `propagate` (default): not called when an argument is null or Absent; the value is then that null or Absent. `handled`: it is
   * called with them.
   */
  readonly nulls?: 'propagate' | 'handled';
  /** index of the parameter whose list it maps over: `hex((1, 2))` is `("0x1", "0x2")` */
  readonly maps?: number;
  /** The static type that an argument of form `word` stands for (`cast(x, int)`), else string. Throws ValueError for a word that means none. */
  words?(word: string): Type;
  /** Computes the value. Throws Absent for a value that it cannot work with, ValueError for a constant one. */
  call(args: readonly unknown[], context: CallContext): unknown;
}

/** What a call knows besides its arguments. */
export interface CallContext extends ValueContext {
  /** static types of the arguments: durations and addresses are told from other numbers by them */
  readonly types: readonly Type[];
}

/** A function of many rows. */
export interface AggregateFunction extends Declaration {
  readonly kind: 'aggregate';
  /** `count(*)` is allowed */
  readonly star?: boolean;
  /** `skip` (default): rows in which its first argument is null or Absent do not count */
  readonly nulls?: 'skip' | 'keep';
  /** A fresh state, for one group. */
  create(context: CallContext): Accumulator;
}

/** The state of an aggregate over one group. `distinct` is the engine's work: it calls `add` once for each distinct value. */
export interface Accumulator {
  /** One row: the values of the arguments (none for `count(*)`). */
  add(args: readonly unknown[]): void;
  /** The value of the group so far; null where SQL says so (`sum` of no rows). */
  result(): unknown;
}

export type QueryFunction = ScalarFunction | AggregateFunction;

/** A row of the table of functions (`select * from functions()`). */
export interface FunctionRow {
  readonly name: string;
  readonly kind: 'scalar' | 'aggregate';
  readonly topic: string;
  /** `substr(text: string, start: int, [end: int]) → string` */
  readonly signature: string;
  readonly doc: string;
  readonly example: string;
  readonly aliases: readonly string[];
}
