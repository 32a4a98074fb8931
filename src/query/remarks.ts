import type { Binary, Expression, Place, QueryStatement, Unary } from '../../grammar/efilter-tree.js';

/** Something about a query that is no mistake, but may not mean what its writer meant. */
export interface Remark extends Place {
  readonly text: string;
  /** said whenever the query runs; the others only by `explain` */
  readonly always: boolean;
}

const COMPARISONS: ReadonlySet<Binary['operator']> = new Set([
  '==',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  '=~',
  '!~',
  'in',
  'not in',
]);

/**
 * Remarks on a query as it was written:
 * - a comparison with `null`, which is never true;
 * - `not a == b`, which Rekall's EFILTER read as `(not a) == b`;
 * - `a in ("b", "c")` of texts, where Rekall's EFILTER also looked for a in parts of b and c.
 * @param text the query's text, to which the places belong
 */
export function remarksOf(statement: QueryStatement, text: string): Remark[] {
  const remarks: Remark[] = [];
  for (const node of nodesOf(statement)) {
    if (node.kind === 'unary') remarks.push(...ofNot(node, text));
    if (node.kind === 'binary') remarks.push(...ofBinary(node, text));
  }
  return remarks.sort((a, b) => a.start - b.start);
}

function ofNot(node: Unary, text: string): Remark[] {
  const { operand } = node;
  if (node.operator !== 'not' || operand.kind !== 'binary' || !COMPARISONS.has(operand.operator)) return [];
  // With parentheses there was never a doubt.
  if (text.slice(node.start, leftmost(operand)).includes('(')) return [];
  const left = written(operand.left, text);
  const rest = text.slice(operand.left.end, operand.end).trim().replace(/\s+/g, ' ');
  return [
    remark(
      node,
      `not ${left} ${rest} is not (${left} ${rest}), as in SQL; Rekall's EFILTER read it as (not ${left}) ${rest}.`,
      false,
    ),
  ];
}

function ofBinary(node: Binary, text: string): Remark[] {
  const { left, right, operator } = node;
  if (
    (operator === '==' ||
      operator === '!=' ||
      operator === '<' ||
      operator === '>' ||
      operator === '<=' ||
      operator === '>=') &&
    (isNull(left) || isNull(right))
  ) {
    const other = written(isNull(left) ? right : left, text);
    const meant = operator === '!=' ? `${other} is not null` : `${other} is null`;
    return [
      remark(
        node,
        `${written(node, text)} is never true, as nothing is known to be equal to null or unequal; ${meant} is what can be asked.`,
        true,
      ),
    ];
  }
  const texts =
    (operator === 'in' || operator === 'not in') &&
    right.kind === 'list' &&
    right.items.every((item) => item.kind === 'literal' && typeof item.value === 'string');
  if (!texts) return [];
  return [
    remark(
      node,
      `${written(left, text)} ${operator} (…) compares whole texts, as in SQL; in Rekall's EFILTER a part of one was enough: =~ or like finds parts.`,
      false,
    ),
  ];
}

function remark(place: Place, text: string, always: boolean): Remark {
  return { text, always, start: place.start, end: place.end };
}

function isNull(node: Expression): boolean {
  return node.kind === 'literal' && node.value === null;
}

/** Where the first word of a chain of operators stands. */
function leftmost(node: Expression): number {
  return node.kind === 'binary' ? Math.min(node.start, leftmost(node.left)) : node.start;
}

function written(node: Place, text: string): string {
  const own = text.slice(node.start, node.end).trim().replace(/\s+/g, ' ');
  return own.length > 60 ? `${own.slice(0, 60)}…` : own;
}

/** Every expression in a statement; a tree is as deep as its parser lets it be, so this is no recursion. */
function* nodesOf(statement: QueryStatement): Generator<Expression> {
  const waiting: unknown[] = [statement];
  while (waiting.length > 0) {
    const node = waiting.pop();
    if (typeof node !== 'object' || node === null) continue;
    if ('kind' in node && typeof node.kind === 'string') yield node as Expression;
    waiting.push(...Object.values(node as object));
  }
}
