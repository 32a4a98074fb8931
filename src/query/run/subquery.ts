import { QueryError } from '../error.js';
import type { SubqueryTerm } from '../plan/logical.js';
import type { Cell, Evaluate } from './compile.js';
import type { RunContext } from './context.js';
import type { Step } from './step.js';
import { sizeOfTuple } from './memory/size.js';
import { Suspend } from './suspend.js';
import type { Slot, Tuple } from './tuple.js';

/** Results that are kept of one sub-query, for different values of what it reads from around it. */
const KEPT = 65_536;

/** So many rows of a sub-query are kept whatever else takes memory. */
const FEW = 10_000;

/** The run that a plan is in: expressions are compiled before there is one. */
export interface RunHolder {
  context: RunContext | undefined;
}

/** A sub-query in the place of a value: run when a value is first asked for, and once for the same values from around it. */
export class SubqueryRunner {
  private readonly results = new Map<unknown, unknown>();
  private readonly identities = new WeakMap<object, number>();
  private next = 0;
  private readonly slots: readonly Slot[];

  constructor(
    private readonly term: SubqueryTerm,
    private readonly step: Step,
    private readonly cells: readonly Cell[],
    private readonly holder: RunHolder,
  ) {
    this.slots = term.relation.fields.map((field) => step.slot(field));
  }

  /** @param captures give the values of what it reads from around it */
  evaluate(captures: readonly Evaluate[]): Evaluate {
    return (tuple) => {
      const values = captures.map((capture) => capture(tuple));
      const key = this.key(values);
      const known = this.results.get(key);
      if (known !== undefined || this.results.has(key)) return known;
      throw new Suspend(async () => {
        const result = await this.run(values);
        if (this.results.size >= KEPT) this.results.clear();
        this.results.set(key, result);
      });
    };
  }

  private async run(values: readonly unknown[]): Promise<unknown> {
    const { context } = this.holder;
    if (!context) throw new Error('a sub-query is run outside of a run');
    for (const [index, cell] of this.cells.entries()) cell.value = values[index];
    const { as } = this.term;
    const result: unknown[] = [];
    const held = context.memory.open();
    for await (const batch of this.step.open(context)) {
      if (as === 'exists') return true;
      for (const tuple of batch) {
        if (as === 'scalar') return tuple[this.slots[0] as Slot] ?? null;
        result.push(as === 'list' ? (tuple[this.slots[0] as Slot] ?? null) : this.row(tuple));
        // As a value it has to be in memory whole; it stays there until the query ends.
        if (held.add(sizeOfTuple(tuple, this.slots)) && result.length > FEW) throw this.tooLarge(result.length);
      }
      if (context.due) await context.breathe();
    }
    return as === 'exists' ? false : as === 'scalar' ? null : result;
  }

  private tooLarge(rows: number): QueryError {
    return new QueryError(
      `This sub-query has so many rows (more than ${rows}) that they do not fit into memory as a value. A join with it does the same and needs no more memory than it is given.`,
      { start: this.term.start, end: this.term.end },
    );
  }

  private row(tuple: Tuple): Record<string, unknown> {
    const row: Record<string, unknown> = {};
    for (const [index, field] of this.term.relation.fields.entries()) row[field.name] = tuple[this.slots[index] as Slot] ?? null;
    return row;
  }

  /** Values that are the same have one key; objects are told apart by identity. */
  private key(values: readonly unknown[]): unknown {
    if (values.length === 0) return '';
    return values
      .map((value) => {
        if (typeof value === 'object' && value !== null) {
          let id = this.identities.get(value);
          if (id === undefined) this.identities.set(value, (id = this.next++));
          return `o${id}`;
        }
        return `${typeof value}${typeof value === 'string' ? value.length : ''}:${String(value)}`;
      })
      .join('|');
  }
}
