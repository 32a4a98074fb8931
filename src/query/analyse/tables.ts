import type { CallArgument, Place } from '../../../grammar/efilter-tree.js';
import type { Arg, ArgType } from '../../plugin/args.js';
import type { Columns } from '../../plugin/columns.js';
import { didYouMean } from '../../plugin/similar.js';
import type { CatalogTable } from '../catalog.js';
import { QueryError } from '../error.js';
import type { Field, Relation, Scalar, SubqueryTerm } from '../plan/logical.js';
import { argumentValue, isListArgument } from '../run/arguments.js';
import { columnType, isWhole, type Type, typeName } from '../types.js';
import type { Analysis } from './analysis.js';
import type { Position } from './context.js';
import { atPlace } from './facts.js';
import { existing } from './scope.js';
import { analyseAs, asValue } from './subqueries.js';

/** A call of a table, as far as it matters here. */
interface TableCall extends Place {
  readonly name: string;
  readonly at: Place;
  readonly args: readonly CallArgument[];
}

/** The rows of a table with arguments checked against its declaration. */
export async function tableScan(analysis: Analysis, table: CatalogTable, call: TableCall, position: Position): Promise<Relation> {
  const args = new Map<string, Scalar>();
  for (const [name, values] of placed(table, call)) {
    const arg = table.args[name] as Arg;
    const scalars: Scalar[] = [];
    for (const value of values) scalars.push(await argument(analysis, name, arg, value, position));
    const [only] = scalars;
    if (only && scalars.length === 1) args.set(name, only);
    else args.set(name, { kind: 'list', items: scalars, type: { kind: 'list', of: only?.type ?? { kind: 'any' } }, start: call.start, end: call.end });
  }
  for (const [name, arg] of Object.entries(table.args)) {
    if (arg.required && arg.default === undefined && !args.has(name)) {
      throw new QueryError(`${table.name} needs ${name} (${arg.type}): ${arg.doc}.`, { start: call.start, end: call.end }, `${table.name}?`);
    }
  }
  const columns = table.columns ?? (await columnsOf(analysis, table, args));
  const fields = Object.entries(columns).map(([name, column]): Field => ({ name, type: columnType(column), column }));
  return { kind: 'table', table, args, fields, alias: table.name, place: { start: call.start, end: call.end } };
}

/** Which argument each value of a call is for; a list takes all that are given by position from its place on. */
function placed(table: CatalogTable, call: TableCall): Map<string, CallArgument[]> {
  const positional = Object.entries(table.args).filter(([, arg]) => arg.positional === true);
  const given = new Map<string, CallArgument[]>();
  let next = 0;
  for (const argument of call.args) {
    if (argument.name !== undefined) {
      const name = Object.keys(table.args).find((known) => known === argument.name?.replaceAll('-', '_'));
      if (name === undefined) throw unknownArgument(table, argument.name, argument.at ?? argument);
      if (given.has(name)) throw new QueryError(`${table.name} is given ${name} twice.`, argument.at ?? argument);
      given.set(name, [argument]);
      continue;
    }
    while (positional[next] && given.has(positional[next]?.[0] ?? '') && !isListArgument(positional[next]?.[1].type ?? 'int')) next++;
    const [name, arg] = positional[next] ?? [];
    if (name === undefined || !arg) {
      const takes =
        positional.length === 0 ? 'no arguments without a name' : `no more arguments without a name than ${positional.map(([known]) => known).join(', ')}`;
      throw new QueryError(`${table.name} takes ${takes}.${has(table)}`, argument);
    }
    const values = given.get(name);
    if (values) values.push(argument);
    else given.set(name, [argument]);
    if (!isListArgument(arg.type)) next++;
  }
  return given;
}

function unknownArgument(table: CatalogTable, name: string, place: Place): QueryError {
  return new QueryError(`${table.name} has no argument ${name}.${didYouMean(name, Object.keys(table.args))}${has(table)}`, place, `${table.name}?`);
}

