import type { Args } from '../plugin/args.js';
import type { Columns, Row } from '../plugin/columns.js';
import type { Definitions } from './engine.js';

/**
 * What the query engine knows of the world: tables. A plugin is one, a view, a file, the rows of the last command; tests give
 * arrays. The engine itself knows no plugin by name.
 */
export interface Catalog {
  /**
   * The table of a name, or undefined. Throws PluginError where there is one that cannot be used here, and says why.
   * @param session number of the session that the query asks it of, where that is written out: another system's command has other columns
   */
  table(name: string, session?: number): Promise<CatalogTable | undefined>;
  /** Names of all tables, for suggestions and completion. */
  names(): Iterable<string>;
  /** Members of a struct by the profile's types, so that `task.mm.pgd` is checked before anything runs; undefined where nothing is known of it. */
  members?(struct: string): Promise<ReadonlyMap<string, MemberType> | undefined>;
  /** Views, variables and functions of the session, for completion. */
  readonly definitions?: Definitions;
  /** The address of a name or expression (`linux!init_task+0x10`), for arguments that take one; in the space that they name beside it. Throws PluginError where it means none. */
  address?(expression: string, space?: string): Promise<bigint>;
}

/** A member as the type checker sees it. */
export interface MemberType {
  /** a column type, so that members and columns are checked alike */
  readonly type: 'int' | 'float' | 'address' | 'string' | 'bool' | 'time' | 'struct' | 'list' | 'any';
  /** of type `struct`, or of a list's elements: the struct's name */
  readonly struct?: string;
}

/** A table: its declaration, and how its rows are had. */
export interface CatalogTable {
  readonly name: string;
  readonly summary: string;
  readonly args: Args;
  /** `undefined`: known only when the first row is there (a file) */
  readonly columns: Columns | undefined;
  /**
   * Starts it.
   * @param args values by the arguments' names, of the declared types (ArgValues)
   */
  open(args: Readonly<Record<string, unknown>>, options: OpenOptions): TableRun;
}

export interface OpenOptions {
  /** only these columns will be looked at; all if absent */
  readonly columns?: ReadonlySet<string>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (fraction: number | undefined, what?: string) => void;
}

/** A table under way: `Run` of a plugin is one. */
export interface TableRun {
  readonly columns: Columns;
  /** Rows in batches of any size; the consumer may stop at any time (`return`). Rows are objects keyed by column, cells may be Absent or null. */
  batches(): AsyncGenerator<readonly Row[], void, undefined>;
  /** sentences for the analyst, complete when the rows have ended */
  readonly notes: readonly string[];
  /** cells that could not be read */
  readonly faults: number;
}
