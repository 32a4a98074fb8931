import type { Place } from '../../../grammar/efilter-tree.js';
import { QueryError } from '../error.js';
import type { Scalar } from '../plan/logical.js';
import { ValueError } from '../values/error.js';
import type { OperandFacts } from '../values/operators.js';

/** What is known beforehand of an operator's operands. */
export function factsOf(left: Scalar, right: Scalar): OperandFacts {
  return {
    ...(right.kind === 'constant' ? { constant: { value: right.value } } : {}),
    ...(left.kind === 'constant' ? { constantLeft: { value: left.value } } : {}),
    ...(right.kind === 'subquery' || right.kind === 'list' ? { exact: true } : {}),
  };
}

/** Runs `work`; a value that it cannot work with is a mistake of the query at this place. */
export function atPlace<T>(place: Place, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ValueError) throw new QueryError(`${capital(error.message)}.`, { start: place.start, end: place.end });
    throw error;
  }
}

/** A sentence of its own. */
export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
