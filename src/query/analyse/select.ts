import type { Expression, Order, Place, Select, SelectItem } from '../../../grammar/efilter-tree.js';
import { QueryError } from '../error.js';
import type { Field, Relation, Scalar, SortKey } from '../plan/logical.js';
import { contains } from '../plan/walk.js';
import { toColumn } from '../types.js';
import type { Analysis } from './analysis.js';
import { from } from './from.js';
import { grouped } from './grouping.js';
import { nameOf, type Unnamed, uniqueNames } from './names.js';
import { finished, limited, ordinalOf, sortKey } from './queries.js';
import { sameScalar } from './same.js';
import type { Scope } from './scope.js';
import { existing } from './scope.js';

/** A column of a select before it has its final name. */
interface Item extends Unnamed {
  readonly value: Scalar;
  readonly place: Place;
  /** it came from `*` over the rows of one source, in their order */
  readonly starred: boolean;
}

/** `select … from … where … group by … having … order by … limit …` */
export async function analyseSelect(analysis: Analysis, select: Select, outer: Scope): Promise<Relation> {
  const source = await from(analysis, select, outer);
  const { scope } = source;
  const aggregates = select.from.length > 0;
  scope.aliases = aliasLookup(analysis, select, scope);
  let relation = source.relation;
  if (select.where) {
    const predicate = await analysis.expression(select.where, { scope, rowWise: 'where looks at one row; having comes after grouping' });
    relation = { kind: 'filter', input: relation, predicate, fields: relation.fields };
  }
  const rowWise = aggregates ? undefined : 'there is no from here';
  const items = await itemsOf(analysis, select, scope, rowWise);
  const keys: Scalar[] = [];
  for (const key of select.groupBy) {
    const ordinal = ordinalOf({ value: key }, items.length);
    const value = ordinal === undefined ? await analysis.expression(key, { scope, rowWise: 'a group is made of rows' }) : (items[ordinal]?.value as Scalar);
    if (contains(value, ({ kind }) => kind === 'aggregate')) throw new QueryError('A group cannot be made by the value of an aggregate.', key);
    keys.push(value);
  }
  const having = select.having && (await analysis.expression(select.having, { scope, rowWise }));
  const order = select.distinct ? [] : await orderKeys(analysis, select, items, scope, rowWise);
  const everything = [...items.map(({ value }) => value), ...(having ? [having] : []), ...order.map(({ value }) => value)];
  const groups = keys.length > 0 || having !== undefined || everything.some((value) => contains(value, ({ kind }) => kind === 'aggregate'));
  const done = groups ? grouped(relation, keys, { items: items.map(({ value }) => value), having, order }) : undefined;
  relation = done?.relation ?? relation;
  if (done?.having) relation = { kind: 'filter', input: relation, predicate: done.having, fields: relation.fields };
  const values = done?.items ?? items.map(({ value }) => value);
  const fields = outputFields(items, values);
  if (select.distinct) {
    const project: Relation = { kind: 'project', input: relation, items: values, fields };
    return finishDistinct(analysis, await byOutput(analysis, select, items, scope), project, outer);
  }
  const sortKeys = done?.order ?? order;
  if (sortKeys.length > 0) relation = { kind: 'sort', input: relation, keys: sortKeys, fields: relation.fields };
  relation = await limited(analysis, relation, select, outer);
  return { kind: 'project', input: relation, items: values, fields };
}

/** After `distinct` only what was selected can be sorted by. */
async function finishDistinct(analysis: Analysis, select: Select, project: Relation, outer: Scope): Promise<Relation> {
  const distinct: Relation = { kind: 'distinct', input: project, fields: project.fields };
  try {
    return await finished(analysis, distinct, select, outer);
  } catch (error) {
    const order = select.orderBy.find(
      ({ value }) => error instanceof QueryError && error.place !== undefined && error.place.start >= value.start && error.place.end <= value.end,
    );
    if (!(error instanceof QueryError) || !order) throw error;
    throw new QueryError(
      `${error.message} With distinct, rows are ordered by what was selected: ${existing(project.fields.map(({ name }) => name))}.`,
      error.place,
    );
  }
}

/** `order by p.name` behind `select distinct name from pslist() p` means that column, as does its expression written again. */
async function byOutput(analysis: Analysis, select: Select, items: readonly Item[], scope: Scope): Promise<Select> {
  const orderBy: Order[] = [];
  for (const order of select.orderBy) {
    const { start, end } = order.value;
    const index = order.value.kind === 'literal' ? -1 : await selectedAs(analysis, order.value, items, scope);
    orderBy.push(index < 0 ? order : { ...order, value: { kind: 'literal', value: index + 1, start, end } });
  }
  return { ...select, orderBy };
}

async function selectedAs(analysis: Analysis, node: Expression, items: readonly Item[], scope: Scope): Promise<number> {
  try {
    const value = await analysis.expression(node, { scope, rowWise: undefined });
    return items.findIndex((item) => sameScalar(item.value, value));
  } catch (error) {
    // A name of the output alone: whoever looks there says what is wrong, if anything is.
    if (error instanceof QueryError) return -1;
    throw error;
  }
}

