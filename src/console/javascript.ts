import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { RekallSession } from '../api/session.js';
import { Table } from '../api/table.js';
import { Absent } from '../memory/absent.js';
import type { Row } from '../plugin/columns.js';
import { PluginError, UsageError } from '../plugin/error.js';
import { escapeText } from '../render/escape.js';
import { colorsOn, eachLine, paintFor } from '../render/paint.js';
import type { Printable } from '../render/print.js';
import type { Output } from '../render/sink.js';
import { wrapLines } from '../render/wrap.js';
import { Result } from '../session/result.js';
import type { SessionGroup } from '../session/group.js';
import { type Evaluator, Interrupted, STATEMENT } from './evaluator.js';
import type { Host } from './host.js';
import { present } from './present.js';
import { type ErrorStyle, errorText } from './report.js';
import { tableOf, valueLines } from './value-text.js';

/**
 * What JavaScript finds in the console: `session` and `plugins` of the current session, `query(text, parameters)`, `_`, the last
 * result, `console`, which writes where the console's rows and messages go, and each command as a function (`pslist()` is `plugins.pslist()`), which a variable of that name hides.
 */
export function javascriptScope(group: SessionGroup, host: Host): object {
  const session = (): RekallSession => RekallSession.of(group.current);
  const scope = {
    get session() {
      return session();
    },
    get plugins() {
      return session().plugins;
    },
    get _() {
      const { last } = group;
      return last?.value === undefined ? last : last.value;
    },
    console: new Console(escaping(host.output), escaping(host.error)),
    query: (...args: Parameters<RekallSession['query']>) => session().query(...args),
  };
  for (const { name } of group.current.registry.list()) {
    if (name in scope || name in globalThis) continue;
    Object.defineProperty(scope, name, {
      configurable: true,
      get: () => (session().plugins as Readonly<Record<string, unknown>>)[name],
      set(this: object, value: unknown) {
        Object.defineProperty(this, name, { value, writable: true, configurable: true });
      },
    });
  }
  return scope;
}

/** A stream in front of another that shows nothing raw but the ends of lines. */
function escaping(output: Output): Writable {
  return new Writable({
    decodeStrings: false,
    write: (text: string, _encoding, done) => {
      output.write(String(text).split('\n').map(escapeText).join('\n'));
      done();
    },
  });
}

/**
 * Runs a statement of JavaScript and shows its value: tables and rows as tables, structs by their members, everything else as node's
 * console does, with strings escaped. Throws what it throws.
 */
export async function runJavaScript(
  group: SessionGroup,
  evaluator: Evaluator,
  text: string,
  signal: AbortSignal | undefined,
  host: Host,
): Promise<void> {
  group.interrupt = signal;
  try {
    const value = await evaluator.evaluate(text, signal);
    await showValue(group, value, signal, host);
  } finally {
    group.interrupt = undefined;
  }
}

async function showValue(
  group: SessionGroup,
  value: unknown,
  signal: AbortSignal | undefined,
  host: Host,
): Promise<void> {
  const session = group.current;
  if (value === undefined) return;
  if (value instanceof Table || value instanceof Result) {
    const [name, source] =
      value instanceof Result ? [value.name, once(value.rows)] : [value.title, await started(value)];
    const notes = (): readonly string[] => (value instanceof Result ? [] : value.notes);
    // `_` shown again stays what it was.
    await present(
      session,
      { name, columns: value.columns, start: ({ keep }) => printable(source, notes, keep) },
      { signal, remember: value !== group.last },
      host,
    );
    return;
  }
  const table = tableOf(value);
  const result = table
    ? Result.of('JavaScript', table.columns, table.rows, value)
    : Result.of('JavaScript', { value: { type: 'any', doc: 'the value' } }, [{ value }], value);
  group.last = result;
  if (!table) {
    const { highlighted } = await import('../render/highlight.js');
    host.output.write(`${await highlighted(valueLines(value), 'typescript', colorsOn(session.parameters.colors, host.output))}\n`);
    return;
  }
  await present(
    session,
    { name: table.name, columns: table.columns, start: ({ keep }) => printable(once(result.rows), () => [], keep) },
    { signal },
    host,
  );
}

/** The batches of a table whose columns are known: a query's are only when it runs. */
async function started(table: Table): Promise<AsyncGenerator<Row[]>> {
  const batches = table.batches() as AsyncGenerator<Row[]>;
  if (Object.keys(table.columns).length > 0) return batches;
  const first = await batches.next();
  return (async function* () {
    if (first.done !== true) yield first.value;
    yield* batches;
  })();
}

async function* once(rows: readonly Row[]): AsyncGenerator<Row[]> {
  for (let at = 0; at < rows.length; at += 512) yield Promise.resolve(rows.slice(at, at + 512));
}

function printable(source: AsyncGenerator<Row[]>, notes: () => readonly string[], keep: (row: Row) => void): Printable {
  let count = 0;
  return {
    async *batches() {
      for await (const batch of source) {
        count += batch.length;
        for (const row of batch) keep(row);
        yield batch;
      }
    },
    get notes() {
      return notes();
    },
    get count() {
      return count;
    },
  };
}

/** What an error that JavaScript threw says: of ours what we say elsewhere, of others the message and where in the statement it happened. */
export function javascriptError(error: unknown, text: string, style: ErrorStyle = {}): string {
  const { debug = false, paint = paintFor(false) } = style;
  if (error instanceof Interrupted) return error.message;
  if (error instanceof UsageError || error instanceof PluginError || error instanceof Absent)
    return errorText(error, style);
  // Errors of the statement are of another realm: they are told by what they have.
  if (typeof error !== 'object' || error === null || !('message' in error)) return `Uncaught ${valueLines(error)}`;
  const { name = 'Error', message, stack = '' } = error as { name?: unknown; message: unknown; stack?: unknown };
  const summary = `${escapeText(String(name))}: ${String(message).split('\n').map(escapeText).join('\n')}`;
  const frames = debug ? `\n${String(stack).split('\n').map(escapeText).join('\n')}` : '';
  return `${eachLine(wrapLines(summary, style.width), paint.red)}${place(String(stack), text)}${frames}`;
}

/** The line of the statement in which it happened, underlined. */
function place(stack: string, text: string): string {
  const own = /JavaScript:(\d+)(?::(\d+))?/.exec(stack);
  const line = text.split('\n')[Number(own?.[1] ?? 0) - 1];
  if (!own || line === undefined || !stack.includes(STATEMENT)) return '';
  // A syntax error shows its place itself, in the lines behind the number.
  const marks = /^\s*(\^+)\s*$/m.exec(stack);
  const column = marks ? marks[0].replace(/^\n/, '').indexOf('^') : Number(own[2] ?? 1) - 1;
  const shown = line.replace(/\p{C}|\p{Zl}|\p{Zp}/gu, (character) => ' '.repeat(character.length));
  // Top-level await runs a rewritten text, whose columns are not these.
  if (/\bawait\b/.test(text) || column > line.length) return text.includes('\n') ? `\n  ${shown}` : '';
  return `\n  ${shown}\n  ${' '.repeat(column)}${'^'.repeat(marks?.[1]?.length ?? 1)}`;
}
