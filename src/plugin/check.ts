import { similar } from './similar.js';
import type { Plugin } from './plugin.js';

/** Types of arguments and columns; `satisfies` below keeps them the same as those of the declarations. */
const ARGUMENT_TYPES = ['int', 'address', 'string', 'bool', 'regex', 'ints', 'addresses', 'strings', 'choice', 'choices', 'path'] as const satisfies readonly Plugin['args'][string]['type'][];
const COLUMN_TYPES = [
  'int',
  'float',
  'address',
  'physical',
  'size',
  'string',
  'bool',
  'time',
  'duration',
  'struct',
  'bytes',
  'list',
  'any',
] as const satisfies readonly Plugin['columns'][string]['type'][];
const SYSTEMS: readonly unknown[] = ['linux', 'windows', 'darwin', 'program'];
const NEEDS: readonly unknown[] = ['kernel', 'image', 'none'];
const NAME = /^[a-z][a-z0-9_]*$/;

/** True for what looks like a plugin's declaration, complete or not: an object with a name, with needs and with code. */
export function isPlugin(value: unknown): value is Plugin {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string' && 'needs' in value && 'collect' in value && typeof value.collect === 'function';
}

/**
 * What is wrong with a declaration, in sentences; none for one that is right. Everything that help, completion and queries rely on is
 * looked at, so that a plugin that passes cannot break them.
 */
export function declarationFaults(plugin: Plugin): string[] {
  const wrong: string[] = [];
  const { name, aliases } = plugin;
  if (!NAME.test(name)) wrong.push('its name is not made of lower-case letters, digits and _');
  for (const alias of list(aliases)) if (typeof alias !== 'string' || !NAME.test(alias)) wrong.push(`its other name ${String(alias)} is not made of lower-case letters, digits and _`);
  for (const field of ['summary', 'topic'] as const) if (typeof plugin[field] !== 'string' || plugin[field] === '') wrong.push(`it has no ${field}`);
  const { needs } = plugin as { needs: unknown };
  const known = Array.isArray(needs) ? needs.length > 0 && needs.every((system) => SYSTEMS.includes(system)) : NEEDS.includes(needs);
  if (!known) wrong.push(`its needs are no list of ${SYSTEMS.join(', ')}, and none of ${NEEDS.join(', ')}`);
  wrong.push(...fieldFaults('argument', plugin.args, ARGUMENT_TYPES), ...fieldFaults('column', plugin.columns, COLUMN_TYPES));
  for (const [arg, { type, choices }] of Object.entries(record(plugin.args))) {
    if ((type === 'choice' || type === 'choices') && list(choices).length === 0) wrong.push(`argument ${arg} has no choices`);
  }
  if (isRecord(plugin.columns) && Object.keys(plugin.columns).length === 0 && plugin.dynamic !== true) wrong.push('it has no column');
  const examples = list(plugin.examples);
  if (examples.length === 0) wrong.push('it has no example');
  for (const example of examples) {
    const line: unknown = isRecord(example) ? example['line'] : undefined;
    if (typeof line !== 'string') wrong.push('an example has no line');
    else {
      const first = line.split(/\s/)[0] ?? '';
      if (first !== name && !list(aliases).includes(first)) wrong.push(`its example '${line}' runs another command`);
    }
  }
  return wrong;
}

function fieldFaults(kind: 'argument' | 'column', fields: unknown, types: readonly string[]): string[] {
  if (!isRecord(fields)) return [`it has no ${kind}s: { } where it takes none`];
  return Object.entries(fields).flatMap(([name, one]) => {
    if (!isRecord(one) || typeof one['type'] !== 'string') return [`${kind} ${name} was not made with ${kind === 'column' ? 'col' : 'arg'}`];
    const wrong: string[] = [];
    const { type, doc } = one;
    if (kind === 'argument' && !/^[A-Za-z_][\w-]*$/.test(name)) wrong.push(`argument ${name} has a name that cannot be typed`);
    if (!types.includes(type as string)) wrong.push(`${kind} ${name} has no type ${String(type)}${similar(String(type), types).map((near) => `: perhaps ${near}`)[0] ?? ''}`);
    if (typeof doc !== 'string' || doc === '') wrong.push(`${kind} ${name} has no sentence`);
    return wrong;
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function record<T>(value: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return isRecord(value) ? value : {};
}

/** The value as a list; none where it is no list. */
function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
