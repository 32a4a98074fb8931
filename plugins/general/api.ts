import { writeFileSync } from 'node:fs';
import { fileProblem } from '../../src/memory/folders.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { manifestJson, type PluginEntry } from '../../src/plugin/registry.js';
import { type Parameter, parameters } from '../../src/session/parameters.js';

const outputFile = { output_file: arg.path('also write all of it to this file, as YAML') } as const;

export const api = definePlugin({
  name: 'api',
  needs: 'none',
  topic: 'session',
  summary: 'the declarations of all commands, for other programs',
  notes: 'Arguments with types, defaults and choices; columns with types, units and structs; examples: what help, completion and queries are made of.',
  args: outputFile,
  columns: {
    plugin: col.string('the command'),
    api: col.any('its declaration, an object'),
  },
  examples: [{ line: 'api' }],
  async *collect(context, args) {
    const all = (JSON.parse(manifestJson(context.session.registry.list())) as PluginEntry[]).map(({ file: _file, exportName: _name, ...entry }) => entry);
    if (args.output_file !== undefined) await write(args.output_file, all);
    for (const entry of all) yield { plugin: entry.name, api: entry };
  },
});

export const sessionApi = definePlugin({
  name: 'session_api',
  needs: 'none',
  topic: 'session',
  summary: 'the declarations of all parameters of a session, for other programs',
  args: outputFile,
  columns: {
    option: col.string('the parameter'),
    api: col.any('its declaration, an object'),
  },
  examples: [{ line: 'session_api' }],
  async *collect(_context, args) {
    if (args.output_file !== undefined) await write(args.output_file, parameters);
    for (const [option, declared] of Object.entries(parameters) as [string, Parameter][]) yield { option, api: { name: option, ...declared } };
  },
});

async function write(path: string, value: object): Promise<void> {
  const { stringify } = await import('yaml');
  try {
    writeFileSync(path, stringify(value, { aliasDuplicateObjects: false }));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new PluginError(`${path} cannot be written: ${fileProblem(error)}.`);
  }
}
