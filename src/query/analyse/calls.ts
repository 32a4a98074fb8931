import type { Call, CallArgument, Expression, Place } from '../../../grammar/efilter-tree.js';
import { didYouMean } from '../../plugin/similar.js';
import { QueryError } from '../error.js';
import type { QueryFunction } from '../functions/function.js';
import { checkCall, parameterAt, placeArguments } from '../functions/library.js';
import type { AggregateCall, Constant, FunctionCall, PairTerm, PerElementTerm, Scalar } from '../plan/logical.js';
import { rowType, type Type, types } from '../types.js';
import type { Analysis } from './analysis.js';
import type { Position } from './context.js';
import { bound, parametersOf } from './definitions.js';
import { atPlace } from './facts.js';
import { type FunctionDefinition, Scope } from './scope.js';
import { sourceOf } from './sources.js';
import { analyseAs, asValue } from './subqueries.js';
import { contains } from '../plan/walk.js';

/** A call in the place of a value: of a function of the query or the session, of a built-in one, of a table (its rows). */
export async function analyseCall(analysis: Analysis, node: Call, position: Position): Promise<Scalar> {
  const own = functionNamed(position.scope, node.name, node.at);
  if (own) return ownCall(analysis, own, comparing(node, own.parameters), position);
  const { library } = analysis.environment;
  if (library.has(node.name)) return libraryCall(analysis, comparing(node, parameterNames(analysis, node.name)), position);
  const relation = await sourceOf(analysis, node, position, 'value');
  if (relation) return asValue(relation, 'rows', node);
  throw unknownFunction(analysis, node);
}

/** Names that a function's arguments may have; undefined where they may have any (`bind`). */
function parameterNames(analysis: Analysis, name: string): readonly string[] | undefined {
  const { library } = analysis.environment;
  const parameters = [library.scalar(name), library.aggregate(name)].flatMap((declared) => declared?.parameters ?? []);
  return parameters.some(({ form }) => form === 'pair') ? undefined : parameters.map((parameter) => parameter.name);
}

/** `count(pid = 4)` compares, as `count` has no argument `pid`. */
function comparing(node: Call, names: readonly string[] | undefined): Call {
  if (names === undefined || !node.args.some(({ name, equals }) => equals === true && !names.includes(name ?? ''))) return node;
  const args = node.args.map((argument) => {
    const { name, at, value, equals, start, end } = argument;
    if (equals !== true || name === undefined || !at || names.includes(name)) return argument;
    const sign = { start: at.end, end: value.start };
    return { value: { kind: 'binary', operator: '==', left: { kind: 'name', name, ...at }, right: value, at: sign, start, end } as const, start, end };
  });
  return { ...node, args };
}

export function unknownFunction(analysis: Analysis, node: Call): QueryError {
  const { library, catalog } = analysis.environment;
  if (analysis.guard.isOpen(node.name)) return new QueryError(`${node.name} is defined by itself, which has no end.`, node.at);
  return new QueryError(`No function or table is called ${node.name}.${didYouMean(node.name, [...library.names(), ...catalog.names()])}`, node.at, 'plugins');
}

/** The function of a `let` that a name means. */
export function functionNamed(scope: Scope, name: string, place: Place): FunctionDefinition | undefined {
  for (const level of scope.outward()) {
    const meaning = level.callable(name, place);
    if (meaning) return meaning;
  }
  return undefined;
}

async function ownCall(analysis: Analysis, definition: FunctionDefinition, node: Call, position: Position): Promise<Scalar> {
  return analysis.guard.expanding(definition, definition.name, node.at, async () => {
    const { scope, definitions } = parametersOf(definition, node, position, 'expression');
    const body = await analysis.expression(definition.body, { ...position, scope });
    return bound(definitions, body, node);
  });
}

