import type { QueryStatement } from '../../grammar/efilter-tree.js';
import type { Columns, Row } from '../plugin/columns.js';
import type { Catalog } from './catalog.js';
import type { Remark } from './remarks.js';

/** Values for the parameters of a query: by position, or by name. Never text of the query. */
export type QueryParameters = readonly unknown[] | Readonly<Record<string, unknown>>;

/** What a session keeps of queries: views, variables, functions. */
export interface Definitions {
  readonly views: Map<string, Extract<QueryStatement, { kind: 'create-view' }>>;
  readonly variables: Map<string, Extract<QueryStatement, { kind: 'define' }>>;
}

export interface QueryOptions {
  readonly parameters?: QueryParameters;
  readonly definitions?: Definitions;
  readonly signal?: AbortSignal;
  readonly onProgress?: (fraction: number | undefined, what?: string) => void;
  /** time zone in which dates without one are read; default UTC */
  readonly timezone?: string;
  /** remarks on the query as it was written, which its notes repeat */
  readonly remarks?: readonly Remark[];
  /** bytes that intermediate results may take before they spill to disk; default 512 MiB */
  readonly memory?: number;
}

/** A query that was checked and may be run, once. It is a table like any other: whoever prints a Run prints it. */
export interface QueryRun extends AsyncIterable<Row> {
  /** Columns, known before anything runs (except from tables that do not know theirs). */
  readonly columns: Columns;
  batches(): AsyncGenerator<Row[], void, undefined>;
  rows(): Promise<Row[]>;
  readonly notes: readonly string[];
  readonly faults: number;
  /** rows delivered so far */
  readonly count: number;
}

/**
 * Reads, checks and plans a query. Nothing of the image is read yet. Throws QuerySyntaxError and QueryError, which know the place of
 * the mistake.
 */
export type PrepareQuery = (text: string, catalog: Catalog, options?: QueryOptions) => Promise<QueryRun>;
