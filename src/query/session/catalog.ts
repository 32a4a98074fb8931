import { PluginError } from '../../plugin/error.js';
import type { Row } from '../../plugin/columns.js';
import { fits } from '../../plugin/registry.js';
import type { Result } from '../../session/result.js';
import type { Session } from '../../session/session.js';
import { resolverIn } from '../../session/spaces.js';
import type { Catalog, CatalogTable } from '../catalog.js';
import type { Definitions } from '../engine.js';
import { engineTables } from './engine-tables.js';
import { fileTables } from './file-tables.js';
import { memberTypes, profileTables } from './profile-tables.js';
import { pluginTable } from './plugin-tables.js';

/** Views, variables and functions that a session's queries have defined. They live as long as the session. */
export function definitionsOf(session: Session): Definitions {
  return session.memo('query definitions', (): Definitions => ({ views: new Map(), variables: new Map() }));
}

/**
 * What a session has of tables: its commands (also on the images of other sessions), the engine's own, files, and `_`, the rows of the
 * last result. A command of the name of one of the engine's tables wins.
 */
export function sessionCatalog(session: Session): Catalog {
  const definitions = definitionsOf(session);
  const own = new Map([...engineTables(session, definitions), ...profileTables(session), ...fileTables(session)].map((table) => [table.name, table]));
  return {
    definitions,
    *names() {
      const os = session.detected?.os;
      for (const entry of session.registry.list()) if (os === undefined || fits(entry, os)) yield entry.name;
      yield* own.keys();
      if (session.last) yield '_';
    },
    async table(name, asked) {
      if (name === '_') return resultTable(session.last);
      const known = own.get(name);
      return known && session.registry.named(name).length === 0 ? known : pluginTable(session, name, asked);
    },
    members: (struct) => memberTypes(session, struct),
    address: async (expression, space) => (await resolverIn(session, space)).address(expression),
  };
}

/** The same for completion, which must not wait until a kernel has been found: what is not known yet is not there. */
export function completionCatalog(session: Session): Catalog {
  const catalog = sessionCatalog(session);
  return {
    ...catalog,
    async table(name, asked) {
      const [entry] = session.detected || name === '_' ? [] : session.registry.named(name);
      if (!entry) return catalog.table(name, asked);
      return { name: entry.name, summary: entry.summary, args: entry.args, columns: entry.dynamic ? undefined : entry.columns, open: () => cannotOpen(name) };
    },
    members: (struct) => (session.detected ? memberTypes(session, struct) : Promise.resolve(undefined)),
  };
}

function cannotOpen(name: string): never {
  throw new PluginError(`${name} is only looked at, not run.`);
}

function resultTable(result: Result | undefined): CatalogTable {
  if (!result) throw new PluginError('There is no result yet: _ holds the rows of the command before.', 'pslist');
  return {
    name: '_',
    summary: `the last result: ${result.length} rows of ${result.name}`,
    args: {},
    columns: result.columns,
    open: () => ({
      columns: result.columns,
      notes: result.cut ? [`_ keeps the first ${result.length} of ${result.count} rows.`] : [],
      faults: 0,
      async *batches(): AsyncGenerator<readonly Row[], void, undefined> {
        for (let at = 0; at < result.length; at += 512) yield Promise.resolve(result.rows.slice(at, at + 512));
      },
    }),
  };
}
