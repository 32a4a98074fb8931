import type { Expression, Place } from '../../../grammar/efilter-tree.js';
import { QueryError } from '../error.js';
import type { Relation, Scalar, SubqueryTerm } from '../plan/logical.js';
import { listOf, rowType, type Type, types } from '../types.js';
import type { Analysis } from './analysis.js';
import type { Position } from './context.js';
import { analyseLet, definitionNamed, useDefinition } from './definitions.js';
import { existing, type ValueMode } from './scope.js';

/**
 * An expression where a certain kind of value is wanted: a sub-query (also one that a `let` named) is then one value, the values of its
 * column, or its rows; every other expression is what it is.
 */
export async function analyseAs(analysis: Analysis, node: Expression, position: Position, mode: ValueMode): Promise<Scalar> {
  if (node.kind === 'subquery' && node.any !== true) return asValue(await analysis.query(node.query, position.scope), mode, node);
  if (node.kind === 'let') return analyseLet(analysis, node, position, mode);
  if (node.kind === 'name') {
    const definition = definitionNamed(position.scope, node);
    if (definition) return useDefinition(analysis, definition, mode, node);
  }
  return analysis.expression(node, position);
}

/** Rows as a value. Throws QueryError where one column is wanted and there are several. */
export function asValue(relation: Relation, as: SubqueryTerm['as'], place: Place): SubqueryTerm {
  const at = { start: place.start, end: place.end };
  if (as === 'exists') return { kind: 'subquery', relation, as, type: types.bool, ...at };
  const { fields } = relation;
  if (as === 'rows') return { kind: 'subquery', relation, as, type: listOf(rowTypeOf(relation)), ...at };
  const [only, second] = fields;
  if (!only || second) {
    throw new QueryError(`One column is wanted here; this sub-query has ${fields.length}: ${existing(fields.map((field) => field.name))}.`, place);
  }
  return { kind: 'subquery', relation, as, type: as === 'list' ? listOf(only.type) : only.type, ...at };
}

/** The type of a relation's rows as values. */
export function rowTypeOf(relation: Relation): Type {
  return rowType(new Map(relation.fields.map((field) => [field.name, field.type])));
}
