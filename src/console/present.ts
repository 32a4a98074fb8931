import type { OnProgress } from '../plugin/context.js';
import type { Columns, Row } from '../plugin/columns.js';
import { printRun, type Printable, type Printed } from '../render/print.js';
import { createRenderer, type Format, type Renderer } from '../render/renderer.js';
import { Result } from '../session/result.js';
import type { Session } from '../session/session.js';
import type { Host } from './host.js';
import { type Destination, openTarget } from './output.js';
import { noteText } from './report.js';

/** How a table is started: only `columns` will be shown. */
export interface Start {
  readonly columns: ReadonlySet<string>;
  readonly onProgress: OnProgress;
  /** told of each row, with a function that gives it with all columns */
  readonly keep: (row: Row, complete?: () => Row) => void;
}

/** A table to be shown: a command's, a query's, rows that JavaScript gave. */
export interface Shown {
  /** the command's name, or what it is */
  readonly name: string;
  readonly columns: Columns;
  /** a command, which takes `format=` with it */
  readonly command?: boolean;
  /** its rows are not shown */
  readonly silent?: boolean;
  start(options: Start): Printable;
}

/** The innermost of the tables under way: a script shows others. */
let innermost: object | undefined;

/** Shows long work at least so often. */
const TICK_MS = 100;

/**
 * Shows a table as the session's parameters say: format, colours, file, filter or pager. Notes go to standard error. Throws what the
 * table throws; what came before is shown.
 * @param remember keep the rows as the session's last result (`_`)
 */
export async function present(
  session: Session,
  shown: Shown,
  {
    destination = {},
    signal,
    remember = false,
  }: { readonly destination?: Destination; readonly signal?: AbortSignal | undefined; readonly remember?: boolean },
  host: Host,
): Promise<Printed> {
  const { name, columns } = shown;
  const outer = innermost;
  innermost = shown;
  const { parameters } = session;
  const target = openTarget(session, destination, host);
  const result = new Result(name, columns);
  const clear = (): void => host.progress?.clear();
  let ticker: NodeJS.Timeout | undefined;
  let ended = false;
  try {
    const renderer =
      shown.silent === true
        ? new NoRenderer(columns)
        : await createRenderer(
            parameters.format as Format,
            {
              name,
              columns,
              session: { filename: parameters.filename ?? null, timezone: parameters.timezone },
              wide: shown.command === true ? 'format=wide' : 'smod format=wide',
            },
            target.sink,
            {
              timezone: parameters.timezone,
              full: parameters.output_style === 'full' || parameters.verbosity > 1,
              colors:
                target.colors &&
                (parameters.colors === 'yes' || (parameters.colors === 'auto' && target.sink.width !== undefined)),
            },
          );
    const run = shown.start({
      columns: new Set(renderer.shown),
      onProgress: (fraction, what, measure) => host.progress?.show(fraction, what, measure),
      keep: (row, complete) => {
        if (remember) result.add(row, complete);
        else result.count++;
      },
    });
    // Rows that go elsewhere are counted on the screen; work that says nothing at least moves.
    ticker = setInterval(() => {
      if (innermost !== shown) return;
      if (!target.direct && result.count > 0)
        host.progress?.show(undefined, name, { done: result.count, unit: 'rows' });
      else host.progress?.tick(name);
    }, TICK_MS);
    const printed = await printRun(run, renderer, target.direct ? clear : undefined);
    ended = true;
    await target.done();
    const notes = [...printed.notes];
    if (signal?.aborted === true) notes.push(`Stopped: ${count(printed.rows)} so far${remember ? ', kept in _' : ''}.`);
    if (remember && result.cut)
      notes.push(`_ keeps the first ${result.length.toLocaleString('en')} of these ${count(result.count)}.`);
    host.progress?.finish();
    // Notes name processes and files as the image has them.
    if (!parameters.quiet) for (const note of notes) host.error.write(await noteText(note, host.error));
    return { rows: printed.rows, notes };
  } catch (error) {
    await target.failed();
    throw error;
  } finally {
    clearInterval(ticker);
    innermost = outer;
    host.progress?.finish();
    // What failed before its first row leaves the result before it.
    if (remember && (ended || result.count > 0)) session.last = result;
  }
}

function count(rows: number): string {
  return `${rows.toLocaleString('en')} ${rows === 1 ? 'row' : 'rows'}`;
}

/** Shows nothing. */
class NoRenderer implements Renderer {
  readonly shown: readonly string[];

  constructor(columns: Columns) {
    this.shown = Object.keys(columns);
  }

  begin(): Promise<void> {
    return Promise.resolve();
  }

  rows(): Promise<void> {
    return Promise.resolve();
  }

  end(): Promise<void> {
    return Promise.resolve();
  }
}
