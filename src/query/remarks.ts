import { legacyDifferences } from '../../grammar/efilter-legacy.js';
import type { Binary, Expression, Place, QueryStatement } from '../../grammar/efilter-tree.js';

/** Something about a query that is no mistake, but may not mean what its writer meant. */
export interface Remark extends Place {
  readonly text: string;
  /** said whenever the query runs; the others only by `explain` */
  readonly always: boolean;
}

/**
 * Remarks on a query as it was written:
 * - a comparison with `null`, which is never true;
 * - what Rekall's EFILTER read otherwise (`not a == b` as `(not a) == b`);
 * - `a in ("b", "c")` of texts, where Rekall's EFILTER also looked for a in parts of b and c.
 * @param text the query's text, to which the places belong
 */
export function remarksOf(statement: QueryStatement, text: string): Remark[] {
  const remarks = legacyDifferences(statement).map((difference) => remark(difference, difference.sentence, false));
  for (const node of nodesOf(statement)) {
    if (node.kind === 'binary') remarks.push(...ofBinary(node, text));
  }
  return remarks.sort((a, b) => a.start - b.start);
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
