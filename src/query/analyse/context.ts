import type { Place, QueryStatement } from '../../../grammar/efilter-tree.js';
import type { Catalog } from '../catalog.js';
import type { Definitions, QueryParameters } from '../engine.js';
import { QueryError } from '../error.js';
import type { FunctionLibrary } from '../functions/library.js';
import type { ValueContext } from '../values/context.js';
import type { Scope } from './scope.js';

/** What analysis needs of the world. */
export interface Environment {
  readonly catalog: Catalog;
  readonly library: FunctionLibrary;
  readonly parameters: QueryParameters;
  readonly definitions: Definitions;
  readonly values: ValueContext;
}

/** Where an expression stands. */
export interface Position {
  readonly scope: Scope;
  /** why no aggregate may stand here (`where looks at one row`); undefined where one may */
  readonly rowWise: string | undefined;
}

/** How deep expressions, sub-queries, views and functions may be nested: far below what JavaScript's stack holds. */
export const DEEPEST = 400;

/** Uses of views, functions and variables in one query, those inside of them included. */
const MOST_EXPANSIONS = 10_000;

/** Guards against what never ends: expressions nested too deep, views and functions that use themselves. */
export class Guard {
  private depth = 0;
  private readonly open: { readonly key: object; readonly name: string }[] = [];
  private expansions = 0;

  /** Runs `work` one level deeper. */
  async nested<T>(place: Place, work: () => Promise<T>): Promise<T> {
    if (this.depth >= DEEPEST) throw new QueryError(`The query is nested more than ${DEEPEST} levels deep.`, place);
    this.depth++;
    try {
      return await work();
    } finally {
      this.depth--;
    }
  }

  /** True for the name of a view, function or variable that is being expanded. */
  isOpen(name: string): boolean {
    return this.open.some((entry) => entry.name === name);
  }

  /**
   * Expands a view, function or variable, which may not be under expansion already.
   * @param key what it is told from others of its name by
   */
  async expanding<T>(key: object, name: string, place: Place, work: () => Promise<T>): Promise<T> {
    const at = this.open.findIndex((entry) => entry.key === key);
    if (at >= 0) {
      const round = [...this.open.slice(at).map((entry) => entry.name), name];
      throw new QueryError(`${name} is defined by itself (${round.join(' → ')}), which has no end.`, place);
    }
    if (++this.expansions > MOST_EXPANSIONS) throw new QueryError('The query becomes too large: its functions and views use each other too often.', place);
    this.open.push({ key, name });
    try {
      return await this.nested(place, work);
    } finally {
      this.open.pop();
    }
  }
}

export type ViewStatement = Extract<QueryStatement, { kind: 'create-view' }>;
