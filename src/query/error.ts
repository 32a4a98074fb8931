import type { Place } from '../../grammar/efilter-tree.js';

/** A query that can be read, but not be run: an unknown name, a wrong argument, unlike types; with the place of the mistake. */
export class QueryError extends Error {
  override readonly name = 'QueryError';

  constructor(
    message: string,
    /** where in the query's text; absent where the mistake has no place there (a parameter that is missing) */
    readonly place?: Place,
    /** the next command to try, as typed */
    readonly next?: string,
  ) {
    super(message);
  }
}
