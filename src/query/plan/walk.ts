import type { Field, Relation, Scalar, Variable } from './logical.js';

/** The parts of an expression, one level down. Relations of sub-queries are not entered. */
export function partsOf(scalar: Scalar): readonly Scalar[] {
  switch (scalar.kind) {
    case 'constant':
    case 'field':
    case 'variable':
    case 'subquery':
    case 'row':
      return [];
    case 'member':
      return [scalar.object];
    case 'index':
      return [scalar.object, scalar.key];
    case 'unary':
    case 'is-null':
      return [scalar.operand];
    case 'logical':
      return scalar.terms;
    case 'binary':
      return [scalar.left, scalar.right];
    case 'between':
      return [scalar.operand, scalar.low, scalar.high];
    case 'case':
      return [
        ...(scalar.operand ? [scalar.operand] : []),
        ...scalar.branches.flatMap(({ when, then }) => [when, then]),
        ...(scalar.otherwise ? [scalar.otherwise] : []),
      ];
    case 'list':
    case 'tuple':
      return scalar.items;
    case 'call':
    case 'aggregate':
      return scalar.args;
    case 'per-element':
      return [scalar.body];
    case 'pair':
      return [scalar.key, scalar.value];
    case 'let':
      return [scalar.value, scalar.body];
  }
}

/** True where the expression or a part of it is so. Relations of sub-queries are not entered. */
export function contains(scalar: Scalar, test: (part: Scalar) => boolean): boolean {
  return test(scalar) || partsOf(scalar).some((part) => contains(part, test));
}

/**
 * The expression with parts replaced: `replace` gives the part to stand for another, or undefined to look into it. Relations of
 * sub-queries are entered too.
 */
export function rewrite(scalar: Scalar, replace: (part: Scalar) => Scalar | undefined): Scalar {
  const other = replace(scalar);
  if (other) return other;
  const again = (part: Scalar): Scalar => rewrite(part, replace);
  switch (scalar.kind) {
    case 'constant':
    case 'field':
    case 'variable':
    case 'row':
      return scalar;
    case 'subquery':
      return { ...scalar, relation: rewriteRelation(scalar.relation, replace) };
    case 'member':
      return { ...scalar, object: again(scalar.object) };
    case 'index':
      return { ...scalar, object: again(scalar.object), key: again(scalar.key) };
    case 'unary':
    case 'is-null':
      return { ...scalar, operand: again(scalar.operand) };
    case 'logical':
      return { ...scalar, terms: scalar.terms.map(again) };
    case 'binary':
      return { ...scalar, left: again(scalar.left), right: again(scalar.right) };
    case 'between':
      return { ...scalar, operand: again(scalar.operand), low: again(scalar.low), high: again(scalar.high) };
    case 'case':
      return {
        ...scalar,
        ...(scalar.operand ? { operand: again(scalar.operand) } : {}),
        branches: scalar.branches.map(({ when, then }) => ({ when: again(when), then: again(then) })),
        ...(scalar.otherwise ? { otherwise: again(scalar.otherwise) } : {}),
      };
    case 'list':
    case 'tuple':
      return { ...scalar, items: scalar.items.map(again) };
    case 'call':
    case 'aggregate':
      return { ...scalar, args: scalar.args.map(again) };
    case 'per-element':
      return { ...scalar, body: again(scalar.body) };
    case 'pair':
      return { ...scalar, key: again(scalar.key), value: again(scalar.value) };
    case 'let':
      return { ...scalar, value: again(scalar.value), body: again(scalar.body) };
  }
}

