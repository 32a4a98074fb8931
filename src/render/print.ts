import { Absent, type AbsenceKind } from '../memory/absent.js';
import type { Row } from '../plugin/columns.js';
import type { Renderer } from './renderer.js';

const KINDS: readonly [AbsenceKind, string][] = [
  ['unreadable', 'unreadable'],
  ['no-member', 'no such member in this kernel'],
  ['corrupt', 'corrupt'],
];

/** A table's columns are sized from so many rows, or from those that come within so many milliseconds of the first. */
const FIRST_ROWS = 64;
const FIRST_MS = 150;

/** What can be printed: a command or a query under way. */
export interface Printable {
  batches(): AsyncGenerator<Row[]>;
  /** sentences beside the rows, complete when they have ended */
  readonly notes: readonly string[];
  /** rows delivered so far */
  readonly count: number;
}

/** What a command that was printed came to. */
export interface Printed {
  readonly rows: number;
  /** sentences for standard error: the command's notes, then the count of cells that could not be read */
  readonly notes: readonly string[];
}

/**
 * Prints the rows of a command as they come. Nothing is printed before the first row, so that a command that fails at once
 * leaves no empty table; one that fails later leaves its rows in a complete form (a JSON array is closed), and the error flies.
 * @param before called before something is written: what stands on the terminal for the moment makes way
 */
export async function printRun(run: Printable, renderer: Renderer, before: () => void = () => undefined): Promise<Printed> {
  const shown = new Set(renderer.shown);
  const faults = new Faults();
  let begun = false;
  const begin = async (): Promise<void> => {
    if (!begun) await renderer.begin();
    begun = true;
  };
  try {
    for await (const batch of gathered(run.batches())) {
      before();
      await begin();
      for (const row of batch) for (const name of shown) faults.count(row[name]);
      await renderer.rows(batch);
    }
    before();
    await begin();
  } finally {
    if (begun) {
      before();
      await renderer.end(run.notes);
    }
  }
  return { rows: run.count, notes: [...run.notes, ...faults.sentence()] };
}

/**
 * The first rows together, so that a table's columns are sized from more than the one row that the first slice may have found; the
 * rest as it comes. Rows that are slow to come are not held back for longer than a moment.
 */
async function* gathered(batches: AsyncGenerator<Row[]>): AsyncGenerator<Row[]> {
  const held: Row[] = [];
  let pending: Promise<IteratorResult<Row[], unknown>> | undefined;
  let deadline: Promise<undefined> | undefined;
  try {
    while (held.length < FIRST_ROWS) {
      pending ??= batches.next();
      const arrived = deadline ? await Promise.race([pending, deadline]) : await pending;
      if (arrived === undefined) break;
      pending = undefined;
      if (arrived.done === true) {
        if (held.length > 0) yield held;
        return;
      }
      held.push(...arrived.value);
      deadline ??= new Promise((resolve) => setTimeout(resolve, FIRST_MS, undefined).unref());
    }
  } catch (error) {
    // What came before a failure is still worth seeing.
    if (held.length > 0) yield held;
    throw error;
  }
  // It may fail while the first rows are being printed; it is awaited, and its error thrown, below.
  pending?.catch(() => undefined);
  yield held;
  const late = await pending;
  if (late?.done === true) return;
  if (late) yield late.value;
  yield* batches;
}

/** Cells that could not be read, by reason, with the first one as an example. */
class Faults {
  private readonly kinds = new Map<AbsenceKind, number>();
  private first: Absent | undefined;

  count(value: unknown): void {
    if (!(value instanceof Absent) || value.kind === 'not-applicable') return;
    this.kinds.set(value.kind, (this.kinds.get(value.kind) ?? 0) + 1);
    this.first ??= value;
  }

  sentence(): string[] {
    if (!this.first) return [];
    const total = [...this.kinds.values()].reduce((sum, count) => sum + count, 0);
    const parts = KINDS.filter(([kind]) => this.kinds.has(kind)).map(([kind, words]) => `${this.kinds.get(kind) ?? 0} ${words}`);
    const reasons = parts.length === 1 ? (parts[0] ?? '').replace(/^\d+ /, '') : parts.join(', ');
    return [`${total} ${total === 1 ? 'cell' : 'cells'} could not be read (${reasons}); the first: ${this.first.toString()}.`];
  }
}
