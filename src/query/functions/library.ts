import { Absent } from '../../memory/absent.js';
import { didYouMean } from '../../plugin/similar.js';
import { incomparable, isNumeric, isWhole, listOf, type Type, typeName, types } from '../types.js';
import type { ValueContext } from '../values/context.js';
import { absenceOf, ValueError } from '../values/error.js';
import { elementsOf, isList } from '../values/list.js';
import type {
  Accepts,
  AggregateFunction,
  CallContext,
  FunctionParameter,
  FunctionRow,
  QueryFunction,
  ScalarFunction,
} from './function.js';

/** What a call says, before its function is known. */
export interface CallShape {
  /** static types of its arguments; of an `each` or `pair` argument any type */
  readonly types: readonly Type[];
  readonly star?: boolean;
  readonly distinct?: boolean;
  /** it stands where aggregates may: in the columns, `having` or `order by` of a select that has a `from` */
  readonly aggregating: boolean;
}

/** A call of a function that is not right: which argument, and why. */
export interface CallMistake {
  readonly message: string;
  /** index of the argument; absent: the call as a whole */
  readonly argument?: number;
}

/**
 * All functions, by name and alias, whatever the case. The same name may be a function of values and an aggregate (`count`, `sum`,
 * `first`, `min` …):
 *
 * - `f(*)` and `f(distinct x)` are aggregates;
 * - where no aggregate may stand (`where`, `on`, a query without `from`), it is the function of values;
 * - elsewhere it is an aggregate, unless its first argument is a list (a column of type list, a sub-query: `count(children)` counts the
 *   elements of each row's list), or the aggregate does not take so many arguments (`min(a, b)`).
 */
export class FunctionLibrary {
  private readonly scalars = new Map<string, ScalarFunction>();
  private readonly aggregates = new Map<string, AggregateFunction>();
  readonly functions: readonly QueryFunction[];

  constructor(functions: readonly QueryFunction[]) {
    this.functions = functions;
    for (const declared of functions) {
      for (const name of [declared.name, ...(declared.aliases ?? [])]) {
        const known: Map<string, QueryFunction> = declared.kind === 'scalar' ? this.scalars : this.aggregates;
        if (known.has(name)) throw new Error(`two functions are called ${name}`);
        known.set(name, declared);
      }
    }
  }

  has(name: string): boolean {
    const key = name.toLowerCase();
    return this.scalars.has(key) || this.aggregates.has(key);
  }

  /** The function of values of this name. */
  scalar(name: string): ScalarFunction | undefined {
    return this.scalars.get(name.toLowerCase());
  }

  aggregate(name: string): AggregateFunction | undefined {
    return this.aggregates.get(name.toLowerCase());
  }

  /** The function that a call means, by the rule above; undefined: no function has this name. */
  resolve(name: string, call: CallShape): QueryFunction | undefined {
    const scalar = this.scalar(name);
    const aggregate = this.aggregate(name);
    if (!scalar || !aggregate) return scalar ?? aggregate;
    if (call.star === true || call.distinct === true) return aggregate;
    if (!call.aggregating) return scalar;
    const [first] = call.types;
    const lists = first?.kind === 'list' || first?.kind === 'tuple';
    return lists || !takes(aggregate.parameters, call.types.length) ? scalar : aggregate;
  }

  /** Names and aliases, for completion and suggestions. */
  names(): string[] {
    return [...new Set([...this.scalars.keys(), ...this.aggregates.keys()])].sort();
  }

  /** ` Did you mean lower?`, or nothing. */
  suggest(name: string): string {
    return didYouMean(name, this.names());
  }

  /** The rows of `select * from functions()`, by name. */
  rows(): FunctionRow[] {
    return this.functions
      .map((declared) => ({
        name: declared.name,
        kind: declared.kind,
        topic: declared.topic,
        signature: signature(declared),
        doc: declared.doc,
        example: declared.examples[0].query,
        aliases: declared.aliases ?? [],
      }))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.kind < b.kind ? 1 : -1));
  }
}

/** `substr(text: string, start: int, [end: int]) → string` */
export function signature(declared: QueryFunction): string {
  const parts = declared.parameters.map((parameter) => {
    const accepts = typeof parameter.accepts === 'string' ? [parameter.accepts] : parameter.accepts;
    const type =
      parameter.form === 'each'
        ? 'expression of an element'
        : parameter.form === 'pair'
          ? 'value'
          : accepts.filter((one) => one !== 'any' || accepts.length === 1).join(' or ');
    const text = `${parameter.name}: ${type}${parameter.variadic === true ? ', …' : ''}`;
    return parameter.optional === true ? `[${text}]` : text;
  });
  const result = typeof declared.result === 'function' ? 'as its arguments' : typeName(declared.result);
  return `${declared.name}(${parts.join(', ')}) → ${result}`;
}

function takes(parameters: readonly FunctionParameter[], count: number): boolean {
  const least = parameters.filter((parameter) => parameter.optional !== true).length;
  const most = parameters.at(-1)?.variadic === true ? Infinity : parameters.length;
  return count >= least && count <= most;
}

/** The parameter that an argument at an index belongs to. */
export function parameterAt(declared: QueryFunction, index: number): FunctionParameter | undefined {
  const last = declared.parameters.at(-1);
  return declared.parameters[index] ?? (last?.variadic === true ? last : undefined);
}

/**
 * Arguments by name in the order of the parameters: `substr(text: "abc", end: 2, start: 1)`. A name that a function does not have is a
 * mistake; arguments of form `pair` keep their names, and are not asked about here.
 * @param names the arguments' names, undefined for those by position
 * @returns for each parameter (a variadic one last, all of its arguments) the index of its argument, or undefined where an optional one is left out
 */