function outputFields(items: readonly Item[], values: readonly Scalar[]): Field[] {
  const named = new Map<string, Item>();
  for (const item of items) {
    if (item.as === undefined) continue;
    if (item.as === '__proto__' || item.as.startsWith('$')) throw new QueryError(`A column cannot be called ${item.as}.`, item.place);
    if (named.has(item.as)) throw new QueryError(`Two columns are called ${item.as}.`, item.place);
    named.set(item.as, item);
  }
  const names = uniqueNames(items);
  return values.map((value, index): Field => {
    const name = names[index] ?? `column_${index}`;
    return { name, type: value.type, column: columnOf(items[index] as Item, value) };
  });
}

/** How a value is printed: a column as its source declared it, anything else by its type. */
function columnOf(item: Item, value: Scalar): Field['column'] {
  const source = item.value.kind === 'field' ? item.value.field.column : value.kind === 'field' ? value.field.column : undefined;
  if (!source) return toColumn(value.type, '');
  // `select *` shows all columns; a heading stays one where rows come as the table gives them.
  if (item.starred) {
    const { hidden: _shown, ...starred } = source;
    return starred;
  }
  // What was asked for by its name is shown, as a column.
  const { hidden: _hidden, divider: _divider, title: _title, ...column } = source;
  return column;
}

async function itemsOf(analysis: Analysis, select: Select, scope: Scope, rowWise: string | undefined): Promise<Item[]> {
  const items: Item[] = [];
  for (const item of select.items) {
    if (item.kind === 'star') items.push(...starred(item, scope, select));
    else items.push(await columnItem(analysis, item, scope, rowWise));
  }
  return items;
}

async function columnItem(analysis: Analysis, item: Extract<SelectItem, { kind: 'column' }>, scope: Scope, rowWise: string | undefined): Promise<Item> {
  const value = await analysis.expression(item.value, { scope, rowWise });
  const own = nameOf(item.value);
  const of = qualifier(item.value, scope);
  return {
    value,
    place: item,
    starred: false,
    ...(item.as === undefined ? {} : { as: item.as }),
    ...(own === undefined ? {} : { own }),
    ...(of === undefined ? {} : { of }),
  };
}

/** `p` of `p.name`, where p is a source. */
function qualifier(value: Expression, scope: Scope): string | undefined {
  return value.kind === 'member' && value.object.kind === 'name' && scope.source(value.object.name) ? value.object.name : undefined;
}

function starred(item: Extract<SelectItem, { kind: 'star' }>, scope: Scope, select: Select): Item[] {
  if (scope.sources.length === 0) throw new QueryError('* stands for the columns of a from, and there is none.', item);
  const sources = item.table === undefined ? scope.sources : scope.sources.filter(({ alias }) => alias === item.table);
  if (sources.length === 0) {
    const known = scope.sources.flatMap(({ alias }) => (alias === undefined ? [] : [alias]));
    throw new QueryError(`No source is called ${item.table ?? ''}; there is ${existing(known)}.`, item);
  }
  const plain = scope.sources.length === 1 && select.orderBy.length === 0 && select.groupBy.length === 0;
  const seen = new Set<Field>();
  return sources.flatMap(({ alias, fields }) =>
    fields.flatMap((field): Item[] => {
      const merged = item.table === undefined ? scope.merged.get(field.name) : undefined;
      const shown = merged ?? field;
      if (merged && seen.has(merged)) return [];
      seen.add(shown);
      const value: Scalar = { kind: 'field', field: shown, type: shown.type, start: item.start, end: item.end };
      return [{ value, place: item, starred: plain, own: field.name, ...(alias === undefined ? {} : { of: alias }) }];
    }),
  );
}

/** Where no column has the name, `where`, `group by` and `having` may use that of a select's item. */
function aliasLookup(analysis: Analysis, select: Select, scope: Scope): (name: string) => Promise<Scalar> | undefined {
  const open = new Set<string>();
  return (name) => {
    const item = select.items.find((candidate) => candidate.kind === 'column' && candidate.as === name);
    if (item?.kind !== 'column' || open.has(name)) return undefined;
    open.add(name);
    return analysis.expression(item.value, { scope, rowWise: select.from.length > 0 ? undefined : 'there is no from here' }).finally(() => open.delete(name));
  };
}

/** Keys of `order by`: a number or a name of a selected column is that column, anything else is computed from the row. */
async function orderKeys(analysis: Analysis, select: Select, items: readonly Item[], scope: Scope, rowWise: string | undefined): Promise<SortKey[]> {
  const keys: SortKey[] = [];
  for (const order of select.orderBy) {
    const ordinal = ordinalOf(order, items.length);
    const { value: node } = order;
    const named = node.kind === 'name' ? items.find(({ as }) => as === node.name) : undefined;
    const selected = ordinal === undefined ? named : items[ordinal];
    keys.push(sortKey(order, selected?.value ?? (await analysis.expression(node, { scope, rowWise }))));
  }
  return keys;
}
