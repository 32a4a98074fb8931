import type { Arg } from '../../../plugin/args.js';
import { isMissing } from '../../values/equality.js';
import { type Key, keyOf } from '../../values/key.js';
import type { Evaluate } from '../compile.js';
import type { RunContext } from '../context.js';
import { RowBuffer } from '../memory/buffer.js';
import { sizeOfTuple } from '../memory/size.js';
import { consumed, DEEPEST_DIVISION, Division } from '../memory/spiller.js';
import { BATCH, Step } from '../step.js';
import { resuming } from '../suspend.js';
import type { Layout, Slot, Tuple } from '../tuple.js';
import { joinKey, type JoinKey, type JoinTable, ODD, tableOf, told } from './join-table.js';
import { narrowedBy, type ScanStep } from './scan.js';

type Rows = AsyncGenerator<readonly Tuple[], void, undefined>;

export interface JoinParts {
  readonly type: 'inner' | 'left';
  /** makes one tuple of two; of the left one alone where the right side has none */
  readonly combine: (left: Tuple, right: Tuple | undefined) => Tuple;
  /** conditions beyond equality, on the combined tuple */
  readonly residual: ((tuple: Tuple) => boolean) | undefined;
  /**
   * the whole condition, where types of keys are not known beforehand: a value that is equal to others than those with its key (a list
   * to each of its elements, a time to a text) is then compared with all
   */
  readonly whole?: (tuple: Tuple) => boolean;
}

/** A scan on one side that is told which keys the other side has. */
export interface JoinNarrowing {
  readonly side: 'left' | 'right';
  /** which of the keys */
  readonly key: number;
  readonly scan: ScanStep;
  readonly name: string;
  readonly arg: Arg;
}

/** A scan is told of no more values than these: a longer list would not save much. */
const MOST_VALUES = 4096;
/** Bytes of a row in the table besides its own: key, entry and chain. */
const ENTRY_BYTES = 60;

/** How far a batch of the left side was compared. */
interface Progress {
  at: number;
  begun: boolean;
  /** the row of the right side that is next, -1 for none */
  next: number;
  /** the condition that rows of the right side are looked at with: `whole` for those that are not told by their key */
  odd: boolean;
  /** the key of the left row is no plain value: all rows of the right side are looked at */
  all: boolean;
  matched: boolean;
}

/**
 * Rows of both sides whose keys are equal. The right side is read first and kept by its keys; the left side streams past. Where the right
 * side is too large, both sides are divided by key into files, and the parts joined one after the other.
 */
export class HashJoinStep extends Step {
  private readonly leftSlots: readonly Slot[];
  private readonly rightSlots: readonly Slot[];

  constructor(
    left: Step,
    right: Step,
    private readonly leftKeys: readonly Evaluate[],
    private readonly rightKeys: readonly Evaluate[],
    private readonly parts: JoinParts,
    layout: Layout,
    private readonly narrowing: JoinNarrowing | undefined,
    detail: string,
  ) {
    super(parts.type === 'left' ? 'left hash join' : 'hash join', detail, [left, right], layout);
    this.leftSlots = [...left.layout.values()];
    this.rightSlots = [...right.layout.values()];
  }

  protected async *run(context: RunContext): Rows {
    const [left, right] = this.inputs as [Step, Step];
    const { narrowing } = this;
    try {
      if (narrowing?.side === 'right') {
        yield* this.leftFirst(left.open(context), right, narrowing, context);
      } else {
        yield* this.joined(left.open(context), right.open(context), context, 0);
      }
    } finally {
      if (narrowing) narrowing.scan.narrowed = undefined;
    }
  }

  /** Reads the left side as long as it is small, and asks the right side for its keys alone. */
  private async *leftFirst(left: Rows, right: Step, narrowing: JoinNarrowing, context: RunContext): Rows {
    const buffer = new RowBuffer(context, this.leftSlots, this.statistics);
    try {
      const values = new Map<Key, unknown>();
      let ended = false;
      while (!ended && values.size <= MOST_VALUES) {
        const next = await left.next();
        if (next.done === true) {
          ended = true;
        } else {
          buffer.add(next.value);
          await this.collect(values, next.value, this.leftKeys[narrowing.key] as Evaluate);
        }
      }
      if (ended) {
        const found = await this.narrow(narrowing, values);
        if (found === 'nothing') {
          if (this.parts.type === 'left') for await (const batch of buffer.read()) yield batch.map((tuple) => this.parts.combine(tuple, undefined));
          return;
        }
      }
      yield* this.joined(concatenated(buffer.read(), left), right.open(context), context, 0);
    } finally {
      buffer.close();
      await left.return(undefined);
    }
  }

  private async collect(values: Map<Key, unknown>, batch: readonly Tuple[], key: Evaluate): Promise<void> {
    let at = 0;
    await resuming(() => {
      for (; at < batch.length; at++) {
        const value = key(batch[at] as Tuple);
        if (!isMissing(value)) values.set(keyOf(value), value);
      }
    });
  }

  private async narrow({ scan, name, arg }: JoinNarrowing, values: ReadonlyMap<Key, unknown>): Promise<'nothing' | undefined> {
    const narrowed = await narrowedBy(name, arg, [...values.values()]);
    if (narrowed === 'nothing') return narrowed;
    scan.narrowed = narrowed && { name, value: narrowed.value };
    return undefined;
  }

