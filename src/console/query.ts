import type { Expression, QueryStatement, Select } from '../../grammar/efilter-tree.js';
import type { Query } from '../../grammar/command-tree.js';
import type { OnProgress } from '../plugin/context.js';
import { UsageError } from '../plugin/error.js';
import type { Definitions } from '../query/engine.js';
import type { Session } from '../session/session.js';
import type { Host } from './host.js';
import { present } from './present.js';

/** Views, variables and functions that a session's queries have defined. */
export function definitionsOf(session: Session): Definitions {
  return session.memo('query definitions', (): Definitions => ({ views: new Map(), variables: new Map() }));
}

/**
 * Runs a query and shows its rows as a command's: format, file, filter, pager, notes, Ctrl-C; they are kept as `_`.
 * Throws UsageError with the place of a mistake in the text that was typed, and what the query's tables throw.
 * @param line the text that the query stands in
 */
export async function runQuery(session: Session, query: Query, line: string, signal: AbortSignal | undefined, host: Host): Promise<void> {
  const [{ prepareQuery }, { sessionCatalog }] = await Promise.all([import('../query/prepare.js'), import('../query/session-catalog.js')]);
  let progress: OnProgress | undefined;
  try {
    const run = await prepareQuery(query.text, sessionCatalog(session), {
      definitions: definitionsOf(session),
      timezone: session.parameters.timezone,
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
        remember: true,
      },
      host,
    );
  } catch (error) {
    throw placed(error, query, line);
  }
}

/** The error with its place in the whole text. */
function placed(error: unknown, query: Query, line: string): unknown {
  if (!(error instanceof Error) || !/^Query(?:Syntax)?Error$/.test(error.name)) return error;
  const { place, next } = error as { place?: { start: number; end: number }; next?: string };
  const at = place ? { line, start: query.start + place.start, end: query.start + place.end } : undefined;
  return new UsageError(error.message, at, next);
}

/**
 * True where a query's text needs more: it ends where something must follow, in an open text or comment, or it selects columns of no
 * table yet.
 */
export async function queryIncomplete(text: string): Promise<boolean> {
  const { parseQuery } = await import('../../grammar/efilter.js');
  let statement: QueryStatement;
  try {
    statement = parseQuery(text);
  } catch (error) {
    if (!(error instanceof Error) || !('place' in error)) throw error;
    const { start } = error.place as { start: number };
    return start >= text.trimEnd().length || /has no closing/.test(error.message);
  }
  return !/;\s*$/.test(text) && statement.kind !== 'define' && 'value' in statement && lacksTable(statement.value);
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
