import { PluginError } from '../../plugin/error.js';
import type { Row } from '../../plugin/columns.js';
import { fits } from '../../plugin/registry.js';
import type { Result } from '../../session/result.js';
import type { Session } from '../../session/session.js';
import type { Catalog, CatalogTable } from '../catalog.js';

/** What a session has of tables: its commands, and `_`, the rows of the last result. */
export function sessionCatalog(session: Session): Catalog {
  return {
    names: () => session.registry.list().filter((entry) => fits(entry, session.detected?.os) || session.detected === undefined).map((entry) => entry.name),
    table: async (name) => {
      if (name === '_') return resultTable(session.last);
      if (session.registry.named(name).length === 0) return undefined;
      const plugin = await session.plugin(name);
      return {
        name: plugin.name,
        summary: plugin.summary,
        args: plugin.args,
        columns: plugin.columns,
        open: (args, options) => session.run(plugin, args, options),
      };
    },
  };
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
