import type { Arg } from '../plugin/args.js';
import type { PluginEntry } from '../plugin/registry.js';

/** What an argument takes, as TypeScript writes it. */
export const ARGUMENT_TYPES: Readonly<Record<Arg['type'], string>> = {
  int: 'Int',
  address: 'Address',
  string: 'string',
  bool: 'boolean',
  regex: 'RegExp | string',
  ints: 'Iterable<Int> | Int',
  addresses: 'Iterable<Address> | Address',
  strings: 'Iterable<string> | string',
  choice: 'string',
  choices: 'Iterable<string> | string',
  path: 'string',
};

/** The type of an argument as TypeScript writes it; choices are spelt out. */
export function argumentType(arg: Arg): string {
  if (!arg.choices || arg.choices.length === 0) return ARGUMENT_TYPES[arg.type];
  const one = arg.choices.map((choice) => JSON.stringify(choice).replace(/^"(.*)"$/, (_, inner: string) => `'${inner.replaceAll("'", "\\'")}'`)).join(' | ');
  return arg.type === 'choices' ? `Iterable<${one}> | ${one}` : one;
}

/** `pslist({ pids?, proc_regex?, … })` */
export function signature(entry: PluginEntry): string {
  const names = Object.entries(entry.args).map(([name, arg]) => `${name}${arg.required ? '' : '?'}`);
  return `${entry.name}(${names.length === 0 ? '' : `{ ${names.join(', ')} }`})`;
}

/** A command for whoever calls it from code: how, what it takes, what its rows hold. */
export function pluginHelp(entry: PluginEntry): string {
  const args = Object.entries(entry.args).map(([name, arg]) => [
    `${name}${arg.required ? '' : '?'}: ${argumentType(arg)}`,
    arg.default === undefined ? arg.doc : `${arg.doc} (default: ${Array.isArray(arg.default) ? arg.default.join(', ') : String(arg.default)})`,
  ]);
  const columns = Object.entries(entry.columns).map(([name, column]) => [`${name}: ${column.struct ?? column.type}`, column.doc.replace(/\s{2,}/g, '; ')]);
  const parts = [`${signature(entry)}: ${entry.summary}`];
  if (args.length > 0) parts.push('arguments', ...aligned(args));
  parts.push('rows', ...aligned(columns));
  return parts.join('\n');
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const width = Math.min(44, Math.max(0, ...rows.map(([first = '']) => first.length)));
  return rows.map(([first = '', second = '']) => `  ${first.padEnd(width)}  ${second}`.trimEnd());
}
