import type { Expression, Select } from '../../grammar/efilter-tree.js';
import type { Query } from '../../grammar/command-tree.js';
import type { OnProgress } from '../plugin/context.js';
import { PluginError, UsageError } from '../plugin/error.js';
import type { Session } from '../session/session.js';
import type { Host } from './host.js';
import { present } from './present.js';

/**
 * Runs a query and shows its rows as a command's: format, file, filter, pager, notes, Ctrl-C; they are kept as `_`.
 * Throws UsageError with the place of a mistake in the text that was typed, and what the query's tables throw.
 * @param line the text that the query stands in
 */
export async function runQuery(
  session: Session,
  query: Query,
  line: string,
  signal: AbortSignal | undefined,
  host: Host,
): Promise<void> {
  const { prepareInSession } = await import('../query/session/statements.js');
  let progress: OnProgress | undefined;
  try {
    const text = ofResult(session, query.text);
    const run = await prepareInSession(session, text, {
      onProgress: (fraction, what) => progress?.(fraction, what),
      ...(signal ? { signal } : {}),
    });
    await present(
      session,
      {
        name: 'query',
        columns: run.columns,
        start: ({ onProgress, keep }) => {
          progress = onProgress;
          return {
            async *batches() {
              for await (const batch of run.batches()) {
                for (const row of batch) keep(row);
                yield batch;
              }
            },
            get notes() {
              return run.notes;
            },
            get count() {
              return run.count;
            },
          };
        },
      },
      {
        destination: {
          ...(query.redirect ? { redirect: { path: query.redirect.path.text, append: query.redirect.append } } : {}),
          ...(query.filter === undefined ? {} : { filter: query.filter }),
        },
        signal,
        remember: session.group !== undefined,
      },
      host,
    );
    if (session.last?.name === 'query') session.last.query = text.replace(EXPLAIN, '');
  } catch (error) {
    throw placed(error, query, line);
  }
}

const EXPLAIN = /^\s*explain\s+(?:analyze\s+)?/i;

/** The text of a query; of `explain _` that of the query whose result `_` is. */
function ofResult(session: Session, text: string): string {
  const [, head] = /^(\s*explain\s+(?:analyze\s+)?)_\s*;?\s*$/i.exec(text) ?? [];
  if (head === undefined || !session.last) return text;
  const { name, query } = session.last;
  if (query === undefined) throw new PluginError(`_ is the result of ${name}, and explain tells how a query runs; --as-query prints the one that a command stands for.`, `${name} --as-query`);
  return `${head}${query}`;
}

/** The error with its place in the whole text. */
function placed(error: unknown, query: Query, line: string): unknown {
  if (!(error instanceof Error) || !/^Query(?:Syntax)?Error$/.test(error.name)) return error;
  const { place, next } = error as { place?: { start: number; end: number }; next?: string };
  const at = place ? { line, start: query.start + place.start, end: query.start + place.end } : undefined;
  return new UsageError(error.message, at, next);
}

/** True where a query's text needs more: something has to follow, or it selects columns of no table yet. */
export async function queryIncomplete(text: string): Promise<boolean> {
  const { isIncomplete, parseQuery } = await import('../../grammar/efilter.js');
  if (isIncomplete(text)) return true;
  if (/;\s*$/.test(text)) return false;
  try {
    const statement = parseQuery(text);
    return statement.kind === 'evaluate' && lacksTable(statement.value);
  } catch (error) {
    // A mistake is told when the text is run.
    if (error instanceof Error && error.name === 'QuerySyntaxError') return false;
    throw error;
  }
}

/** `select a, b`, of no table. */
function lacksTable(value: Expression): boolean {
  if (value.kind === 'let') return lacksTable(value.body);
  if (value.kind !== 'subquery' || value.query.kind !== 'select') return false;
  const select: Select = value.query;
  return select.from.length === 0 && select.items.some((item) => item.kind === 'star' || namesColumn(item.value));
}

function namesColumn(value: Expression): boolean {
  switch (value.kind) {
    case 'name':
      return true;
    case 'member':
      return namesColumn(value.object);
    case 'binary':
      return namesColumn(value.left) || namesColumn(value.right);
    default:
      return false;
  }
}
