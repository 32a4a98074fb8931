import type { Call, Expression, Name, Place } from '../../../grammar/efilter-tree.js';
import { PluginError } from '../../plugin/error.js';
import { didYouMean } from '../../plugin/similar.js';
import type { Catalog, CatalogTable } from '../catalog.js';
import { QueryError } from '../error.js';
import type { Field, Relation, Scalar } from '../plan/logical.js';
import { toColumn, type Type, types } from '../types.js';
import type { Analysis } from './analysis.js';
import { functionNamed, unknownFunction } from './calls.js';
import type { Position } from './context.js';
import { definitionNamed, defineBindings, parametersOf } from './definitions.js';
import type { Scope } from './scope.js';
import { type SharedTable } from './scope.js';
import { analyseAs } from './subqueries.js';
import { listFunction } from './list-functions.js';
import { tableScan } from './tables.js';
import { viewOf } from './views.js';

/**
 * The relation that an expression stands for: a query, a call of a table, a view, a table of a `with`.
 * @param purpose `source`: it stands behind `from`, where everything has rows (a list has one for each element), and a table needs no
 * parentheses; `value`: undefined where the expression is no relation
 */
export async function sourceOf(analysis: Analysis, node: Expression, position: Position, purpose: 'source' | 'value'): Promise<Relation | undefined> {
  return analysis.guard.nested(
    node,
    async () => (await relationOf(analysis, node, position, purpose)) ?? (purpose === 'source' ? listSource(analysis, node, position) : undefined),
  );
}

async function relationOf(analysis: Analysis, node: Expression, position: Position, purpose: 'source' | 'value'): Promise<Relation | undefined> {
  const { scope } = position;
  switch (node.kind) {
    case 'subquery':
      return node.any === true ? undefined : analysis.query(node.query, scope);
    case 'let': {
      if (purpose === 'value') return undefined;
      const inner = await defineBindings(analysis, node.bindings, position, 'query');
      return sourceOf(analysis, node.body, { ...position, scope: inner.scope }, purpose);
    }
    case 'name':
      return namedRelation(analysis, node, position, purpose);
    case 'call':
      return calledRelation(analysis, node, position, purpose);
    default:
      return undefined;
  }
}

async function namedRelation(analysis: Analysis, node: Name, position: Position, purpose: 'source' | 'value'): Promise<Relation | undefined> {
  const shared = sharedNamed(position.scope, node.name);
  if (shared) return sharedScan(shared);
  const definition = definitionNamed(position.scope, node);
  if (definition) {
    // The rows of a query that has a name stream from it, as if it were written here.
    const { value } = definition;
    return purpose === 'source' && value.kind === 'subquery' ? sourceOf(analysis, value, definition.position, purpose) : undefined;
  }
  if (purpose === 'source' && isVisible(position.scope, node)) return undefined;
  const view = await viewOf(analysis, node.name, node);
  if (view) return view;
  const table = await analysis.environment.catalog.table(node.name);
  if (!table) {
    if (purpose === 'value') return undefined;
    throw unknownTable(analysis, node.name, node, position.scope);
  }
  if (purpose === 'value') throw new QueryError(`${node.name} is a table; its rows are ${node.name}().`, node);
  return tableScan(analysis, table, { name: node.name, at: node, args: [], start: node.start, end: node.end }, position);
}

function isVisible(scope: Scope, node: Name): boolean {
  for (const level of scope.outward()) if (level.own(node.name, node)) return true;
  return false;
}

async function calledRelation(analysis: Analysis, node: Call, position: Position, purpose: 'source' | 'value'): Promise<Relation | undefined> {
  const own = functionNamed(position.scope, node.name, node.at);
  if (own) {
    if (purpose === 'value') return undefined;
    return analysis.guard.expanding(own, own.name, node.at, () => {
      const { scope } = parametersOf(own, node, position, 'query');
      return sourceOf(analysis, own.body, { ...position, scope }, purpose);
    });
  }
  const { catalog, library } = analysis.environment;
  if (node.args.length === 0 && node.star !== true) {
    const shared = sharedNamed(position.scope, node.name);
    if (shared) return sharedScan(shared);
    const view = await viewOf(analysis, node.name, node.at);
    if (view) return view;
  }
  const table = await askedTable(catalog, node);
  if (table) return tableScan(analysis, table, node, position);
  if (purpose === 'value') return undefined;
  const list = await listFunction(analysis, node, position);
  if (list) return list;
  if (!library.has(node.name)) throw unknownFunction(analysis, node);
  return undefined;
}

/** The table that a call names, as the session has it that `session: 2` asks for. That there is none is a mistake at that number. */
async function askedTable(catalog: Catalog, { name, args }: Call): Promise<CatalogTable | undefined> {
  const value = args.find((argument) => argument.name === 'session')?.value;
  if (value?.kind !== 'literal' || typeof value.value !== 'number') return catalog.table(name);
  try {
    return await catalog.table(name, value.value);
  } catch (error) {
    if (error instanceof PluginError) throw new QueryError(error.message, value, error.next);
    throw error;
  }
}

function unknownTable(analysis: Analysis, name: string, place: Place, scope: Scope): QueryError {
  const { catalog, definitions, library } = analysis.environment;
  if (library.has(name)) return new QueryError(`${name} is a function, no table: ${name}(…).`, place);
  const known = [...catalog.names(), ...definitions.views.keys(), ...scope.visible()];
  return new QueryError(`No table is called ${name}.${didYouMean(name, known)}`, place, 'plugins');
}

function sharedNamed(scope: Scope, name: string): SharedTable | undefined {
  for (const level of scope.outward()) {
    const table = level.table(name);
    if (table) return table;
  }
  return undefined;
}

/** One reading of a table of a `with`, with columns of its own. */
export function sharedScan({ shared, fields }: SharedTable): Relation {
  return { kind: 'shared', shared, fields: fields.map((field) => ({ ...field })) };
}

/** Any other expression behind `from`: each element of its list is a row. */
async function listSource(analysis: Analysis, node: Expression, position: Position): Promise<Relation> {
  const value = await analyseAs(analysis, node, { ...position, rowWise: position.rowWise ?? 'from has no rows yet' }, 'rows');
  return listScan(value, node);
}

/** Columns of a list's elements: of rows their members, else the one column `value`. */
export function listScan(value: Scalar, node: Expression): Relation {
  const of: Type = value.type.kind === 'list' ? value.type.of : value.type;
  if (of.kind === 'row' && of.members) return { kind: 'list', value, whole: false, fields: [...of.members].map(([name, type]) => field(name, type)) };
  const name = node.kind === 'member' || (node.kind === 'call' && of.kind !== 'row') ? node.name : 'value';
  return { kind: 'list', value, whole: true, fields: [field(name, of.kind === 'null' ? types.any : of)] };
}

function field(name: string, type: Type): Field {
  return { name, type, column: toColumn(type, '') };
}