async function libraryCall(analysis: Analysis, node: Call, position: Position): Promise<Scalar> {
  const { library } = analysis.environment;
  const special = library.scalar(node.name)?.parameters.some(({ form }) => form !== undefined && form !== 'value') === true;
  const plain = special && node.star !== true && node.distinct !== true ? undefined : await plainArguments(analysis, node, position);
  // `count()` is `count(*)`.
  const star = node.star === true || (node.args.length === 0 && library.aggregate(node.name)?.star === true);
  const callee = library.resolve(node.name, {
    types: plain?.map(({ type }) => type) ?? node.args.map(() => types.any),
    ...(star ? { star: true } : {}),
    ...(node.distinct === true ? { distinct: true } : {}),
    aggregating: position.rowWise === undefined,
  });
  if (!callee) throw unknownFunction(analysis, node);
  if (callee.kind === 'aggregate' && position.rowWise !== undefined) {
    throw new QueryError(`${node.name} works on many rows, and ${position.rowWise}.`, node);
  }
  if (callee.kind === 'scalar' && node.distinct === true)
    throw new QueryError(`${node.name}(distinct …) means nothing: ${node.name} works on one value.`, node);
  const args = await ordered(analysis, callee, node, plain, position);
  const checked = checkCall(
    callee,
    args.map((arg) => arg?.type ?? types.null),
    star,
  );
  if ('message' in checked) {
    const wrong = checked.argument === undefined ? undefined : args[checked.argument];
    throw new QueryError(checked.message, wrong ?? node);
  }
  const place = { start: node.start, end: node.end };
  const given = args.map((arg): Scalar => arg ?? { kind: 'constant', value: undefined, type: types.null, ...place });
  if (callee.kind === 'scalar') return { kind: 'call', callee, args: given, type: namedPairs(given, checked.result), ...place } satisfies FunctionCall;
  const inner = given.find((arg) => contains(arg, (part) => part.kind === 'aggregate'));
  if (inner) throw new QueryError(`${node.name} cannot work on the value of another aggregate: group in a sub-query first.`, inner);
  return { kind: 'aggregate', callee, args: given, distinct: node.distinct === true, type: checked.result, ...place } satisfies AggregateCall;
}

/** What `bind(a: 1)` makes has the members that its pairs name. */
function namedPairs(args: readonly Scalar[], result: Type): Type {
  if (result.kind !== 'row' || result.members || args.length === 0) return result;
  const members = new Map<string, Type>();
  for (const arg of args) {
    if (arg.kind !== 'pair' || arg.key.kind !== 'constant' || typeof arg.key.value !== 'string') return result;
    members.set(arg.key.value, arg.type);
  }
  return rowType(members);
}

/** All arguments as values, sub-queries as lists. */
async function plainArguments(analysis: Analysis, node: Call, position: Position): Promise<Scalar[]> {
  const done: Scalar[] = [];
  for (const arg of node.args) done.push(await repeatedValue(analysis, arg.value, position));
  return done;
}

/** A sub-query as the values of its one column, or as rows where it has several. */
async function repeatedValue(analysis: Analysis, node: Expression, position: Position): Promise<Scalar> {
  const value = await analyseAs(analysis, node, position, 'rows');
  return value.kind === 'subquery' && value.as === 'rows' && node.kind !== 'call' && value.relation.fields.length === 1
    ? asValue(value.relation, 'list', value)
    : value;
}