  private async *joined(lefts: Rows, rights: Rows, context: RunContext, level: number): Rows {
    const held = context.memory.open();
    const tuples: Tuple[] = [];
    const keys: JoinKey[] = [];
    let division: Division | undefined;
    const keep = (key: JoinKey, tuple: Tuple): void => {
      if (division) {
        division.add(told(key), tuple);
        return;
      }
      tuples.push(tuple);
      keys.push(key);
      if (held.add(sizeOfTuple(tuple, this.rightSlots) + ENTRY_BYTES) && level < DEEPEST_DIVISION) {
        division = new Division(context, this.rightSlots, this.statistics, level);
        for (let index = 0; index < tuples.length; index++) division.add(told(keys[index] as JoinKey), tuples[index] as Tuple);
        tuples.length = 0;
        keys.length = 0;
        held.release();
      }
    };
    try {
      for await (const batch of rights) {
        let at = 0;
        await resuming(() => {
          for (; at < batch.length; at++) {
            const tuple = batch[at] as Tuple;
            const key = joinKey(this.rightKeys, tuple, this.parts.whole !== undefined);
            if (key !== undefined) keep(key, tuple);
          }
        });
        if (context.due) await context.breathe();
      }
      if (division) {
        yield* this.divided(lefts, division, context, level);
        return;
      }
      if (tuples.length === 0 && this.parts.type === 'inner') return;
      if (level === 0 && this.narrowing?.side === 'left' && (await this.narrowLeft(this.narrowing, tuples)) === 'nothing') return;
      yield* this.probed(lefts, tableOf(keys, tuples), context);
    } finally {
      held.release();
      await lefts.return(undefined);
    }
  }

  private async narrowLeft(narrowing: JoinNarrowing, tuples: readonly Tuple[]): Promise<'nothing' | undefined> {
    const values = new Map<Key, unknown>();
    for (let from = 0; from < tuples.length && values.size <= MOST_VALUES; from += BATCH) {
      await this.collect(values, tuples.slice(from, from + BATCH), this.rightKeys[narrowing.key] as Evaluate);
    }
    return values.size <= MOST_VALUES ? this.narrow(narrowing, values) : undefined;
  }

  private async *probed(lefts: Rows, table: JoinTable, context: RunContext): Rows {
    for await (const batch of lefts) {
      const progress: Progress = { at: 0, begun: false, next: -1, odd: false, all: false, matched: false };
      while (progress.at < batch.length) {
        const rows: Tuple[] = [];
        await resuming(() => {
          this.probe(batch, table, progress, rows);
        });
        if (rows.length > 0) yield rows;
        if (context.due) await context.breathe();
      }
    }
  }

  /** Compares rows until a batch is full or there are no more; takes up where it was stopped by a sub-query. */
  private probe(batch: readonly Tuple[], table: JoinTable, progress: Progress, rows: Tuple[]): void {
    const { combine, residual, whole, type } = this.parts;
    while (progress.at < batch.length) {
      const tuple = batch[progress.at] as Tuple;
      if (!progress.begun) this.begin(tuple, table, progress);
      for (;;) {
        const condition = progress.odd ? whole : residual;
        while (progress.next >= 0) {
          if (rows.length >= BATCH) return;
          const combined = combine(tuple, table.tuples[progress.next]);
          if (!condition || condition(combined)) {
            rows.push(combined);
            progress.matched = true;
          }
          progress.next = progress.all ? (progress.next + 1 < table.tuples.length ? progress.next + 1 : -1) : (table.next[progress.next] as number);
        }
        // Then those that no key tells.
        if (progress.odd || table.odd < 0) break;
        progress.odd = true;
        progress.next = table.odd;
      }
      if (!progress.matched && type === 'left') rows.push(combine(tuple, undefined));
      progress.at++;
      progress.begun = false;
    }
  }

  private begin(tuple: Tuple, table: JoinTable, progress: Progress): void {
    const key = joinKey(this.leftKeys, tuple, this.parts.whole !== undefined);
    progress.all = key === ODD;
    progress.odd = progress.all;
    progress.next = key === undefined ? -1 : key === ODD ? (table.tuples.length > 0 ? 0 : -1) : (table.heads.get(key) ?? -1);
    progress.matched = false;
    progress.begun = true;
  }

  private async *divided(lefts: Rows, rights: Division, context: RunContext, level: number): Rows {
    const divided = new Division(context, this.leftSlots, this.statistics, level);
    for await (const batch of lefts) {
      const alone: Tuple[] = [];
      let at = 0;
      await resuming(() => {
        for (; at < batch.length; at++) {
          const tuple = batch[at] as Tuple;
          const key = joinKey(this.leftKeys, tuple, this.parts.whole !== undefined);
          if (key !== undefined) divided.add(told(key), tuple);
          else if (this.parts.type === 'left') alone.push(this.parts.combine(tuple, undefined));
        }
      });
      if (alone.length > 0) yield alone;
      if (context.due) await context.breathe();
    }
    for (const [index, part] of divided.parts.entries()) {
      if (part) yield* this.joined(consumed(part, context), consumed(rights.parts[index], context), context, level + 1);
    }
  }
}

async function* concatenated(first: Rows, second: Rows): Rows {
  yield* first;
  yield* second;
}