function has(table: CatalogTable): string {
  const names = Object.keys(table.args);
  return names.length === 0 ? ' It has none.' : ` It has ${existing(names)}.`;
}

async function argument(analysis: Analysis, name: string, arg: Arg, given: CallArgument, position: Position): Promise<Scalar> {
  const inner: Position = { ...position, rowWise: 'an argument is known before the first row' };
  const value = oneColumn(name, await analyseAs(analysis, given.value, inner, 'rows'), given.value);
  const type = value.type.kind === 'list' ? value.type.of : value.type;
  if (!fits(arg.type, type)) {
    throw new QueryError(`${name} is ${wanted(arg)}, not ${typeName(value.type)}.`, given.value);
  }
  // What is known now is checked now.
  if (value.kind === 'constant') atPlace(given.value, () => argumentValue(name, arg, value.value));
  return value;
}

/** A sub-query as the values of its one column, or of the column that is called like the argument. */
function oneColumn(name: string, value: Scalar, place: Place): Scalar {
  if (value.kind !== 'subquery' || value.as !== 'rows') return value;
  const { relation } = value;
  if (relation.fields.length === 1) return asValue(relation, 'list', value);
  const field = relation.fields.find((candidate) => candidate.name === name);
  if (!field) {
    const names = relation.fields.map((candidate) => candidate.name);
    throw new QueryError(`${name} takes the values of one column; this has ${existing(names)}. Name one behind it: (…).${names[0] ?? 'column'}`, place);
  }
  const items: Scalar[] = [{ kind: 'field', field, type: field.type, start: place.start, end: place.end }];
  return asValue({ kind: 'project', input: relation, items, fields: [{ ...field }] }, 'list', value) satisfies SubqueryTerm;
}

function fits(arg: ArgType, type: Type): boolean {
  if (type.kind === 'any' || type.kind === 'null' || type.kind === 'row' || type.kind === 'tuple') return true;
  switch (arg) {
    case 'int':
    case 'ints':
      return isWhole(type);
    case 'address':
    case 'addresses':
      return isWhole(type) || type.kind === 'struct' || type.kind === 'string';
    case 'bool':
      return type.kind === 'bool' || type.kind === 'int';
    default:
      return type.kind === 'string';
  }
}

function wanted(arg: Arg): string {
  switch (arg.type) {
    case 'int':
      return 'a whole number';
    case 'ints':
      return 'one or more whole numbers';
    case 'address':
    case 'addresses':
      return 'an address (a number, a symbol, a struct)';
    case 'bool':
      return 'true or false';
    case 'regex':
      return 'a string (a regular expression)';
    default:
      return 'a string';
  }
}

/** Columns of a table that knows them only when its first row is there: it is opened, and closed again. */
async function columnsOf(analysis: Analysis, table: CatalogTable, args: ReadonlyMap<string, Scalar>): Promise<Columns> {
  const values: Record<string, unknown> = {};
  for (const [name, arg] of Object.entries(table.args)) if (arg.default !== undefined) values[name] = arg.default;
  for (const [name, value] of args) {
    const known = constantOf(value);
    if (!known) {
      throw new QueryError(`The columns of ${table.name} depend on ${name}, which must be a constant or a parameter.`, value);
    }
    values[name] = await argumentValue(name, table.args[name] as Arg, known.value, analysis.environment.catalog);
  }
  const run = table.open(values, {});
  const batches = run.batches();
  try {
    await batches.next();
    return run.columns;
  } finally {
    await batches.return(undefined);
  }
}

/** A value that is known before anything runs: a constant, or a list of them. */
function constantOf(value: Scalar): { readonly value: unknown } | undefined {
  if (value.kind === 'constant') return value;
  if (value.kind !== 'list' && value.kind !== 'tuple') return undefined;
  const items = value.items.map(constantOf);
  return items.every((item) => item !== undefined) ? { value: items.map((item) => item.value) } : undefined;
}
