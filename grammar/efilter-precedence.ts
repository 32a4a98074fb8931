/**
 * What binds how tightly. The order is SQLite's, with `=~` beside `like`; so `not a == b` is not (a == b), and `a == b < c` is a == (b < c).
 * All operators between two values group from the left.
 *
 *     loosest   or
 *               and
 *               not
 *               == = != <> =~ !~ in  like  between  is null, and their negations
 *               < <= > >=
 *               + -
 *               * / %
 *               ||
 *               - + before a value
 *     tightest  call()  .member  [key]
 *
 * The old EFILTER had one level for all comparisons, and `not` beside `*`: `efilter-legacy.ts` finds where that matters.
 */
import type { IToken } from 'chevrotain';
import { type BinaryOperator, type Expression, QuerySyntaxError, type Unary } from './efilter-tree.js';

export const LEVELS: Readonly<Record<BinaryOperator, number>> = {
  or: 1,
  and: 2,
  '==': 4,
  '!=': 4,
  '=~': 4,
  '!~': 4,
  in: 4,
  'not in': 4,
  like: 4,
  'not like': 4,
  '<': 5,
  '<=': 5,
  '>': 5,
  '>=': 5,
  '+': 6,
  '-': 6,
  '*': 7,
  '/': 7,
  '%': 7,
  '||': 8,
};
/** `between` and `is null` */
export const COMPARISON = 4;
/** `and` within `between` must bind looser than what stands on both sides of it. */
export const BETWEEN_BOUND = 5;
export const PREFIX_LEVELS: Readonly<Record<Unary['operator'], number>> = { not: 3, '-': 9, '+': 9 };

/** How signs and words are written, and what they mean. */
const MEANING: ReadonlyMap<string, BinaryOperator> = new Map<string, BinaryOperator>([
  ...(Object.keys(LEVELS) as BinaryOperator[]).map((operator) => [operator, operator] as const),
  ['=', '=='],
  ['<>', '!='],
]);

/** The operator of a token. Throws QuerySyntaxError for `isa`, which the language once had. */
export function operatorOf(token: IToken): BinaryOperator {
  const meaning = MEANING.get(token.image) ?? MEANING.get(token.image.toLowerCase());
  if (meaning !== undefined) return meaning;
  const place = { start: token.startOffset, end: endOf(token) };
  throw new QuerySyntaxError(`isa is gone from the language: 'describe' shows the types of columns.`, place);
}

/** One past the last character of a token. */
export function endOf(token: IToken): number {
  return token.endOffset === undefined ? token.startOffset + token.image.length : token.endOffset + 1;
}

/** An operator that waits for its right side. */
interface Pending {
  readonly level: number;
  readonly token: IToken;
  readonly kind: 'prefix' | 'infix' | 'between' | 'not between' | 'bounded';
}

/**
 * Makes a tree of values and operators as they come (the shunting-yard algorithm: two stacks, no recursion, so that the length of a
 * chain is no matter). Places include the parentheses of what they hold, so each value comes with the place it takes.
 */
export class Climb {
  private readonly values: Expression[] = [];
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  private readonly pending: Pending[] = [];
  /** a value has to come next */
  waits = true;

  value(value: Expression, start: number, end: number): void {
    this.push(value, start, end);
    this.waits = false;
  }

  prefix(token: IToken): void {
    const operator = prefixOf(token);
    // `- not a`: a `not` that stands where only a value can takes all that it would take anywhere.
    this.pending.push({ level: PREFIX_LEVELS[operator], token, kind: 'prefix' });
  }

  infix(token: IToken): void {
    this.waits = true;
    const operator = operatorOf(token);
    if (operator === 'and' && this.bounds(token)) return;
    const level = LEVELS[operator];
    this.reduce(level);
    this.pending.push({ level, token, kind: 'infix' });
  }

  between(token: IToken, negated: boolean): void {
    this.waits = true;
    this.reduce(COMPARISON);
    this.pending.push({ level: 0, token, kind: negated ? 'not between' : 'between' });
  }

  isNull(negated: boolean, end: number): void {
    this.reduce(COMPARISON);
    const operand = this.values.pop() as Expression;
    const start = this.starts.at(-1) as number;
    this.values.push({ kind: 'is-null', operand, negated, start, end });
    this.ends[this.ends.length - 1] = end;
  }

  /** The whole. */
  finish(): Expression {
    this.reduce(0);
    const open = this.pending.at(-1);
    if (open) {
      const end = this.ends.at(-1) as number;
      throw new QuerySyntaxError(`'between' needs two bounds: x between low and high.`, { start: open.token.startOffset, end }, ['and']);
    }
    return this.values[0] as Expression;
  }

  /** True where an `and` belongs to the innermost `between`, whose lower bound ends here. */
  private bounds(token: IToken): boolean {
    let index = this.pending.length - 1;
    while (index >= 0 && (this.pending[index] as Pending).level > COMPARISON) index--;
    const open = this.pending[index];
    if (open === undefined || (open.kind !== 'between' && open.kind !== 'not between')) return false;
    this.reduce(BETWEEN_BOUND);
    this.pending.push({ level: COMPARISON, token, kind: 'bounded' });
    return true;
  }

  /** Builds all that binds at least as tightly as what comes now; an open `between` (level 0) is a wall. */
  private reduce(level: number): void {
    for (let top = this.pending.at(-1); top !== undefined && top.level >= level && top.level > 0; top = this.pending.at(-1)) {
      this.pending.pop();
      this.build(top);
    }
  }

  private push(value: Expression, start: number, end: number): void {
    this.values.push(value);
    this.starts.push(start);
    this.ends.push(end);
  }

  private build({ kind, token }: Pending): void {
    const right = this.values.pop() as Expression;
    this.starts.pop();
    const end = this.ends.pop() as number;
    if (kind === 'prefix') {
      this.push({ kind: 'unary', operator: prefixOf(token), operand: right, start: token.startOffset, end }, token.startOffset, end);
      return;
    }
    const left = this.values.pop() as Expression;
    const start = this.starts.pop() as number;
    this.ends.pop();
    if (kind === 'bounded') {
      const open = this.pending.pop() as Pending;
      const operand = this.values.pop() as Expression;
      const first = this.starts.pop() as number;
      this.ends.pop();
      this.push({ kind: 'between', operand, low: left, high: right, negated: open.kind === 'not between', start: first, end }, first, end);
      return;
    }
    const operator = operatorOf(token);
    this.push({ kind: 'binary', operator, left, right, start, end, at: { start: token.startOffset, end: endOf(token) } }, start, end);
  }
}

function prefixOf(token: IToken): Unary['operator'] {
  return token.image === '-' || token.image === '+' ? token.image : 'not';
}
