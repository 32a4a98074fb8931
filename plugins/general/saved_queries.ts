import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { didYouMean } from '../../src/plugin/similar.js';
import { argumentName, bringSaved, readSaved, savedPath, writeSaved } from '../../src/query/session/saved.js';
import { parameterNames } from '../../src/query/session/values.js';

const columns = {
  name: col.string('the command'),
  parameters: col.list('its arguments: the parameters of the query'),
  description: col.string('what it answers'),
  query: col.string('the query'),
};

export const saveQuery = definePlugin({
  name: 'save_query',
  needs: 'none',
  topic: 'queries',
  summary: 'saves a query as a command, with help',
  notes:
    'The command takes the parameters of the query ({name}, {0}) as arguments. Queries are kept in ~/.rekall_queries.json for every session; one of the same name is replaced. ' +
    'A query without parameters is checked against this image before it is saved.',
  args: {
    name: arg.string.required('the new command: small letters, digits and _', { positional: true }),
    query: arg.string.required('the query', { positional: true }),
    description: arg.string('one sentence for help', { positional: true }),
  },
  columns,
  examples: [{ line: 'save_query name=early query="select pid, name from pslist() where pid < {most}" description="processes with small pids"' }],
  async *collect({ session, signal }, { name, query, description = 'a saved query' }) {
    if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new PluginError(`${name} is no name for a command: small letters, digits and _ make one.`);
    const path = savedPath(session);
    if (session.registry.named(name).some((entry) => session.registry.fileOf(entry) !== path)) throw new PluginError(`${name} is a command already.`, `${name}?`);
    const text = query.trim().replace(/;\s*$/, '');
    const parameters = await parameterNames(text);
    const arguments_ = parameters.map(argumentName);
    const twice = arguments_.find((one, index) => arguments_.indexOf(one) !== index);
    if (twice !== undefined) throw new PluginError(`Two parameters of the query would both be called ${twice}.`);
    const saved = { name, description, query: text, parameters, columns: parameters.length > 0 ? {} : await columnsOf(text) };
    writeSaved(path, [...readSaved(path).filter((other) => other.name !== name), saved]);
    bringSaved(session.registry, path);
    yield { name, parameters: arguments_, description, query: text };

    async function columnsOf(checked: string) {
      const { prepareInSession } = await import('../../src/query/session/statements.js');
      return (await prepareInSession(session, checked, { signal })).columns;
    }
  },
});

export const queries = definePlugin({
  name: 'queries',
  needs: 'none',
  topic: 'queries',
  summary: 'the saved queries',
  args: {},
  columns,
  examples: [{ line: 'queries' }],
  *collect({ session, note }) {
    const all = readSaved(savedPath(session));
    for (const { name, parameters, description, query } of all) yield { name, parameters: parameters.map(argumentName), description, query };
    if (all.length === 0) note('No query is saved: save_query NAME "select …".');
  },
});

export const dropQuery = definePlugin({
  name: 'drop_query',
  needs: 'none',
  topic: 'queries',
  summary: 'forgets a saved query',
  args: { name: arg.string.required('the saved query', { positional: true, completes: 'plugin' }) },
  columns: { name: col.string('the command that is gone') },
  examples: [{ line: 'drop_query first' }],
  *collect({ session }, { name }) {
    const path = savedPath(session);
    const all = readSaved(path);
    if (!all.some((saved) => saved.name === name)) {
      throw new PluginError(`No query ${name} is saved.${didYouMean(name, all.map((saved) => saved.name))}`, 'queries');
    }
    writeSaved(path, all.filter((saved) => saved.name !== name));
    bringSaved(session.registry, path);
    yield { name };
  },
});
