import type { Accepts, AggregateFunction, ArgumentForm, FunctionParameter, ScalarFunction } from './function.js';

/** A function of values, declared. */
export function scalar(declaration: Omit<ScalarFunction, 'kind'>): ScalarFunction {
  return { kind: 'scalar', ...declaration };
}

/** An aggregate, declared. */
export function aggregate(declaration: Omit<AggregateFunction, 'kind' | 'topic'>): AggregateFunction {
  return { kind: 'aggregate', topic: 'aggregates', ...declaration };
}

/** A parameter that must be given. */
export function param(
  name: string,
  accepts: Accepts | readonly Accepts[] = 'any',
  form?: ArgumentForm,
): FunctionParameter {
  return form === undefined ? { name, accepts } : { name, accepts, form };
}

/** One that may be left out (then its argument is undefined). */
export function optional(
  name: string,
  accepts: Accepts | readonly Accepts[] = 'any',
  form?: ArgumentForm,
): FunctionParameter {
  return { ...param(name, accepts, form), optional: true };
}

/** The last one, which takes all further arguments; at least one. */
export function rest(
  name: string,
  accepts: Accepts | readonly Accepts[] = 'any',
  form?: ArgumentForm,
): FunctionParameter {
  return { ...param(name, accepts, form), variadic: true };
}
