import type { Binary, Expression, Name, Place } from '../../../grammar/efilter-tree.js';
import { didYouMean } from '../../plugin/similar.js';
import { QueryError } from '../error.js';
import type { Choice, Constant, FieldReference, Scalar } from '../plan/logical.js';
import { incomparable, isNumeric, listOf, rowType, tupleOf, type Type, typeName, typeOfValue, types, unify } from '../types.js';
import { negate } from '../values/arithmetic.js';
import { compileOperator } from '../values/operators.js';
import type { Analysis } from './analysis.js';
import { analyseCall } from './calls.js';
import type { Position } from './context.js';
import { analyseLet, useDefinition } from './definitions.js';
import { atPlace, capital, factsOf } from './facts.js';
import { elementAt, memberOf } from './members.js';
import { existing, type Meaning, type Scope, type SourceColumns, sameLetters, unknownColumn } from './scope.js';
import { sharedScan, sourceOf } from './sources.js';
import { analyseAs, asValue } from './subqueries.js';

/** Resolves the names of an expression, and checks its types. Throws QueryError with the place of the mistake. */
export function analyseExpression(analysis: Analysis, node: Expression, position: Position): Promise<Scalar> {
  return analysis.guard.nested(node, () => analyse(analysis, node, position));
}

async function analyse(analysis: Analysis, node: Expression, position: Position): Promise<Scalar> {
  const of = (part: Expression): Promise<Scalar> => analysis.expression(part, position);
  const all = async (parts: readonly Expression[]): Promise<Scalar[]> => {
    const done: Scalar[] = [];
    for (const part of parts) done.push(await of(part));
    return done;
  };
  const place = { start: node.start, end: node.end };
  switch (node.kind) {
    case 'literal':
      return { kind: 'constant', value: node.value, type: typeOfValue(node.value), ...place };
    case 'parameter':
      return parameter(analysis, node.name, place);
    case 'name':
      return name(analysis, node, position);
    case 'member': {
      const column = qualified(node.object, node.name, position.scope, node.at);
      return column ?? memberOf(analysis, await analyseAs(analysis, node.object, position, 'rows'), node.name, node.at, place);
    }
    case 'index':
      return elementAt(analysis, await analyseAs(analysis, node.object, position, 'rows'), await of(node.key), place);
    case 'call':
      return analyseCall(analysis, node, position);
    case 'unary': {
      const operand = await of(node.operand);
      if (node.operator !== 'not' && operand.kind === 'constant' && (typeof operand.value === 'number' || typeof operand.value === 'bigint')) {
        return { ...operand, value: node.operator === '-' ? negate(operand.value) : operand.value, ...place };
      }
      return { kind: 'unary', operator: node.operator, operand, type: unaryType(node.operator, operand, place), ...place };
    }
    case 'binary':
      return node.operator === 'and' || node.operator === 'or' ? logical(node, node.operator, all) : binary(analysis, node, node.operator, position);
    case 'between': {
      const [operand, low, high] = (await all([node.operand, node.low, node.high])) as [Scalar, Scalar, Scalar];
      comparable(operand, low, low);
      comparable(operand, high, high);
      return { kind: 'between', operand, low, high, negated: node.negated, type: types.bool, ...place };
    }
    case 'is-null':
      return { kind: 'is-null', operand: await of(node.operand), negated: node.negated, type: types.bool, ...place };
    case 'case':
      return choice(node, of, place);
    case 'list': {
      const items = await all(node.items);
      return { kind: 'list', items, type: listOf(items.map((item) => item.type).reduce(unify, types.null)), ...place };
    }
    case 'tuple': {
      const items = await all(node.items);
      return { kind: 'tuple', items, type: tupleOf(items.map((item) => item.type)), ...place };
    }
    case 'pair':
      throw new QueryError('A pair (key: value) stands only in bind(…) and dict(…), or as an argument with a name.', place);
    case 'let':
      return analyseLet(analysis, node, position);
    case 'subquery':
      return asValue(await analysis.query(node.query, position.scope), node.any === true ? 'exists' : 'scalar', place);
  }
}

