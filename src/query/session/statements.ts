import type { Binding, Expression, QueryStatement } from '../../../grammar/efilter-tree.js';
import { col } from '../../plugin/columns.js';
import type { Columns, Row } from '../../plugin/columns.js';
import type { Session } from '../../session/session.js';
import type { Definitions, QueryOptions, QueryRun } from '../engine.js';
import { QueryError } from '../error.js';
import { prepareStatement } from '../prepare.js';
import { remarksOf } from '../remarks.js';
import { definitionsOf, sessionCatalog } from './catalog.js';

/** What a statement that defines something says: one row for each name. */
export const CHANGE_COLUMNS: Columns = {
  name: col.string('what was defined or dropped'),
  kind: col.string('view, variable or function'),
  change: col.string('created, replaced or dropped'),
};

/**
 * Reads, checks and plans any statement against a session: its commands, files, results, views and definitions. Definitions take
 * effect at once. Throws QuerySyntaxError and QueryError, which know the place of the mistake, and PluginError.
 */
export async function prepareInSession(session: Session, text: string, options: Omit<QueryOptions, 'definitions'> = {}): Promise<QueryRun> {
  const { parseQuery } = await import('../../../grammar/efilter.js');
  const statement = parseQuery(text);
  const definitions = definitionsOf(session);
  const all: QueryOptions = { timezone: session.parameters.timezone, ...options, definitions, remarks: remarksOf(statement, text) };
  const catalog = sessionCatalog(session);
  const check = (value: Expression): Promise<QueryRun> => prepareStatement({ kind: 'evaluate', value, start: value.start, end: value.end }, catalog, all);
  switch (statement.kind) {
    case 'create-view': {
      const { name, replace, query, start, end } = statement;
      const known = definitions.views.has(name);
      if (known && !replace) throw new QueryError(`There is a view ${name} already.`, { start, end }, `create or replace view ${name} as …`);
      if (session.registry.named(name).length > 0) throw new QueryError(`${name} is a command; a view of that name would hide it.`, { start, end });
      if (hasParameter(query)) throw new QueryError('A view has no parameters: they are bound when a query runs.', { start, end });
      // What cannot run is told now, and not when the view is used; and a view does not name itself.
      const before = definitions.views.get(name);
      definitions.views.delete(name);
      try {
        await check({ kind: 'subquery', query, start, end });
        definitions.views.set(name, statement);
        await check({ kind: 'name', name, start, end } satisfies Expression);
      } catch (error) {
        definitions.views.delete(name);
        if (before) definitions.views.set(name, before);
        throw error;
      }
      return changed([{ name, kind: 'view', change: known ? 'replaced' : 'created' }]);
    }
    case 'drop-view': {
      const { name, ifExists, start, end } = statement;
      if (!definitions.views.delete(name)) {
        if (!ifExists) throw new QueryError(`There is no view ${name}.`, { start, end }, 'select * from views()');
        return changed([], `There is no view ${name}.`);
      }
      return changed([{ name, kind: 'view', change: 'dropped' }]);
    }
    case 'define':
      return define(statement, definitions, check);
    default:
      return prepareStatement(statement, catalog, all);
  }
}

type Define = Extract<QueryStatement, { kind: 'define' }>;

async function define(statement: Define, definitions: Definitions, check: (value: Expression) => Promise<QueryRun>): Promise<QueryRun> {
  const { bindings, start, end } = statement;
  const last = bindings.at(-1);
  const body: Expression = { kind: 'literal', value: null, start: end, end };
  if (last && hasParameter(bindings)) throw new QueryError('A definition has no parameters: they are bound when a query runs.', { start, end });
  // Values are checked now; what a function does with its arguments is known only when it is called.
  await check({ kind: 'let', bindings, body, start, end });
  const rows = bindings.map((binding) => {
    const known = definitions.variables.has(binding.name);
    definitions.variables.set(binding.name, { ...statement, bindings: [binding] });
    return { name: binding.name, kind: kindOf(binding), change: known ? 'replaced' : 'created' };
  });
  return changed(rows);
}

function kindOf({ parameters }: Binding): string {
  return parameters ? 'function' : 'variable';
}

function hasParameter(tree: unknown): boolean {
  if (typeof tree !== 'object' || tree === null) return false;
  return ('kind' in tree && tree.kind === 'parameter') || Object.values(tree).some(hasParameter);
}

/** A run that has its rows already. */
function changed(all: readonly Row[], note?: string): QueryRun {
  const run = {
    columns: CHANGE_COLUMNS,
    count: all.length,
    faults: 0,
    notes: note === undefined ? [] : [note],
    rows: () => Promise.resolve([...all]),
    async *batches(): AsyncGenerator<Row[], void, undefined> {
      if (all.length > 0) yield Promise.resolve([...all]);
    },
    async *[Symbol.asyncIterator](): AsyncGenerator<Row, void, undefined> {
      for await (const batch of run.batches()) yield* batch;
    },
  };
  return run;
}
