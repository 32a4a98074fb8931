import { bindArguments } from '../plugin/bind.js';
import { PluginError, UsageError } from '../plugin/error.js';
import type { Words } from '../plugin/words.js';
import { printRun, type Printed } from '../render/print.js';
import { createRenderer, type Format, type Sink } from '../render/renderer.js';
import { FileSink, StreamSink } from '../render/sink.js';
import { assign } from '../session/flags.js';
import type { ParameterName, ParameterValues } from '../session/parameters.js';
import type { Session } from '../session/session.js';
import type { Host } from './host.js';
import { PagedSink } from './paged-sink.js';
import { noCommand } from './unknown.js';

/** A command as it was asked for. */
export interface Request {
  readonly name: string;
  readonly words: Words;
  readonly signal?: AbortSignal;
  /** `> file` */
  readonly redirect?: { readonly path: string; readonly append: boolean };
  /** `| filter` */
  readonly filter?: string;
}

/** Parameters that may differ for one command; the others make the session what it is. */
export const PER_COMMAND: ReadonlySet<ParameterName> = new Set<ParameterName>([
  'format',
  'output',
  'output_style',
  'verbose',
  'quiet',
  'debug',
  'colors',
  'pager',
  'paging_limit',
  'timezone',
  'dump_dir',
]);

/** Lines of a terminal that says nothing of its height. */
const ROWS = 24;

/**
 * Runs a command and prints its rows; its notes go to standard error. Parameters given with it (`pslist format=json`) hold for it
 * alone. Throws what the command throws.
 */
export async function runCommand(session: Session, request: Request, host: Host): Promise<Printed> {
  const { name, words, signal } = request;
  if (session.registry.named(name).length === 0) throw await noCommand(session, name);
  const plugin = await session.plugin(name);
  const bound = await bindArguments(plugin, words, {
    resolve: async (expression) => (await session.resolver()).address(expression),
    path: (text) => session.path(text),
  });
  const restore = override(session, bound.parameters);
  const target = openTarget(session, request, host);
  try {
    const { parameters } = session;
    const renderer = await createRenderer(
      parameters.format as Format,
      { name: plugin.name, columns: plugin.columns, session: { filename: parameters.filename ?? null, timezone: parameters.timezone } },
      target.sink,
      {
        timezone: parameters.timezone,
        full: parameters.output_style === 'full' || Number(bound.args['verbosity'] ?? 1) > 1,
        colors: target.colors && (parameters.colors === 'yes' || (parameters.colors === 'auto' && target.sink.width !== undefined)),
      },
    );
    const run = session.run(plugin, bound.args, {
      columns: new Set(renderer.shown),
      ...(signal ? { signal } : {}),
      onProgress: (fraction, what) => host.progress?.show(fraction, what),
    });
    const clear = (): void => host.progress?.clear();
    const printed = await printRun(run, renderer, clear).finally(clear);
    await target.done();
    const notes = signal?.aborted === true ? [...printed.notes, `Stopped: ${printed.rows} rows so far.`] : printed.notes;
    if (!parameters.quiet) for (const note of notes) host.error.write(`${note}\n`);
    return { rows: printed.rows, notes };
  } catch (error) {
    await target.failed();
    throw error;
  } finally {
    restore();
  }
}

/** Sets parameters for one command; returns the function that sets them back. */
function override(session: Session, given: Partial<ParameterValues>): () => void {
  const before: Partial<ParameterValues> = {};
  for (const [key, value] of Object.entries(given) as [ParameterName, ParameterValues[ParameterName]][]) {
    const current = session.parameters[key];
    if (JSON.stringify(current) === JSON.stringify(value)) continue;
    if (!PER_COMMAND.has(key)) throw new UsageError(`${key} belongs to the session, not to one command: start rekall with --${key}.`);
    assign(before, key, current);
    assign(session.parameters, key, value);
  }
  return () => Object.assign(session.parameters, before);
}

interface Target {
  readonly sink: Sink;
  /** whether escape sequences may go there at all */
  readonly colors: boolean;
  /** all rows are written */
  done(): Promise<void>;
  failed(): Promise<void>;
}

/** Files that --output named and that a command of this session has written: the next one adds to them. */
const written = new WeakMap<Session, Set<string>>();

/** Where the rows go: a file, a filter, the pager, or the output as it is. */
function openTarget(session: Session, request: Request, host: Host): Target {
  const { output } = session.parameters;
  if (request.redirect) return fileTarget(session.path(request.redirect.path), request.redirect.append);
  if (output !== undefined) {
    const path = session.path(output);
    const known = written.get(session) ?? new Set();
    written.set(session, known);
    return fileTarget(path, known.has(path), () => known.add(path));
  }
  if (request.filter !== undefined) {
    if (!host.filter) throw new UsageError('Filters (| program) cannot be used here.');
    const filter = host.filter(request.filter);
    const done = async (): Promise<void> => void (await filter.end());
    return { sink: filter, colors: true, done, failed: done };
  }
  return screen(session, host);
}

/** The output as it is, through the pager where it is a terminal and the text is long. */
function screen(session: Session, host: Host): Target {
  const { rows = 0 } = host.output as { rows?: number };
  const limit = session.parameters.paging_limit ?? (rows > 0 ? rows : ROWS);
  const { pager } = host;
  if (pager !== undefined && host.filter && host.output.isTTY === true && limit > 0) {
    const start = host.filter.bind(host);
    const sink = new PagedSink(host.output, limit, () => start(pager));
    const done = (): Promise<void> => sink.end();
    return { sink, colors: true, done, failed: done };
  }
  const nothing = (): Promise<void> => Promise.resolve();
  return { sink: new StreamSink(host.output), colors: true, done: nothing, failed: nothing };
}

/** Shows a text that is no table (help), paged where it is long. */
export async function showText(session: Session, host: Host, text: string): Promise<void> {
  const { sink, done } = screen(session, host);
  await sink.write(text);
  await done();
}

function fileTarget(path: string, append: boolean, onWritten?: () => void): Target {
  const sink = openFile(path, append);
  return {
    sink,
    colors: false,
    done: async () => {
      sink.commit();
      onWritten?.();
      return Promise.resolve();
    },
    failed: async () => Promise.resolve(sink.discard()),
  };
}

function openFile(path: string, append: boolean): FileSink {
  try {
    return new FileSink(path, append);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new PluginError(`${path} cannot be written: ${error.message.replace(/^[A-Z]+: /, '').replace(/,.*/, '')}.`);
  }
}