function parameter(analysis: Analysis, name: string | number, place: Place): Constant {
  const given = analysis.environment.parameters;
  const key = Array.isArray(given) && typeof name === 'string' && /^\d+$/.test(name) ? Number(name) : name;
  if (!Object.hasOwn(given, key)) {
    const names = Object.keys(given);
    const has =
      names.length === 0
        ? 'None is given'
        : Array.isArray(given)
          ? `${names.length} ${names.length === 1 ? 'is' : 'are'} given, counted from 0`
          : `Given are ${names.join(', ')}`;
    throw new QueryError(`No value for the parameter {${name}}. ${has}.${didYouMean(String(name), names)}`, place);
  }
  const value = (given as Readonly<Record<string | number, unknown>>)[key] ?? null;
  return { kind: 'constant', value, type: typeOfValue(value), ...place };
}

/** `p.name` where p is the alias of a source. */
function qualified(object: Expression, name: string, scope: Scope, at: Place): Scalar | undefined {
  if (object.kind !== 'name') return undefined;
  for (const level of scope.outward()) {
    const source = level.source(object.name);
    if (source) return qualifiedColumn(source, object, name, level, at);
    if (level.own(object.name, object)) return undefined;
  }
  return undefined;
}

function qualifiedColumn(source: SourceColumns, object: Name, name: string, level: Scope, at: Place): FieldReference | undefined {
  const fields = source.fields.filter((field) => field.name === name);
  const [field, other] = fields;
  if (field && !other) return reference(field, { start: object.start, end: at.end });
  if (other) throw new QueryError(`${object.name} has several columns called ${name}.`, at);
  // A column may have the name of an alias; then it is its member that is meant.
  const meaning = level.own(object.name, object);
  if (meaning?.kind === 'field') return undefined;
  const [folded, ...more] = sameLetters(source.fields, name);
  if (folded && more.length === 0) return reference(folded, { start: object.start, end: at.end });
  const columns = source.fields.map((candidate) => candidate.name);
  throw unknownColumn(name, object.name, columns, at);
}

function reference(field: FieldReference['field'], place: Place): FieldReference {
  return { kind: 'field', field, type: field.type, start: place.start, end: place.end };
}

async function name(analysis: Analysis, node: Name, position: Position): Promise<Scalar> {
  for (const scope of position.scope.outward()) {
    const meaning = scope.own(node.name, node);
    if (meaning) return meant(analysis, meaning, node);
    const { element } = scope;
    if (element && (await hasMember(analysis, element.type, node.name))) {
      return memberOf(analysis, { kind: 'variable', variable: element, type: element.type, start: node.start, end: node.end }, node.name, node, node);
    }
    const alias = scope.aliases?.(node.name);
    if (alias) return alias;
  }
  return elsewhere(analysis, node, position);
}

/** A name that no scope has: a view, a table; or the member of an element of which nothing is known; or a mistake. */
async function elsewhere(analysis: Analysis, node: Name, position: Position): Promise<Scalar> {
  const relation = await sourceOf(analysis, node, position, 'value');
  if (relation) return asValue(relation, 'rows', node);
  for (const scope of position.scope.outward()) {
    const field = scope.folded(node.name);
    if (field) return reference(field, node);
    const { element } = scope;
    if (element && element.type.kind === 'any') {
      return memberOf(analysis, { kind: 'variable', variable: element, type: element.type, start: node.start, end: node.end }, node.name, node, node);
    }
  }
  throw unknownName(analysis, node, position.scope);
}

function unknownName(analysis: Analysis, node: Name, scope: Scope): QueryError {
  const visible = scope.visible();
  const inScope = [...scope.outward()];
  const columns = inScope.flatMap((level) => level.sources.flatMap((source) => source.fields.map((field) => field.name)));
  const { library, catalog } = analysis.environment;
  if (analysis.guard.isOpen(node.name)) return new QueryError(`${node.name} is defined by itself, which has no end.`, node);
  if (library.has(node.name)) return new QueryError(`${node.name} is a function: ${node.name}(…).`, node);
  if (columns.length === 0) {
    const guess = didYouMean(node.name, [...visible, ...catalog.names()]);
    return new QueryError(`Nothing is called ${node.name} here.${guess}`, node);
  }
  const tables = inScope.flatMap((level) => level.sources.flatMap((source) => (source.alias === undefined ? [] : [source.alias])));
  const of = tables.length > 0 ? tables.join(' or ') : undefined;
  const guess = didYouMean(node.name, visible);
  return new QueryError(
    `No column ${node.name}${of === undefined ? '' : ` in ${of}`}.${guess} There are ${existing([...new Set(columns)])}.`,
    node,
    tables.length === 1 ? `describe ${tables[0] ?? ''}` : undefined,
  );
}

