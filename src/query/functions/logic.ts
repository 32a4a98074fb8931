import { type Type, types, unify } from '../types.js';
import { equal, isMissing } from '../values/equality.js';
import { truth } from '../values/truth.js';
import { optional, param, rest, scalar } from './define.js';
import type { ScalarFunction } from './function.js';

function unified(args: readonly Type[]): Type {
  return args.reduce(unify, types.null);
}

/** The first value that is there; else the last, so that an Absent keeps its reason. */
function coalesce(values: readonly unknown[]): unknown {
  return values.find((value) => !isMissing(value)) ?? values.at(-1) ?? null;
}

export const logicFunctions: readonly ScalarFunction[] = [
  scalar({
    name: 'coalesce',
    topic: 'logic',
    doc: 'The first of its values that is there (neither null nor unreadable).',
    parameters: [rest('values')],
    result: unified,
    nulls: 'handled',
    call: coalesce,
    examples: [{ query: 'coalesce(null, null, 3)', value: 3 }],
  }),
  scalar({
    name: 'ifnull',
    topic: 'logic',
    doc: 'A value, or another where it is null or unreadable.',
    parameters: [param('value'), param('otherwise')],
    result: unified,
    nulls: 'handled',
    call: coalesce,
    examples: [{ query: 'ifnull(null, "-")', value: '-' }],
  }),
  scalar({
    name: 'nullif',
    topic: 'logic',
    doc: 'Null where two values are equal, else the first.',
    parameters: [param('value'), param('other')],
    result: ([value]) => value ?? types.any,
    nulls: 'handled',
    call: ([value, other], context) => (equal(value, other, context) === true ? null : (value ?? null)),
    examples: [{ query: 'nullif(4, 4)', value: null }],
  }),
  scalar({
    name: 'iif',
    topic: 'logic',
    doc: 'One value where a condition is true, else another (or null).',
    parameters: [param('condition'), param('then'), optional('otherwise')],
    result: ([, ...values]) => unified(values),
    nulls: 'handled',
    call: ([condition, then, otherwise]) => (truth(condition) === true ? then : otherwise) ?? null,
    examples: [{ query: 'iif(2 > 1, "yes", "no")', value: 'yes' }],
  }),
];
