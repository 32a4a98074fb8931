import type { Arg } from '../plugin/args.js';
import type { Column } from '../plugin/columns.js';
import type { PluginEntry } from '../plugin/registry.js';
import { argumentType } from './help.js';

/** What a cell of each column type holds, as TypeScript writes it (ColumnValues). */
const COLUMN_TYPES: Readonly<Record<Column['type'], string>> = {
  int: 'number | bigint',
  float: 'number',
  address: 'bigint',
  physical: 'number',
  size: 'number | bigint',
  string: 'string',
  bool: 'boolean',
  time: 'Timestamp',
  duration: 'bigint',
  struct: 'Struct',
  bytes: 'Buffer',
  list: 'readonly unknown[]',
  any: 'unknown',
};

/**
 * The TypeScript declarations of commands as functions: for each the arguments, the row, and a member of `Plugins`, with the
 * declarations' sentences as documentation. Several commands of one name (for several systems) give one function that takes and gives
 * what any of them does.
 * @param structs interfaces that there are of C structs: name of the struct → module and name of the interface
 */
export function declarePlugins(entries: readonly PluginEntry[], structs: ReadonlyMap<string, { readonly module: string; readonly name: string }> = new Map()): string {
  const byName = new Map<string, PluginEntry[]>();
  for (const entry of entries) byName.set(entry.name, [...(byName.get(entry.name) ?? []), entry]);
  const used = new Map<string, Set<string>>();
  const structType = (struct: string | undefined): string => {
    const known = structs.get(struct ?? '');
    if (!known) return 'Struct';
    used.set(known.module, (used.get(known.module) ?? new Set()).add(known.name));
    return known.name;
  };
  const shapes: string[] = [];
  const members: string[] = [];
  for (const [name, all] of [...byName].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const type = pascal(name);
    shapes.push(argumentsOf(type, all), rowOf(type, all, structType));
    const first = firstOf(all);
    const signature = `PluginFunction<${type}Arguments, ${first ? argumentType(first) : 'never'}, ${type}Row>`;
    members.push(comment([...all.map((entry) => entry.summary), ...examples(all)], 2), `  readonly ${name}: ${signature};`);
    for (const alias of new Set(all.flatMap((entry) => entry.aliases ?? []))) {
      if (!byName.has(alias)) members.push(comment([`The same as ${name}.`], 2), `  readonly ${alias}: ${signature};`);
    }
  }
  return [
    '// Made by the build from the declarations of all plugins.',
    "import type { Absent } from '../memory/absent.js';",
    "import type { Pointer } from '../object/pointer.js';",
    "import type { Struct } from '../object/struct.js';",
    "import type { Timestamp } from '../object/time.js';",
    "import type { PluginFunction } from './plugins.js';",
    ...[...used].map(([module, names]) => `import type { ${[...names].sort().join(', ')} } from '${module}';`),
    '',
    comment(['A whole number; texts are read as the command line reads them (`0x1f`, `4k`).']),
    'export type Int = number | bigint | string;',
    comment(['A virtual address: a number, a struct (its address), or the text of an expression such as `linux!init_task+0x10`.']),
    'export type Address = bigint | number | string | Struct | Pointer;',
    comment(['What a row has of a column: its value, null where there is nothing to say, or why it could not be read.']),
    'export type CellValue<T> = T | Absent | null;',
    '',
    ...shapes,
    comment(['The commands as functions. A name that is known at run time only is for `session.plugin(name)`.']),
    'export interface Plugins {',
    ...members,
    '}',
    '',
  ].join('\n');
}

function argumentsOf(type: string, all: readonly PluginEntry[]): string {
  const args = new Map<string, { arg: Arg; types: Set<string>; required: boolean }>();
  for (const entry of all) {
    for (const [name, arg] of Object.entries(entry.args)) {
      const known = args.get(name) ?? { arg, types: new Set(), required: true };
      known.types.add(argumentType(arg));
      args.set(name, known);
    }
  }
  for (const [name, known] of args) known.required = all.every((entry) => entry.args[name]?.required === true);
  const lines = [...args].flatMap(([name, { arg, types, required }]) => {
    const standard = arg.default === undefined ? [] : [`@default ${Array.isArray(arg.default) ? arg.default.join(', ') : String(arg.default)}`];
    return [comment([arg.doc, ...standard], 2), `  readonly ${property(name)}${required ? '' : '?'}: ${[...types].join(' | ')}${required ? '' : ' | undefined'};`];
  });
  return block(`export interface ${type}Arguments`, lines);
}

function rowOf(type: string, all: readonly PluginEntry[], structType: (struct: string | undefined) => string): string {
  const columns = new Map<string, { column: Column; types: Set<string> }>();
  for (const entry of all) {
    for (const [name, column] of Object.entries(entry.columns)) {
      const known = columns.get(name) ?? { column, types: new Set() };
      known.types.add(column.type === 'struct' ? structType(column.struct) : COLUMN_TYPES[column.type]);
      columns.set(name, known);
    }
  }
  const lines = [...columns].flatMap(([name, { column, types }]) => {
    const unit = column.unit === undefined ? '' : `, in ${column.unit}`;
    const struct = column.struct === undefined ? '' : ` (struct ${column.struct})`;
    return [comment([`${column.doc.replace(/\s{2,}/g, '; ')}${unit}${struct}`], 2), `  readonly ${property(name)}: CellValue<${[...types].join(' | ')}>;`];
  });
  const depth = all.some((entry) => Object.values(entry.columns).some((column) => column.tree === true))
    ? [comment(['depth in the tree, 0 for a root'], 2), '  readonly $depth?: number;']
    : [];
  if (all.some((entry) => entry.dynamic === true)) {
    return block(`export interface ${type}Row`, [comment(['columns depend on the arguments'], 2), '  readonly [column: string]: unknown;']);
  }
  return block(`export interface ${type}Row`, [...lines, ...depth]);
}

function firstOf(all: readonly PluginEntry[]): Arg | undefined {
  for (const entry of all) for (const arg of Object.values(entry.args)) if (arg.positional === true) return arg;
  return undefined;
}

/** Command lines with their meaning. */
function examples(all: readonly PluginEntry[]): string[] {
  return all.flatMap((entry) => entry.examples.map(({ line, doc }) => `On the command line: \`${line}\`${doc === undefined ? '' : ` (${doc})`}`));
}

function block(head: string, lines: readonly string[]): string {
  // An empty interface would take anything.
  const inner = lines.length === 0 ? '  readonly [name: string]: never;' : lines.join('\n');
  return `${head} {\n${inner}\n}\n`;
}

/** A documentation comment that nothing in it can end. */
function comment(lines: readonly string[], indent = 0): string {
  const lead = ' '.repeat(indent);
  const safe = lines.map((line) => line.replaceAll('*/', '*\\/').replace(/\s*\n\s*/g, ' '));
  if (safe.length === 1) return `${lead}/** ${safe[0] ?? ''} */`;
  return [`${lead}/**`, ...safe.map((line) => `${lead} * ${line}`), `${lead} */`].join('\n');
}

function property(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

/** `check_modules` → `CheckModules` */
function pascal(name: string): string {
  return name.split('_').map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('');
}