async function meant(analysis: Analysis, meaning: Meaning, node: Name): Promise<Scalar> {
  switch (meaning.kind) {
    case 'field':
      return reference(meaning.field, node);
    case 'element':
      return { kind: 'variable', variable: meaning.variable, type: meaning.variable.type, start: node.start, end: node.end };
    case 'value':
      return { ...meaning.value, start: node.start, end: node.end };
    case 'definition':
      return useDefinition(analysis, meaning.definition, 'scalar', node);
    case 'source': {
      const { fields } = meaning.source;
      return { kind: 'row', fields, type: rowType(new Map(fields.map((field) => [field.name, field.type]))), start: node.start, end: node.end };
    }
    case 'function':
      throw new QueryError(
        `${node.name} is a function of ${meaning.definition.parameters.length} values: ${node.name}(${meaning.definition.parameters.join(', ')}).`,
        node,
      );
    case 'shared':
      return asValue(sharedScan(meaning.table), 'rows', node);
  }
}

async function hasMember(analysis: Analysis, type: Type, name: string): Promise<boolean> {
  if (type.kind === 'row') return type.members?.has(name) === true;
  if (type.kind !== 'struct' || type.struct === undefined) return false;
  return (await analysis.membersOf(type.struct))?.has(name) === true;
}

function unaryType(operator: 'not' | '-' | '+', operand: Scalar, place: Place): Type {
  if (operator === 'not') return types.bool;
  const { type } = operand;
  const element = type.kind === 'list' ? type.of : type;
  if (!isNumeric(element) && element.kind !== 'any' && element.kind !== 'null')
    throw new QueryError(`${operator} needs a number, not ${typeName(type)}.`, place);
  return type;
}

/** A chain of one operator, flat. */
async function logical(node: Binary, operator: 'and' | 'or', all: (parts: readonly Expression[]) => Promise<Scalar[]>): Promise<Scalar> {
  const parts: Expression[] = [];
  let left: Expression = node;
  while (left.kind === 'binary' && left.operator === operator) {
    parts.push(left.right);
    left = left.left;
  }
  parts.push(left);
  const terms = (await all(parts.reverse())).flatMap((term) => (term.kind === 'logical' && term.operator === operator ? term.terms : [term]));
  return { kind: 'logical', operator, terms, type: types.bool, start: node.start, end: node.end };
}

async function binary(analysis: Analysis, node: Binary, operator: Exclude<Binary['operator'], 'and' | 'or'>, position: Position): Promise<Scalar> {
  const left = await analysis.expression(node.left, position);
  const listWanted = operator === 'in' || operator === 'not in';
  const right = await analyseAs(analysis, node.right, position, listWanted ? 'list' : 'scalar');
  const { type } = atPlace(node, () => compileOperator(operator, left.type, right.type, analysis.environment.values, factsOf(left, right)));
  return { kind: 'binary', operator, left, right, type, start: node.start, end: node.end };
}

function comparable(a: Scalar, b: Scalar, place: Place): void {
  const reason = incomparable(a.type, b.type);
  if (reason !== undefined) throw new QueryError(`${capital(reason)}.`, place);
}

async function choice(node: Extract<Expression, { kind: 'case' }>, of: (part: Expression) => Promise<Scalar>, place: Place): Promise<Choice> {
  const operand = node.operand && (await of(node.operand));
  const branches: { when: Scalar; then: Scalar }[] = [];
  for (const branch of node.branches) {
    const when = await of(branch.when);
    if (operand) comparable(operand, when, when);
    branches.push({ when, then: await of(branch.then) });
  }
  const otherwise = node.otherwise && (await of(node.otherwise));
  const type = [...branches.map(({ then }) => then.type), otherwise?.type ?? types.null].reduce(unify);
  return { kind: 'case', ...(operand ? { operand } : {}), branches, ...(otherwise ? { otherwise } : {}), type, ...place };
}
