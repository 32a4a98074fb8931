import { Absent } from '../../src/memory/absent.js';
import type { Args } from '../../src/plugin/args.js';
import type { Columns, Row } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import type { Catalog, CatalogTable, MemberType, OpenOptions, TableRun } from '../../src/query/catalog.js';

/** How a table of a test was opened, and how far it was read. */
export interface Opened {
  readonly args: Readonly<Record<string, unknown>>;
  readonly columns: readonly string[] | undefined;
  rows: number;
  closed: boolean;
}

export interface TestTable {
  readonly columns: Columns | undefined;
  readonly args?: Args;
  /** the rows, or what makes them of arguments */
  readonly rows: readonly Row[] | ((args: Readonly<Record<string, unknown>>) => Iterable<Row>);
  readonly batch?: number;
  readonly notes?: readonly string[];
}

/** A catalog of tables in memory, which remembers how they were used. */
export class TestCatalog implements Catalog {
  readonly opened: (Opened & { readonly table: string })[] = [];
  structs: Readonly<Record<string, ReadonlyMap<string, MemberType>>> = {};

  constructor(readonly tables: Record<string, TestTable>) {}

  names(): Iterable<string> {
    return Object.keys(this.tables);
  }

  async table(name: string): Promise<CatalogTable | undefined> {
    const table = Object.hasOwn(this.tables, name) ? this.tables[name] : undefined;
    if (!table) return undefined;
    return Promise.resolve({
      name,
      summary: `rows of ${name}`,
      args: table.args ?? {},
      columns: table.columns,
      open: (args, options) => this.open(name, table, args, options),
    });
  }

  members(struct: string): Promise<ReadonlyMap<string, MemberType> | undefined> {
    return Promise.resolve(this.structs[struct]);
  }

  address(expression: string): Promise<bigint> {
    if (expression === 'init_task') return Promise.resolve(0xffffffff82a0c8c0n);
    return Promise.reject(new PluginError(`No symbol is called ${expression}.`, 'symbols'));
  }

  private open(name: string, table: TestTable, args: Readonly<Record<string, unknown>>, options: OpenOptions): TableRun {
    const opened = { table: name, args, columns: options.columns && [...options.columns], rows: 0, closed: false };
    this.opened.push(opened);
    const faults = { count: 0 };
    const size = table.batch ?? 3;
    async function* batches(): AsyncGenerator<Row[], void, undefined> {
      try {
        if (size === Infinity && Array.isArray(table.rows)) {
          // A table in memory gives what it has.
          opened.rows = table.rows.length;
          yield table.rows as Row[];
          return;
        }
        let batch: Row[] = [];
        for (const row of typeof table.rows === 'function' ? table.rows(args) : table.rows) {
          opened.rows++;
          faults.count += Object.values(row).filter((value) => value instanceof Absent && value.kind !== 'not-applicable').length;
          const { columns } = options;
          batch.push(columns ? Object.fromEntries(Object.entries(row).filter(([key]) => columns.has(key))) : row);
          if (batch.length >= size) {
            yield batch;
            batch = [];
            await Promise.resolve();
          }
        }
        if (batch.length > 0) yield batch;
      } finally {
        opened.closed = true;
      }
    }
    const columns = table.columns ?? inferred(table);
    return {
      columns,
      batches,
      notes: table.notes ?? [],
      get faults() {
        return faults.count;
      },
    };
  }
}

function inferred(table: TestTable): Columns {
  const [first] = typeof table.rows === 'function' ? table.rows({}) : table.rows;
  return Object.fromEntries(Object.keys(first ?? {}).map((name) => [name, { type: 'any', doc: '' } as const]));
}
