import type { Field } from '../../plan/logical.js';
import { asList } from '../../values/list.js';
import { member } from '../../values/member.js';
import type { ValueContext } from '../../values/context.js';
import type { Evaluate } from '../compile.js';
import type { RunContext } from '../context.js';
import { BATCH, Step } from '../step.js';
import { resuming } from '../suspend.js';
import { arrayLayout, type Layout, type Tuple, tupleOf } from '../tuple.js';

/** One row without columns. */
export class OneRowStep extends Step {
  constructor() {
    super('one row', '', [], new Map());
  }

  protected async *run(): AsyncGenerator<readonly Tuple[], void, undefined> {
    yield [tupleOf([])];
  }
}

/** Elements of a list, each a row. */
export class ListStep extends Step {
  constructor(
    private readonly value: Evaluate,
    private readonly fields: readonly Field[],
    private readonly whole: boolean,
    private readonly values: ValueContext,
    detail: string,
  ) {
    super('list', detail, [], arrayLayout(fields));
  }

  protected async *run(context: RunContext): AsyncGenerator<readonly Tuple[], void, undefined> {
    const elements = asList(await resuming(() => this.value({})));
    const names = this.fields.map(({ name }) => name);
    for (let from = 0; from < elements.length; from += BATCH) {
      const part = elements.slice(from, from + BATCH);
      yield this.whole ? part.map((element) => tupleOf([element])) : part.map((element) => tupleOf(names.map((name) => member(element, name, this.values))));
      if (context.due) await context.breathe();
    }
  }
}

/** Rows for which a condition is true. */
export class FilterStep extends Step {
  constructor(
    input: Step,
    private readonly predicate: (tuple: Tuple) => boolean,
    detail: string,
  ) {
    super('filter', detail, [input], input.layout);
  }

  protected async *run(context: RunContext): AsyncGenerator<readonly Tuple[], void, undefined> {
    const [input] = this.inputs as [Step];
    for await (const batch of input.open(context)) {
      const kept: Tuple[] = [];
      const cursor = { at: 0 };
      await resuming(() => filterBatch(batch, this.predicate, kept, cursor));
      if (kept.length > 0) yield kept;
      if (context.due) await context.breathe();
    }
  }
}

function filterBatch(batch: readonly Tuple[], predicate: (tuple: Tuple) => boolean, kept: Tuple[], cursor: { at: number }): void {
  for (let index = cursor.at; index < batch.length; index++) {
    cursor.at = index;
    const tuple = batch[index] as Tuple;
    if (predicate(tuple)) kept.push(tuple);
  }
}

/** Computed columns. */
export class ProjectStep extends Step {
  constructor(
    input: Step,
    private readonly project: (tuple: Tuple) => Tuple,
    layout: Layout,
    detail: string,
  ) {
    super('columns', detail, [input], layout);
  }

  protected async *run(context: RunContext): AsyncGenerator<readonly Tuple[], void, undefined> {
    const [input] = this.inputs as [Step];
    for await (const batch of input.open(context)) {
      const rows: Tuple[] = [];
      await resuming(() => projectBatch(batch, this.project, rows));
      yield rows;
      if (context.due) await context.breathe();
    }
  }
}

function projectBatch(batch: readonly Tuple[], project: (tuple: Tuple) => Tuple, rows: Tuple[]): void {
  for (let index = rows.length; index < batch.length; index++) rows.push(project(batch[index] as Tuple));
}

/** So many rows, behind so many that are passed over. The source is stopped as soon as they are there. */
export class LimitStep extends Step {
  constructor(
    input: Step,
    private readonly limit: Evaluate | undefined,
    private readonly offset: Evaluate | undefined,
    detail: string,
  ) {
    super('limit', detail, [input], input.layout);
  }

  protected async *run(context: RunContext): AsyncGenerator<readonly Tuple[], void, undefined> {
    const [input] = this.inputs as [Step];
    let left = await this.count(this.limit, Infinity);
    let skip = await this.count(this.offset, 0);
    if (left === 0) return;
    for await (const batch of input.open(context)) {
      const from = Math.min(skip, batch.length);
      skip -= from;
      const rows = from === 0 && batch.length <= left ? batch : batch.slice(from, from + left);
      left -= rows.length;
      if (rows.length > 0) yield rows;
      if (left === 0) return;
    }
  }

  private async count(value: Evaluate | undefined, otherwise: number): Promise<number> {
    const given = value && (await resuming(() => value({})));
    return typeof given === 'number' || typeof given === 'bigint' ? Math.max(0, Math.floor(Number(given))) : otherwise;
  }
}