/** A relation with parts of its expressions replaced; itself where nothing was. */
export function rewriteRelation(relation: Relation, replace: (part: Scalar) => Scalar | undefined): Relation {
  const of = (input: Relation): Relation => rewriteRelation(input, replace);
  const again = (part: Scalar): Scalar => rewrite(part, replace);
  switch (relation.kind) {
    case 'table':
      return relation.args.size === 0 ? relation : { ...relation, args: new Map([...relation.args].map(([name, value]) => [name, again(value)])) };
    case 'list':
      return { ...relation, value: again(relation.value) };
    case 'one':
    case 'shared':
      return relation;
    case 'filter':
      return { ...relation, input: of(relation.input), predicate: again(relation.predicate) };
    case 'project':
      return { ...relation, input: of(relation.input), items: relation.items.map(again) };
    case 'join':
      return { ...relation, left: of(relation.left), right: of(relation.right), ...(relation.condition ? { condition: again(relation.condition) } : {}) };
    case 'group':
      return {
        ...relation,
        input: of(relation.input),
        keys: relation.keys.map(({ field, value }) => ({ field, value: again(value) })),
        aggregates: relation.aggregates.map((aggregate) => ({ ...aggregate, args: aggregate.args.map(again) })),
      };
    case 'sort':
      return { ...relation, input: of(relation.input), keys: relation.keys.map((key) => ({ ...key, value: again(key.value) })) };
    case 'limit':
      return {
        ...relation,
        input: of(relation.input),
        ...(relation.limit ? { limit: again(relation.limit) } : {}),
        ...(relation.offset ? { offset: again(relation.offset) } : {}),
      };
    case 'distinct':
      return { ...relation, input: of(relation.input) };
    case 'set':
      return { ...relation, left: of(relation.left), right: of(relation.right) };
  }
}

/** The inputs of a relation. */
export function inputsOf(relation: Relation): readonly Relation[] {
  switch (relation.kind) {
    case 'table':
    case 'list':
    case 'one':
    case 'shared':
      return [];
    case 'join':
    case 'set':
      return [relation.left, relation.right];
    default:
      return [relation.input];
  }
}

/** The expressions of a relation itself, without those of its inputs. */
export function scalarsOf(relation: Relation): readonly Scalar[] {
  switch (relation.kind) {
    case 'table':
      return [...relation.args.values()];
    case 'list':
      return [relation.value];
    case 'filter':
      return [relation.predicate];
    case 'project':
      return relation.items;
    case 'join':
      return relation.condition ? [relation.condition] : [];
    case 'group':
      return [...relation.keys.map(({ value }) => value), ...relation.aggregates.flatMap(({ args }) => args)];
    case 'sort':
      return relation.keys.map(({ value }) => value);
    case 'limit':
      return [...(relation.limit ? [relation.limit] : []), ...(relation.offset ? [relation.offset] : [])];
    default:
      return [];
  }
}

/** Fields and variables that expressions and relations need from outside. */
export interface Needs {
  readonly fields: Set<Field>;
  readonly variables: Set<Variable>;
}

/** What an expression needs: the fields it reads, and the variables it does not bind itself; those of its sub-queries as well. */
export function needsOf(scalar: Scalar, needs: Needs = { fields: new Set(), variables: new Set() }): Needs {
  switch (scalar.kind) {
    case 'field':
      needs.fields.add(scalar.field);
      return needs;
    case 'row':
      for (const field of scalar.fields) needs.fields.add(field);
      return needs;
    case 'variable':
      needs.variables.add(scalar.variable);
      return needs;
    case 'subquery': {
      const inner = relationNeeds(scalar.relation);
      for (const field of inner.fields) needs.fields.add(field);
      for (const variable of inner.variables) needs.variables.add(variable);
      return needs;
    }
    case 'let':
    case 'per-element': {
      if (scalar.kind === 'let') needsOf(scalar.value, needs);
      const inner = needsOf(scalar.body);
      inner.variables.delete(scalar.variable);
      for (const field of inner.fields) needs.fields.add(field);
      for (const variable of inner.variables) needs.variables.add(variable);
      return needs;
    }
    default:
      for (const part of partsOf(scalar)) needsOf(part, needs);
      return needs;
  }
}

const relationNeedsKnown = new WeakMap<Relation, Needs>();

/** What a relation needs from outside: fields of queries around it. */
export function relationNeeds(relation: Relation): Needs {
  const known = relationNeedsKnown.get(relation);
  if (known) return known;
  const needs: Needs = { fields: new Set(), variables: new Set() };
  const inputs = inputsOf(relation);
  for (const scalar of scalarsOf(relation)) needsOf(scalar, needs);
  for (const input of inputs) {
    const inner = relationNeeds(input);
    for (const field of inner.fields) needs.fields.add(field);
    for (const variable of inner.variables) needs.variables.add(variable);
  }
  if (relation.kind === 'shared') {
    const inner = relationNeeds(relation.shared.relation);
    for (const field of inner.fields) needs.fields.add(field);
    for (const variable of inner.variables) needs.variables.add(variable);
  }
  // What an input provides is not needed from outside; the right side of a join may read the left.
  for (const input of inputs) for (const field of input.fields) needs.fields.delete(field);
  relationNeedsKnown.set(relation, needs);
  return needs;
}
