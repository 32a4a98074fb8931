import type { Order, Query, SetOperation, Tail, With } from '../../../grammar/efilter-tree.js';
import { QueryError } from '../error.js';
import type { Field, Relation, Scalar, SetOperationOf, SortKey } from '../plan/logical.js';
import { isNumeric, toColumn, typeName, unify } from '../types.js';
import type { Analysis } from './analysis.js';
import { Scope, existing } from './scope.js';
import { analyseSelect } from './select.js';
import { renamed } from './views.js';

/** A query with names resolved and types checked. */
export function analyseQuery(analysis: Analysis, query: Query, scope: Scope): Promise<Relation> {
  return analysis.guard.nested(query, () => {
    switch (query.kind) {
      case 'select':
        return analyseSelect(analysis, query, scope);
      case 'set':
        return analyseSet(analysis, query, scope);
      case 'with':
        return analyseWith(analysis, query, scope);
    }
  });
}

async function analyseWith(analysis: Analysis, query: With, scope: Scope): Promise<Relation> {
  let inner = scope;
  const names = new Set<string>();
  for (const table of query.tables) {
    if (names.has(table.name)) throw new QueryError(`Two tables of this with are called ${table.name}.`, table);
    names.add(table.name);
    // Its own name is that of what it is made of; a table that is called like it would be meant otherwise.
    const own = new Scope(inner);
    const queried = await analysis.query(table.query, own);
    const relation = table.columns ? renamed(queried, table.columns, `The table ${table.name}`, table) : queried;
    inner = new Scope(inner);
    inner.define(table.name, { kind: 'shared', table: { shared: { name: table.name, relation }, fields: relation.fields } });
  }
  return analysis.query(query.body, inner);
}

const VERBS: Readonly<Record<SetOperation['operator'], string>> = { union: 'union', 'union all': 'union all', except: 'except', intersect: 'intersect' };

async function analyseSet(analysis: Analysis, query: SetOperation, scope: Scope): Promise<Relation> {
  // A chain of unions is as long as one likes, and not as deep.
  const chain: SetOperation[] = [];
  let first: Query = query;
  while (first.kind === 'set' && (first === query || (first.orderBy.length === 0 && !first.limit && !first.offset))) {
    chain.push(first);
    first = first.left;
  }
  let relation = await analysis.query(first, scope);
  for (const operation of chain.reverse()) relation = combined(operation, relation, await analysis.query(operation.right, scope));
  return finished(analysis, relation, query, scope);
}

function combined(query: SetOperation, left: Relation, right: Relation): SetOperationOf {
  if (left.fields.length !== right.fields.length) {
    const count = (relation: Relation): string => `${relation.fields.length} (${existing(relation.fields.map(({ name }) => name))})`;
    throw new QueryError(
      `Both sides of ${VERBS[query.operator]} need the same columns: the left side has ${count(left)}, the right side ${count(right)}.`,
      query,
    );
  }
  const fields = left.fields.map((field, index): Field => {
    const other = right.fields[index] ?? field;
    const type = unify(field.type, other.type);
    if (unlike(field, other)) {
      throw new QueryError(
        `Column ${index + 1} of ${VERBS[query.operator]} is ${typeName(field.type)} (${field.name}) on the left and ${typeName(other.type)} (${other.name}) on the right.`,
        query.right,
      );
    }
    return { name: field.name, type, column: type === field.type ? { ...field.column } : toColumn(type, field.column.doc) };
  });
  return { kind: 'set', operator: query.operator, left, right, fields };
}

/** Text and numbers in one column are a mistake; what is not known is not. */
function unlike(a: Field, b: Field): boolean {
  const type = unify(a.type, b.type);
  if (type.kind !== 'any' || a.type.kind === 'any' || b.type.kind === 'any') return false;
  return (isNumeric(a.type) && b.type.kind === 'string') || (a.type.kind === 'string' && isNumeric(b.type));
}

/** `order by`, `limit` and `offset` behind a query of which only the columns are known. */
export async function finished(analysis: Analysis, relation: Relation, tail: Tail, scope: Scope): Promise<Relation> {
  const inner = new Scope(scope);
  inner.sources = [{ alias: undefined, fields: relation.fields }];
  const keys: SortKey[] = [];
  for (const order of tail.orderBy) {
    const ordinal = ordinalOf(order, relation.fields.length);
    const field = ordinal === undefined ? undefined : relation.fields[ordinal];
    const value: Scalar = field
      ? { kind: 'field', field, type: field.type, start: order.start, end: order.end }
      : await analysis.expression(order.value, { scope: inner, rowWise: 'order by stands behind a whole query here' });
    keys.push(sortKey(order, value));
  }
  const sorted: Relation = keys.length === 0 ? relation : { kind: 'sort', input: relation, keys, fields: relation.fields };
  return limited(analysis, sorted, tail, scope);
}

export function sortKey(order: Order, value: Scalar): SortKey {
  return { value, descending: order.descending, nullsFirst: order.nulls === undefined ? !order.descending : order.nulls === 'first' };
}

/** `order by 2`, `group by 2`: the column of that number, counted from 0 here. Throws where there are not so many. */
export function ordinalOf(order: { readonly value: Order['value'] }, columns: number): number | undefined {
  const { value } = order;
  if (value.kind !== 'literal' || typeof value.value !== 'number' || !Number.isInteger(value.value)) return undefined;
  if (value.value < 1 || value.value > columns) throw new QueryError(`There is no column ${value.value}: the query has ${columns}.`, value);
  return value.value - 1;
}

export async function limited(analysis: Analysis, input: Relation, tail: Tail, scope: Scope): Promise<Relation> {
  if (!tail.limit && !tail.offset) return input;
  const count = async (node: Tail['limit'], what: string): Promise<Scalar | undefined> => {
    if (!node) return undefined;
    const value = await analysis.expression(node, { scope, rowWise: `${what} is known before the first row` });
    if (!isNumeric(value.type) && value.type.kind !== 'any' && value.type.kind !== 'null')
      throw new QueryError(`${what} is a number of rows, not ${typeName(value.type)}.`, node);
    if (value.kind === 'constant' && typeof value.value === 'number' && value.value < 0) throw new QueryError(`${what} cannot be less than 0.`, node);
    return value;
  };
  const limit = await count(tail.limit, 'limit');
  const offset = await count(tail.offset, 'offset');
  return { kind: 'limit', input, ...(limit ? { limit } : {}), ...(offset ? { offset } : {}), fields: input.fields };
}
