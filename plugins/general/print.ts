import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import type { PluginContext } from '../../src/plugin/context.js';
import { UsageError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { prepareInSession } from '../../src/query/session/statements.js';

const target = { target: arg.string.required('in quotes where it has spaces: an expression of the query language (hex(4096)), or an address (linux!init_task+8)', { positional: true, completes: 'symbol' }) } as const;
const notes =
  'It is read as an expression of the query language; where it is an address (linux!init_task+8), as that. JavaScript needs no command: its value is shown as it is typed.';

export const p = definePlugin({
  name: 'p',
  needs: 'none',
  topic: 'session',
  summary: 'the value of an expression',
  notes,
  args: target,
  columns: { value: col.any('the value') },
  examples: [{ line: 'p "hex(4096 * 3)"' }, { line: 'p linux!init_task+8' }],
  async *collect(context, args) {
    for await (const value of values(context, args.target)) yield { value };
  },
});

export const l = definePlugin({
  name: 'l',
  needs: 'none',
  topic: 'session',
  summary: 'the elements of a list, or the rows of a table, one below the other',
  notes,
  args: target,
  columns: { index: col.int('number of the element, from 0'), value: col.any('the element') },
  examples: [{ line: 'l "(1, 2, 3)"' }, { line: 'l "select name from pslist() limit 3"' }],
  async *collect(context, args) {
    let index = 0;
    for await (const value of values(context, args.target)) {
      const elements = Array.isArray(value) ? (value as unknown[]) : [value];
      for (const element of elements) yield { index: index++, value: element };
    }
  },
});

/** What an expression gives: the address that it is, or one value for each row (a row of one column is its value). */
async function* values(context: PluginContext, text: string): AsyncGenerator<unknown> {
  const { session, signal } = context;
  if (/^\s*[*&]?[\w.]+![\w.$*-]+/.test(text) && session.parameters.filename !== undefined) {
    const address = await (await session.resolver()).address(text);
    yield `0x${address.toString(16)}`;
    return;
  }
  let run: Awaited<ReturnType<typeof prepareInSession>>;
  try {
    run = await prepareInSession(session, text, { signal });
  } catch (error) {
    if (!(error instanceof Error) || !/^Query(?:Syntax)?Error$/.test(error.name)) throw error;
    const { place } = error as { place?: { start: number; end: number } };
    throw new UsageError(error.message, place ? { line: text, start: place.start, end: place.end } : undefined);
  }
  for await (const row of run) {
    const cells = Object.values(row);
    yield cells.length === 1 ? cells[0] : row;
  }
}
