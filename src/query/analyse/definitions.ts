import type { Binding, Expression, Let, Name, Place } from '../../../grammar/efilter-tree.js';
import { QueryError } from '../error.js';
import { type Field, type Relation, type Scalar, type Variable } from '../plan/logical.js';
import { toColumn } from '../types.js';
import type { Analysis } from './analysis.js';
import type { Position } from './context.js';
import { type FunctionDefinition, Scope, type ValueDefinition, type ValueMode } from './scope.js';
import { analyseAs, asValue } from './subqueries.js';

/** `let` inside of an expression: each value is computed once, when it is first needed. */
export async function analyseLet(analysis: Analysis, node: Let, position: Position, mode: ValueMode = 'scalar'): Promise<Scalar> {
  const { scope, definitions } = await defineBindings(analysis, node.bindings, position, 'expression');
  const body = await analyseAs(analysis, node.body, { ...position, scope }, mode);
  return bound(definitions, body, node);
}

/**
 * A scope with the names of a `let`, each of which sees those before it. Values are analysed here, used or not, so that no mistake
 * is passed over.
 */
export async function defineBindings(
  analysis: Analysis,
  bindings: readonly Binding[],
  position: Position,
  level: ValueDefinition['level'],
): Promise<{ readonly scope: Scope; readonly definitions: readonly ValueDefinition[] }> {
  let { scope } = position;
  const definitions: ValueDefinition[] = [];
  for (const binding of bindings) {
    const around: Position = { ...position, scope };
    scope = new Scope(scope);
    if (binding.parameters) {
      repeatedName(binding.parameters, binding);
      scope.define(binding.name, {
        kind: 'function',
        definition: { name: binding.name, parameters: binding.parameters, body: binding.value, position: around },
      });
    } else {
      const definition: ValueDefinition = { name: binding.name, value: binding.value, position: around, level, uses: new Map() };
      await useDefinition(analysis, definition, 'rows', binding.value);
      definitions.push(definition);
      scope.define(binding.name, { kind: 'definition', definition });
    }
  }
  return { scope, definitions };
}

function repeatedName(names: readonly string[], binding: Binding): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new QueryError(`${binding.name} has two parameters called ${twice}.`, binding.at);
}

/** The definition that a name means, if it means one. */
export function definitionNamed(scope: Scope, node: Name): ValueDefinition | undefined {
  for (const level of scope.outward()) {
    const meaning = level.own(node.name, node);
    if (meaning) return meaning.kind === 'definition' ? meaning.definition : undefined;
  }
  return undefined;
}

/** A use of a defined value. */
export async function useDefinition(analysis: Analysis, definition: ValueDefinition, mode: ValueMode, place: Place): Promise<Scalar> {
  const key = isQuery(definition.value, definition.position.scope) ? mode : 'scalar';
  let use = definition.uses.get(key);
  if (!use) {
    const scalar = await analysis.guard.expanding(definition, definition.name, place, () => analyseAs(analysis, definition.value, definition.position, key));
    use = settled(definition, scalar);
    definition.uses.set(key, use);
  }
  if (!use.variable) return use.scalar;
  return { kind: 'variable', variable: use.variable, type: use.scalar.type, start: place.start, end: place.end };
}

/** How the value is kept: constants and sub-queries (which are computed once anyway) as they are, others in a variable or as a query of one row. */
function settled(definition: ValueDefinition, scalar: Scalar): { readonly scalar: Scalar; readonly variable?: Variable } {
  if (scalar.kind === 'constant' || scalar.kind === 'subquery') return { scalar };
  if (definition.level === 'expression') return { scalar, variable: { name: definition.name, type: scalar.type } };
  return { scalar: asValue(oneRow(definition.name, scalar), 'scalar', scalar) };
}

/** A relation of one row with one value. */
export function oneRow(name: string, value: Scalar): Relation {
  const field: Field = { name, type: value.type, column: toColumn(value.type, '') };
  return { kind: 'project', input: { kind: 'one', fields: [] }, items: [value], fields: [field] };
}

/** True for a query, also behind a `let` or a name that a `let` gave it. */
function isQuery(node: Expression, scope: Scope, seen: ReadonlySet<ValueDefinition> = new Set()): boolean {
  if (node.kind === 'let') return isQuery(node.body, scope, seen);
  if (node.kind !== 'name') return node.kind === 'subquery' && node.any !== true;
  const definition = definitionNamed(scope, node);
  return definition !== undefined && !seen.has(definition) && isQuery(definition.value, definition.position.scope, new Set([...seen, definition]));
}

/** The body with the variables of definitions that were used around it, the first outermost. */
export function bound(definitions: readonly ValueDefinition[], body: Scalar, place: Place): Scalar {
  return definitions.reduceRight((inner: Scalar, definition) => {
    let wrapped = inner;
    for (const { variable, scalar } of definition.uses.values()) {
      if (variable) wrapped = { kind: 'let', variable, value: scalar, body: wrapped, type: wrapped.type, start: place.start, end: place.end };
    }
    return wrapped;
  }, body);
}

/** Arguments of a call of a user's function, as definitions in the scope of its body. */
export function parametersOf(
  definition: FunctionDefinition,
  call: { readonly args: readonly { readonly name?: string; readonly at?: Place; readonly value: Expression }[]; readonly at: Place } & Place,
  position: Position,
  level: ValueDefinition['level'],
): { readonly scope: Scope; readonly definitions: readonly ValueDefinition[] } {
  const { parameters, name } = definition;
  const given = new Map<string, Expression>();
  let next = 0;
  for (const arg of call.args) {
    const parameter = arg.name ?? parameters[next++];
    if (parameter === undefined || !parameters.includes(parameter)) {
      const takes = parameters.length === 0 ? 'no arguments' : parameters.join(', ');
      throw new QueryError(`${name} takes ${takes}: this is ${arg.name === undefined ? 'too many' : `no ${arg.name}`}.`, arg.at ?? arg.value);
    }
    if (given.has(parameter)) throw new QueryError(`${name} is given ${parameter} twice.`, arg.at ?? arg.value);
    given.set(parameter, arg.value);
  }
  const scope = new Scope(definition.position.scope);
  const definitions = parameters.map((parameter): ValueDefinition => {
    const value = given.get(parameter);
    if (!value) throw new QueryError(`${name} needs ${parameter}: ${name}(${parameters.join(', ')}).`, call);
    return { name: parameter, value, position, level, uses: new Map() };
  });
  for (const parameter of definitions) scope.define(parameter.name, { kind: 'definition', definition: parameter });
  return { scope, definitions };
}
