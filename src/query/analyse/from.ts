import type { Select, Source } from '../../../grammar/efilter-tree.js';
import { didYouMean } from '../../plugin/similar.js';
import { QueryError } from '../error.js';
import type { Field, Join, Relation, Scalar } from '../plan/logical.js';
import { types } from '../types.js';
import type { Analysis } from './analysis.js';
import { existing, Scope, type SourceColumns } from './scope.js';
import { sourceOf } from './sources.js';

/** The sources of a select, joined, and the scope in which their columns are. */
export async function from(analysis: Analysis, select: Select, outer: Scope): Promise<{ readonly relation: Relation; readonly scope: Scope }> {
  const scope = new Scope(outer);
  let relation: Relation = { kind: 'one', fields: [] };
  for (const [index, source] of select.from.entries()) {
    // A source may use the columns of those before it.
    const made = await sourceOf(analysis, source.value, { scope, rowWise: 'from makes the rows' }, 'source');
    const right = made?.kind === 'table' && source.alias !== undefined ? { ...made, alias: source.alias } : made;
    if (!right) throw new QueryError('This has no rows.', source.value);
    const columns = added(scope, source, right);
    relation = index === 0 ? right : await joined(analysis, relation, right, columns, source, scope);
    scope.sources = [...scope.sources, columns];
  }
  return { relation, scope };
}

function added(scope: Scope, source: Source, relation: Relation): SourceColumns {
  const alias = source.alias ?? defaultAlias(source);
  const clash = alias === undefined ? undefined : scope.source(alias);
  if (clash && source.alias !== undefined) throw new QueryError(`Two sources are called ${source.alias}: give one another name.`, source);
  // Two sources of one table without aliases: their columns are told apart by nothing, and asking for one says so.
  const [only] = relation.fields;
  const element = relation.kind === 'list' && relation.whole ? only : undefined;
  return { alias: clash ? undefined : alias, fields: relation.fields, ...(element ? { element } : {}) };
}

/** A table is called by its name. */
function defaultAlias({ value }: Source): string | undefined {
  return value.kind === 'call' || value.kind === 'name' ? value.name : undefined;
}

async function joined(analysis: Analysis, left: Relation, right: Relation, columns: SourceColumns, source: Source, scope: Scope): Promise<Join> {
  const type = source.join?.kind === 'left' ? 'left' : 'inner';
  const fields = [...left.fields, ...right.fields];
  const conditions: Scalar[] = [];
  for (const name of source.join?.using ?? []) conditions.push(usingCondition(name, scope, columns, source, left));
  if (source.join?.on) {
    const inner = new Scope(scope.parent);
    inner.sources = [...scope.sources, columns];
    for (const [name, field] of scope.merged) inner.merged.set(name, field);
    conditions.push(await analysis.expression(source.join.on, { scope: inner, rowWise: 'a join looks at one pair of rows' }));
  }
  const [first, ...more] = conditions;
  if (!first) return { kind: 'join', type, left, right, fields };
  const condition: Scalar =
    more.length === 0 ? first : { kind: 'logical', operator: 'and', terms: conditions, type: types.bool, start: source.start, end: source.end };
  return { kind: 'join', type, left, right, condition, fields };
}

/** `using (pid)`: equal on both sides, and one column from then on. */
function usingCondition(name: string, scope: Scope, columns: SourceColumns, source: Source, left: Relation): Scalar {
  const place = { start: source.start, end: source.end };
  const reference = (field: Field): Scalar => ({ kind: 'field', field, type: field.type, ...place });
  const there = columns.fields.filter((field) => field.name === name);
  const here = scope.merged.has(name) ? [scope.merged.get(name) as Field] : left.fields.filter((field) => field.name === name);
  const [mine, second] = here;
  const [other] = there;
  if (!mine || !other) {
    const missing = mine ? columns.fields : left.fields;
    const names = missing.map((field) => field.name);
    throw new QueryError(
      `using needs a column ${name} on both sides.${didYouMean(name, names)} The ${mine ? 'right' : 'left'} side has ${existing(names)}.`,
      source,
    );
  }
  if (second) throw new QueryError(`The left side has several columns called ${name}: use on.`, source);
  scope.merged.set(name, mine);
  return { kind: 'binary', operator: '==', left: reference(mine), right: reference(other), type: types.bool, ...place };
}