export function placeArguments(
  declared: QueryFunction,
  names: readonly (string | undefined)[],
): (number | undefined)[] | CallMistake {
  const placed: (number | undefined)[] = [];
  let position = 0;
  for (const [index, name] of names.entries()) {
    const at =
      name === undefined
        ? position++
        : declared.parameters.findIndex((parameter) => parameter.name === name.toLowerCase());
    if (at < 0) {
      const known = declared.parameters.map((parameter) => parameter.name);
      return {
        message: `${declared.name} has no argument ${name ?? ''}; it has ${known.join(', ')}.${didYouMean(name ?? '', known)}`,
        argument: index,
      };
    }
    if (placed[at] !== undefined)
      return { message: `${declared.name} is given ${name ?? 'an argument'} twice.`, argument: index };
    placed[at] = index;
  }
  for (let index = 0; index < placed.length; index++) placed[index] ??= undefined;
  return placed;
}

/**
 * Checks a call against the declaration.
 * @param args types of the arguments, in the order of the parameters; null type for an optional one left out
 * @returns the type of its value, or what is wrong
 */
export function checkCall(
  declared: QueryFunction,
  args: readonly Type[],
  star = false,
): { readonly result: Type } | CallMistake {
  if (star && !(declared.kind === 'aggregate' && declared.star === true))
    return { message: `${declared.name}(*) means nothing; only count(*) does.` };
  if (!star && !takes(declared.parameters, args.length)) return { message: wrongCount(declared, args.length) };
  for (const [index, type] of args.entries()) {
    const parameter = parameterAt(declared, index);
    if (!parameter || (parameter.form ?? 'value') !== 'value') continue;
    const maps = declared.kind === 'scalar' && declared.maps === index && type.kind === 'list';
    const given = maps ? (type as { of: Type }).of : type;
    if (!accepts(parameter, given)) {
      const wanted = typeof parameter.accepts === 'string' ? parameter.accepts : parameter.accepts.join(' or ');
      return {
        message: `${declared.name} takes ${wanted} as ${parameter.name}, not ${typeName(type)}.${hint(parameter, given)}`,
        argument: index,
      };
    }
  }
  if (typeof declared.result !== 'function') return { result: mapped(declared, args, declared.result) };
  return { result: mapped(declared, args, declared.result(elementTypes(declared, args))) };
}

function mapped(declared: QueryFunction, args: readonly Type[], result: Type): Type {
  return declared.kind === 'scalar' && declared.maps !== undefined && args[declared.maps]?.kind === 'list'
    ? listOf(result)
    : result;
}

function elementTypes(declared: QueryFunction, args: readonly Type[]): readonly Type[] {
  if (declared.kind !== 'scalar' || declared.maps === undefined) return args;
  return args.map((type, index) => (index === declared.maps && type.kind === 'list' ? type.of : type));
}

function wrongCount(declared: QueryFunction, count: number): string {
  const given = count === 0 ? 'none' : String(count);
  return `${declared.name} does not take so many arguments (${given}): ${signature(declared)}.`;
}

function hint(parameter: FunctionParameter, given: Type): string {
  const reason =
    parameter.accepts === 'string' || parameter.accepts === 'number'
      ? incomparable(given, types[parameter.accepts === 'string' ? 'string' : 'int'])
      : undefined;
  const advice = reason?.split('; ')[1];
  return advice === undefined ? '' : ` Note that ${advice}.`;
}

/** True where an argument of this type fits. */
export function accepts(parameter: FunctionParameter, type: Type): boolean {
  if (type.kind === 'any' || type.kind === 'null') return true;
  const wanted = typeof parameter.accepts === 'string' ? [parameter.accepts] : parameter.accepts;
  return wanted.some((one) => fits(one, type));
}

function fits(wanted: Accepts, type: Type): boolean {
  switch (wanted) {
    case 'any':
      return true;
    case 'number':
      return isNumeric(type);
    case 'int':
      return isWhole(type) || type.kind === 'bool';
    case 'address':
      return isWhole(type) || type.kind === 'struct';
    case 'duration':
      return isWhole(type);
    case 'list':
      return type.kind === 'list' || type.kind === 'tuple';
    case 'row':
      return type.kind === 'row' || type.kind === 'struct';
    default:
      return type.kind === wanted;
  }
}

/** A call ready to run: its arguments' values in the order of the parameters. */
export type BoundFunction = (args: readonly unknown[]) => unknown;

/**
 * A function of values with what it needs: nulls are passed by, lists mapped over. It never throws for a row's values: what it cannot
 * work with is Absent. Optional arguments left out are `undefined`.
 * @param argumentTypes static types, in the order of the parameters
 * @param constant all arguments are known while the query is prepared: a value that it cannot work with is then a ValueError
 */
export function bindFunction(
  declared: ScalarFunction,
  argumentTypes: readonly Type[],
  context: ValueContext,
  constant = false,
): BoundFunction {
  const call: CallContext = { timezone: context.timezone, now: context.now, types: argumentTypes };
  const handled = declared.nulls === 'handled';
  const one: BoundFunction = (args) => {
    if (!handled) for (const arg of args) if (arg === null || arg instanceof Absent) return arg;
    try {
      return declared.call(args, call);
    } catch (error) {
      if (constant && error instanceof ValueError) throw error;
      return absenceOf(error);
    }
  };
  const { maps } = declared;
  if (maps === undefined) return one;
  return (args) => {
    const over = args[maps];
    return isList(over)
      ? elementsOf(over).map((element) => one(args.map((arg, index) => (index === maps ? element : arg))))
      : one(args);
  };
}