/** Arguments in the order of the parameters, each in the form that its parameter wants. */
async function ordered(
  analysis: Analysis,
  callee: QueryFunction,
  node: Call,
  plain: readonly Scalar[] | undefined,
  position: Position,
): Promise<(Scalar | undefined)[]> {
  const formAt = (index: number): string => parameterAt(callee, index)?.form ?? 'value';
  const pairs = callee.parameters.some(({ form }) => form === 'pair');
  const placed = placeArguments(
    callee,
    node.args.map((arg, index) => (pairs && formAt(index) === 'pair' ? undefined : arg.name)),
  );
  if (!Array.isArray(placed)) {
    const wrong = placed.argument === undefined ? undefined : node.args[placed.argument];
    throw new QueryError(placed.message, wrong?.at ?? wrong ?? node);
  }
  const args: (Scalar | undefined)[] = [];
  for (const [index, from] of placed.entries()) {
    const arg = from === undefined ? undefined : node.args[from];
    if (!arg) {
      args.push(undefined);
      continue;
    }
    switch (formAt(index)) {
      case 'each':
        args.push(await perElement(analysis, args[0], arg.value, position));
        break;
      case 'pair':
        args.push(await pair(analysis, arg, position));
        break;
      case 'word':
        args.push(meant(callee, word(arg.value)));
        break;
      default:
        args.push(fitted(callee, index, (from === undefined ? undefined : plain?.[from]) ?? (await repeatedValue(analysis, arg.value, position)), arg));
    }
  }
  return args;
}

/** A sub-query is one value where the function takes no list. */
function fitted(callee: QueryFunction, index: number, value: Scalar, arg: CallArgument): Scalar {
  if (value.kind !== 'subquery' || value.as !== 'list') return value;
  const accepts = parameterAt(callee, index)?.accepts ?? 'any';
  const list = accepts === 'list' || (Array.isArray(accepts) && accepts.includes('list')) || (callee.kind === 'scalar' && callee.maps === index);
  return list ? value : asValue(value.relation, 'scalar', arg.value);
}

/** A word that stands for a type (`cast(x, int)`) has that type. */
function meant(callee: QueryFunction, given: Constant): Scalar {
  const words = callee.kind === 'scalar' ? callee.words : undefined;
  return words ? { ...given, type: atPlace(given, () => words(String(given.value))) } : given;
}

async function perElement(analysis: Analysis, over: Scalar | undefined, node: Expression, position: Position): Promise<PerElementTerm> {
  const list = over?.type ?? types.any;
  const type = list.kind === 'list' ? list.of : list.kind === 'tuple' ? types.any : list;
  const variable = { name: 'it', type };
  const scope = new Scope(position.scope);
  scope.element = variable;
  scope.define('it', { kind: 'element', variable });
  // The one column of a sub-query is its elements, and answers to its name all the same.
  const [column] = over?.kind === 'subquery' && over.as === 'list' ? over.relation.fields : [];
  if (column) scope.define(column.name, { kind: 'element', variable });
  const body = await analysis.expression(node, { scope, rowWise: 'each element is looked at by itself' });
  return { kind: 'per-element', variable, body, type: body.type, start: node.start, end: node.end };
}

async function pair(analysis: Analysis, arg: CallArgument, position: Position): Promise<PairTerm> {
  const place = { start: arg.start, end: arg.end };
  const { value } = arg;
  const make = async (key: Scalar, node: Expression): Promise<PairTerm> => {
    const scalar = await analysis.expression(node, position);
    return { kind: 'pair', key, value: scalar, type: scalar.type, ...place };
  };
  if (arg.name !== undefined) return make({ kind: 'constant', value: arg.name, type: types.string, ...place }, value);
  if (value.kind === 'pair') return make(value.key.kind === 'name' ? word(value.key) : await analysis.expression(value.key, position), value.value);
  if (value.kind === 'binary' && value.operator === '==' && (value.left.kind === 'name' || value.left.kind === 'literal'))
    return make(word(value.left), value.right);
  throw new QueryError('A pair is wanted here: name: value.', arg);
}

function word(node: Expression): Constant {
  const place = { start: node.start, end: node.end };
  if (node.kind === 'name') return { kind: 'constant', value: node.name, type: types.string, ...place };
  if (node.kind === 'literal' && (typeof node.value === 'string' || typeof node.value === 'number'))
    return { kind: 'constant', value: String(node.value), type: types.string, ...place };
  throw new QueryError('A word is wanted here.', place);
}
