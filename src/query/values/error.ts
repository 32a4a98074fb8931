import { Absent } from '../../memory/absent.js';

/**
 * A value that an operator or function cannot work with, whatever the row: a pattern that is no regular expression, a date that is
 * none. Thrown while a query is prepared, where the value is known by then: the engine gives it the place of the expression. While rows
 * run, the same mistake in a row's value costs that cell alone (it becomes Absent, see {@link absenceOf}).
 */
export class ValueError extends Error {
  override readonly name = 'ValueError';
}

/** The value of a cell whose computation threw: the Absent itself, or one that says what a ValueError said. Any other error flies. */
export function absenceOf(error: unknown): Absent {
  if (error instanceof Absent) return error;
  if (error instanceof ValueError) return new Absent('not-applicable', error.message);
  throw error;
}
