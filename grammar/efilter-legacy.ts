import { formatExpression } from './efilter-format.js';
import { LEVELS } from './efilter-precedence.js';
import type { Binary, Expression, Place, QueryStatement, Unary } from './efilter-tree.js';

/** A place that the old EFILTER read otherwise, with a sentence that says how. */
export interface LegacyDifference extends Place {
  readonly sentence: string;
}

/**
 * Where a statement means something else than it meant in Rekall's EFILTER. There `not` bound as tightly as `*`, so `not a == b` was
 * (not a) == b; and all comparisons had one level, so `a == b < c` was (a == b) < c. Parentheses in the text decide: a node's place leaves out
 * those around it, and takes in those of its parts.
 */
export function legacyDifferences(statement: QueryStatement): LegacyDifference[] {
  const found: LegacyDifference[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const old = 'kind' in node ? oldReading(node as Expression) : undefined;
    if (old !== undefined) {
      const { start, end } = node as Expression;
      found.push({ start, end, sentence: `This is ${explicit(node as Expression)}; in Rekall it was ${old}.` });
    }
    for (const child of Object.values(node)) visit(child);
  };
  visit(statement);
  return found.sort((a, b) => a.start - b.start);
}

/** What the old language read in the place of a node, or undefined where it read the same. */
function oldReading(node: Expression): string | undefined {
  if (node.kind === 'unary' && node.operator === 'not' && splits(node.operand) && node.operand.end === node.end) return negatedFirst(node, node.operand);
  if (node.kind === 'binary' && LEVELS[node.operator] === 4 && node.right.kind === 'binary' && LEVELS[node.right.operator] === 5 && node.right.end === node.end) {
    const { right } = node;
    return `(${formatExpression({ ...node, right: right.left })}) ${right.operator} ${formatExpression(enclosed(right.right))}`;
  }
  return undefined;
}

/** Operators of the old language that bound less tightly than its `not`. */
function splits(operand: Expression): operand is Binary {
  return operand.kind === 'binary' && LEVELS[operand.operator] >= 4 && LEVELS[operand.operator] <= 6 && operand.operator !== 'like' && operand.operator !== 'not like';
}

/** `not a + b == c` as ((not a) + b) == c. */
function negatedFirst(not: Unary, operand: Binary): string {
  const { left, operator, right } = operand;
  // A left side that stands in parentheses is one value.
  const first = splits(left) && left.start === operand.start ? negatedFirst(not, left) : `not ${formatExpression(enclosed(left))}`;
  return `(${first}) ${operator} ${formatExpression(enclosed(right))}`;
}

function explicit(node: Expression): string {
  if (node.kind === 'unary') return `not (${formatExpression(node.operand)})`;
  if (node.kind === 'binary') return `${formatExpression(enclosed(node.left))} ${node.operator} (${formatExpression(node.right)})`;
  return formatExpression(node);
}

/** In parentheses where it is more than one value, by a list of one that prints as such. */
function enclosed(node: Expression): Expression {
  return node.kind === 'binary' || node.kind === 'unary' || node.kind === 'subquery' || node.kind === 'between' || node.kind === 'is-null' || node.kind === 'let' || node.kind === 'case'
    ? { kind: 'list', items: [node], start: node.start, end: node.end }
    : node;
}
