import type { Args, ArgsOf } from '../../plugin/args.js';
import type { Columns, RowOf } from '../../plugin/columns.js';
import type { Row } from '../../plugin/columns.js';
import type { CatalogTable, OpenOptions, TableRun } from '../catalog.js';

const BATCH = 512;

/** What a table of the engine itself is made of. */
export interface Declaration<A extends Args, C extends Columns> {
  readonly name: string;
  readonly summary: string;
  readonly args: A;
  readonly columns: C;
  rows(args: ArgsOf<A>, note: (sentence: string) => void): Iterable<RowOf<C>> | AsyncIterable<RowOf<C>>;
}

/** A table whose rows have their cells ready. */
export function fixedTable<const A extends Args, const C extends Columns>(declaration: Declaration<A, C>): CatalogTable {
  const { name, summary, args, columns } = declaration;
  return {
    name,
    summary,
    args,
    columns,
    open(given, { signal }: OpenOptions): TableRun {
      const notes: string[] = [];
      const note = (sentence: string): void => {
        if (!notes.includes(sentence)) notes.push(sentence);
      };
      return {
        columns,
        notes,
        faults: 0,
        async *batches(): AsyncGenerator<readonly Row[], void, undefined> {
          let batch: Row[] = [];
          for await (const row of declaration.rows(given as ArgsOf<A>, note)) {
            batch.push(row as Row);
            if (batch.length < BATCH) continue;
            yield batch;
            if (signal?.aborted === true) return;
            batch = [];
          }
          if (batch.length > 0) yield batch;
        },
      };
    },
  };
}

/** Whether a name fits a pattern with `*` and `?`; letters of either case. All fit where there is none. */
export function matcher(pattern: string | undefined): (name: string) => boolean {
  if (pattern === undefined) return () => true;
  const source = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*+/g, '.*').replaceAll('?', '.');
  const expression = new RegExp(`^${source}$`, 'is');
  return (name) => expression.test(name);
}
