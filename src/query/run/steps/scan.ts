import { type Arg, spaceGiven } from '../../../plugin/args.js';
import { textsOf } from '../../../plugin/values.js';
import type { CatalogTable } from '../../catalog.js';
import { atPlace } from '../../analyse/facts.js';
import type { Field, TableScan } from '../../plan/logical.js';
import { isMissing } from '../../values/equality.js';
import { ValueError } from '../../values/error.js';
import { isList } from '../../values/list.js';
import { argumentValue, isListArgument } from '../arguments.js';
import type { Evaluate } from '../compile.js';
import type { RunContext } from '../context.js';
import { BATCH, Step } from '../step.js';
import { resuming } from '../suspend.js';
import type { Layout, Tuple } from '../tuple.js';

/** An argument of a scan, compiled. */
export interface ScanArgument {
  readonly name: string;
  readonly arg: Arg;
  readonly value: Evaluate;
  /** put there by the engine, so that the table gives fewer rows that would be dropped anyway */
  readonly pushed?: string;
}

/** Rows of a table, as it gives them. */
export class ScanStep extends Step {
  /** values of an argument that a join knows when it starts this scan */
  narrowed: { readonly name: string; readonly value: unknown } | undefined;
  /** its rows are those of the whole query */
  isWhole = false;
  private expected = '';
  private readonly table: CatalogTable;

  constructor(
    private readonly scan: TableScan,
    private readonly args: readonly ScanArgument[],
    layout: Layout,
    private readonly wanted: ReadonlySet<string>,
    detail: string,
  ) {
    super(scan.alias === scan.table.name ? `scan ${scan.table.name}` : `scan ${scan.table.name} ${scan.alias}`, detail, [], layout);
    this.table = scan.table;
  }

  override get pushed(): string {
    const pushed = this.args.flatMap((arg) => (arg.pushed === undefined ? [] : [arg.pushed]));
    return [...pushed, ...(this.expected === '' ? [] : [this.expected])].join(', ');
  }

  hasArgument(name: string): boolean {
    return this.args.some((arg) => arg.name === name);
  }

  /** A join will say which values it looks for: `keys` says where they come from. */
  expectNarrowing(name: string, keys: string): void {
    this.expected = `${name}: those of ${keys} in the join`;
  }

  override get columns(): string {
    return [...this.wanted].join(', ');
  }

  protected async *run(context: RunContext): AsyncGenerator<readonly Tuple[], void, undefined> {
    for (const values of await this.calls(context)) yield* this.rows(values, context);
  }

  private async *rows(values: Readonly<Record<string, unknown>>, context: RunContext): AsyncGenerator<readonly Tuple[], void, undefined> {
    const run = this.table.open(values, {
      columns: this.wanted,
      ...(context.signal ? { signal: context.signal } : {}),
      ...(context.onProgress ? { onProgress: context.onProgress } : {}),
    });
    const batches = run.batches();
    try {
      for (;;) {
        const next = await batches.next();
        if (next.done === true) break;
        const rows: readonly Tuple[] = next.value;
        context.read += rows.length;
        // A table in memory may give all its rows at once: they are handed on in pieces, so that everything between stays small.
        if (rows.length <= 4 * BATCH) yield rows;
        else {
          for (let from = 0; from < rows.length; from += BATCH) {
            yield rows.slice(from, from + BATCH);
            if (context.due) await context.breathe();
          }
        }
        if (context.due) await context.breathe();
      }
      context.check();
    } finally {
      await batches.return(undefined);
      for (const note of run.notes) context.note(note);
      if (this.isWhole) context.faults += run.faults;
    }
  }

  /** Arguments of each time that the table is run: once for each value where a single one is wanted and there are several. */
  private async calls(context: RunContext): Promise<Record<string, unknown>[]> {
    let calls: Record<string, unknown>[] = [{}];
    for (const [name, arg] of Object.entries(this.table.args)) if (arg.default !== undefined) calls = calls.map((call) => ({ ...call, [name]: arg.default }));
    // Addresses come last: their names are meant in the space that other arguments name.
    for (const { name, arg, value, pushed } of [...this.args].sort((one, other) => Number(isAddress(one.arg)) - Number(isAddress(other.arg)))) {
      const given = await resuming(() => value({}));
      if (pushed !== undefined) {
        const narrowed = await narrowedBy(name, arg, given);
        if (narrowed === 'nothing') return [];
        if (narrowed) calls = calls.map((call) => ({ ...call, [name]: narrowed.value }));
        continue;
      }
      if (given === null || given === undefined) continue;
      const single = !isListArgument(arg.type);
      const values = single && isList(given) ? [...given] : [given];
      const next: Record<string, unknown>[] = [];
      for (const one of values) {
        if (single && (one === null || one === undefined)) continue;
        const place = this.scan.args.get(name) ?? this.scan.place;
        for (const call of calls) {
          const space = isAddress(arg) ? spaceGiven(this.table.args, (other) => textsOf(call[other])) : undefined;
          const argument: unknown = await atPlace(place, () => argumentValue(name, arg, one, context.catalog, space));
          // No value at all: no rows. (For a table an empty list may mean no restriction.)
          if (Array.isArray(argument) && argument.length === 0) break;
          next.push({ ...call, [name]: argument });
        }
      }
      calls = next;
    }
    const { narrowed } = this;
    return narrowed ? calls.map((call) => ({ ...call, [narrowed.name]: narrowed.value })) : calls;
  }
}

function isAddress({ type }: Arg): boolean {
  return type === 'address' || type === 'addresses';
}

/**
 * The argument that stands for a condition; `nothing` where the condition is true of no row (`pid == null`, `pid in ()`); undefined where
 * no argument says the same, and the condition alone decides.
 */
export async function narrowedBy(name: string, arg: Arg, value: unknown): Promise<{ readonly value: unknown } | 'nothing' | undefined> {
  if (isMissing(value)) return 'nothing';
  try {
    const argument: unknown = await argumentValue(name, arg, value);
    return Array.isArray(argument) && argument.length === 0 ? 'nothing' : { value: argument };
  } catch (error) {
    if (error instanceof ValueError) return undefined;
    throw error;
  }
}

/** Names of the columns that fields of a scan stand for. */
export function columnNames(fields: Iterable<Field>): Set<string> {
  return new Set([...fields].map((field) => field.name));
}
