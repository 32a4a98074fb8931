import { fileProblem } from '../memory/folders.js';
import type { Session } from '../session/session.js';
import { PluginError, UsageError } from '../plugin/error.js';
import type { Sink } from '../render/renderer.js';
import { FileSink, StreamSink } from '../render/sink.js';
import type { Host } from './host.js';
import { PagedSink } from './paged-sink.js';

/** Lines of a terminal that says nothing of its height. */
const ROWS = 24;

/** Where rows are asked to go; without either to the screen. */
export interface Destination {
  /** `> file` */
  readonly redirect?: { readonly path: string; readonly append: boolean };
  /** `| filter` */
  readonly filter?: string;
}

/** Where rows go. */
export interface Target {
  readonly sink: Sink;
  /** whether escape sequences may go there at all */
  readonly colors: boolean;
  /** true for the screen itself, on which nothing else may be drawn while rows come */
  readonly direct: boolean;
  /** all rows are written */
  done(): Promise<void>;
  failed(): Promise<void>;
}

/** Files that --output named and that a command of this session has written: the next one adds to them. */
const written = new WeakMap<Session, Set<string>>();

/** Where the rows go: a file, a filter, the pager, or the output as it is. */
export function openTarget(session: Session, request: Destination, host: Host): Target {
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
    return { sink: filter, colors: true, direct: false, done, failed: done };
  }
  return screen(session, host);
}

/** The output as it is, through the pager where it is a terminal and the text is long. */
export function screen(session: Session, host: Host): Target {
  const { rows = 0 } = host.output as { rows?: number };
  const limit = session.parameters.paging_limit ?? (rows > 0 ? rows : ROWS);
  const { pager } = host;
  if (pager !== undefined && host.filter && host.output.isTTY === true && limit > 0) {
    const start = host.filter.bind(host);
    const sink = new PagedSink(host.output, limit, () => start(pager));
    const done = (): Promise<void> => sink.end();
    return { sink, colors: true, direct: true, done, failed: done };
  }
  const nothing = (): Promise<void> => Promise.resolve();
  return { sink: new StreamSink(host.output), colors: true, direct: true, done: nothing, failed: nothing };
}

function fileTarget(path: string, append: boolean, onWritten?: () => void): Target {
  const sink = openFile(path, append);
  return {
    sink,
    colors: false,
    direct: false,
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
    throw new PluginError(`${path} cannot be written: ${fileProblem(error)}.`);
  }
}
