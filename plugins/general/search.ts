import { arg } from '../../src/plugin/args.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { queryColumns, queryRows } from '../../src/query/session/query-plugin.js';
import { parameterNames, parametersOf } from '../../src/query/session/values.js';

export const search = definePlugin({
  name: 'search',
  needs: 'none',
  topic: 'queries',
  summary: 'runs a query; parameters in it are bound to values',
  notes:
    'The same as typing the query, but for its parameters: {name}, or {0} and ? by position. They are bound as values and never become text of the query, so what a file name or a user says can ' +
    'stand there. Words that look like numbers are numbers; what is a text all the same stands in quotes of its own. `select * from functions()` lists the functions.',
  dynamic: true,
  args: {
    query: arg.string.required('the query', { positional: true }),
    query_parameters: arg.strings('values by position, or name=value for each parameter', { positional: true }),
    silent: arg.bool('a query that cannot run gives no rows and a note, instead of an error', { default: false }),
  },
  columns: {},
  examples: [
    { line: 'search "select pid, name from pslist() where pid < {most}" query_parameters="most=4"' },
    { line: 'search "select name, pid from pslist() where name =~ {0} and pid > {1}" query_parameters=["^k", 50]' },
  ],
  async columnsFor(context, args) {
    try {
      return await queryColumns(context, args, await asked(args));
    } catch (error) {
      if (!args.silent || !isMistake(error)) throw error;
      return {};
    }
  },
  async *collect(context, args) {
    try {
      yield* queryRows(context, args, await asked(args));
    } catch (error) {
      if (!args.silent || !isMistake(error)) throw error;
      context.note(error.message);
    }
  },
});

async function asked({ query, query_parameters: words }: { readonly query: string; readonly query_parameters: readonly string[] | undefined }) {
  return { text: query, parameters: words === undefined ? [] : parametersOf(words, await parameterNames(query)) };
}

function isMistake(error: unknown): error is Error {
  return error instanceof PluginError || (error instanceof Error && /^Query(?:Syntax)?Error$/.test(error.name));
}
