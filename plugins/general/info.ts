import { arg } from '../../src/plugin/args.js';
import { col, type Column } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import type { PluginEntry } from '../../src/plugin/registry.js';
import { similar } from '../../src/plugin/similar.js';
import { type Parameter, parameterNamed, parameters } from '../../src/session/parameters.js';

interface InfoRow {
  readonly function: string;
  readonly provider: string;
  readonly type: string | null;
  readonly default: unknown;
  readonly docs: string;
}

export const info = definePlugin({
  name: 'info',
  needs: 'none',
  topic: 'session',
  summary: 'commands and parameters of the session; with a name, all of that one',
  notes: 'The same declarations from which help, completion and argument parsing come, as a table.',
  args: { item: arg.string('a command or a parameter', { positional: true, completes: 'plugin' }) },
  columns: {
    function: col.string('name of the command, argument, column or parameter'),
    provider: col.string('what it is: command, argument, column, example or parameter; of commands the module too'),
    type: col.string('type of its value', { minor: true }),
    default: col.any('value when none is given', { minor: true }),
    docs: col.string('what it means'),
  },
  examples: [{ line: 'info' }, { line: 'info pslist' }, { line: 'info format', doc: 'a parameter' }],
  *collect(context, args) {
    const entries = context.session.registry.list();
    if (args.item === undefined) {
      for (const entry of entries) yield command(entry);
      for (const [name, parameter] of Object.entries(parameters) as [string, Parameter][]) yield describeParameter(name, parameter);
      return;
    }
    const named = context.session.registry.named(args.item);
    for (const entry of named) yield* details(entry);
    const parameter = parameterNamed(args.item);
    if (parameter !== undefined) yield describeParameter(parameter, parameters[parameter]);
    if (named.length > 0 || parameter !== undefined) return;
    const near = similar(args.item, [...entries.map((entry) => entry.name), ...Object.keys(parameters)]);
    throw new PluginError(`There is no command and no parameter ${args.item}.`, near[0] === undefined ? 'info' : `info ${near[0]}`);
  },
});

function command(entry: PluginEntry): InfoRow {
  const needs = typeof entry.needs === 'string' ? entry.needs : entry.needs.join(', ');
  const where = entry.file === '' ? '' : ` (${entry.file.replace(/\.js$/, '')})`;
  return { function: entry.name, provider: `command${where}`, type: needs, default: null, docs: entry.summary };
}

function* details(entry: PluginEntry): Generator<InfoRow> {
  yield command(entry);
  for (const [name, one] of Object.entries(entry.args)) {
    const choices = one.choices ? ` of ${one.choices.join(', ')}` : '';
    yield { function: name, provider: 'argument', type: `${one.type}${choices}`, default: one.default ?? null, docs: one.required ? `${one.doc} (required)` : one.doc };
  }
  for (const [name, column] of Object.entries(entry.columns)) {
    yield { function: name, provider: 'column', type: columnType(column), default: null, docs: column.doc };
  }
  for (const example of entry.examples) {
    yield { function: example.line, provider: 'example', type: null, default: null, docs: example.doc ?? '' };
  }
}

function columnType(column: Column): string {
  return [column.struct ?? column.type, column.unit === undefined ? '' : `(${column.unit})`].filter(Boolean).join(' ');
}

function describeParameter(name: string, parameter: Parameter): InfoRow {
  const choices = parameter.choices ? ` of ${parameter.choices.join(', ')}` : '';
  return { function: name, provider: 'parameter', type: `${parameter.type}${choices}`, default: parameter.default ?? null, docs: parameter.doc };
}
