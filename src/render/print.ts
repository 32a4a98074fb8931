import { Absent, type AbsenceKind } from '../memory/absent.js';
import type { Row } from '../plugin/columns.js';
import type { Run } from '../plugin/run.js';
import type { Renderer } from './renderer.js';

const KINDS: readonly [AbsenceKind, string][] = [
  ['unreadable', 'unreadable'],
  ['no-member', 'no such member in this kernel'],
  ['corrupt', 'corrupt'],
];

/** What a command that was printed came to. */
export interface Printed {
  readonly rows: number;
  /** sentences for standard error: the command's notes, then the count of cells that could not be read */
  readonly notes: readonly string[];
}

/**
 * Prints the rows of a command as they come. Nothing is printed before the first row, so that a command that fails at once
 * leaves no empty table; one that fails later leaves its rows in a complete form (a JSON array is closed), and the error flies.
 * @param onRow is shown each row; the console keeps the last result
 */
export async function printRun(run: Run, renderer: Renderer, onRow?: (row: Row) => void): Promise<Printed> {
  const shown = new Set(renderer.shown);
  const faults = new Faults();
  let begun = false;
  const begin = async (): Promise<void> => {
    if (!begun) await renderer.begin();
    begun = true;
  };
  try {
    for await (const batch of run.batches()) {
      await begin();
      for (const row of batch) {
        for (const name of shown) faults.count(row[name]);
        onRow?.(row);
      }
      await renderer.rows(batch);
    }
    await begin();
  } finally {
    if (begun) await renderer.end(run.notes);
  }
  return { rows: run.count, notes: [...run.notes, ...faults.sentence()] };
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
