import type { Call, Expression } from '../../../grammar/efilter-tree.js';
import type { Relation } from '../plan/logical.js';
import type { Analysis } from './analysis.js';
import type { Position } from './context.js';
import { Scope } from './scope.js';
import { sourceOf } from './sources.js';

/**
 * `filter(rows, e)`, `sort(rows, e)`, `take(n, rows)` and `drop(n, rows)` behind `from`, where their rows are those of a relation: they
 * stream, as `where`, `order by`, `limit` and `offset` do. Undefined for other functions and other lists.
 */
export async function listFunction(analysis: Analysis, node: Call, position: Position): Promise<Relation | undefined> {
  const [first, second] = node.args.map((arg) => arg.value);
  if (!first || !second || node.args.length !== 2 || node.args.some((arg) => arg.name !== undefined)) return undefined;
  switch (node.name.toLowerCase()) {
    case 'filter': {
      const input = await rowsOf(analysis, first, position);
      if (!input) return undefined;
      const predicate = await analysis.expression(second, elementPosition(input, position));
      return { kind: 'filter', input, predicate, fields: input.fields };
    }
    case 'sort': {
      const input = await rowsOf(analysis, first, position);
      if (!input) return undefined;
      const value = await analysis.expression(second, elementPosition(input, position));
      return { kind: 'sort', input, keys: [{ value, descending: false, nullsFirst: true }], fields: input.fields };
    }
    case 'take':
    case 'drop': {
      const input = await rowsOf(analysis, second, position);
      if (!input) return undefined;
      const count = await analysis.expression(first, { ...position, rowWise: 'this is a number of rows' });
      return { kind: 'limit', input, ...(node.name.toLowerCase() === 'take' ? { limit: count } : { offset: count }), fields: input.fields };
    }
    default:
      return undefined;
  }
}

async function rowsOf(analysis: Analysis, node: Expression, position: Position): Promise<Relation | undefined> {
  return node.kind === 'call' || node.kind === 'subquery' || node.kind === 'name'
    ? sourceOf(analysis, node, position, node.kind === 'name' ? 'value' : node.kind === 'call' ? 'value' : 'source')
    : undefined;
}

function elementPosition(input: Relation, position: Position): Position {
  const scope = new Scope(position.scope);
  scope.sources = [{ alias: 'it', fields: input.fields }];
  return { scope, rowWise: 'each element is looked at by itself' };
}
