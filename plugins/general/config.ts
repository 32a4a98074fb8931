import { existsSync, writeFileSync } from 'node:fs';
import { fileProblem } from '../../src/memory/folders.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import type { ParameterName } from '../../src/session/parameters.js';
import { parameterRows } from './sessions.js';

/** What belongs to one image or one conversation, and not to a configuration. */
const OWN: ReadonlySet<ParameterName> = new Set<ParameterName>(['filename', 'output', 'session_name', 'home', 'dtb', 'kernel_slide', 'file_offset']);

export const config = definePlugin({
  name: 'config',
  needs: 'none',
  topic: 'session',
  summary: 'the parameters that are set, and where each value comes from; saves them',
  notes:
    'Values come from the command line, else from the first of ./.rekallrc, ~/.rekallrc and /etc/rekallrc that is there, else they are defaults. Nothing is written ' +
    'but what save names. Keys of the file are the names of parameters, and environment, a map of variables. A file in the working folder names no programs (plugin_path, pager, environment).',
  args: {
    all: arg.bool('defaults too', { default: false }),
    save: arg.path('write what differs from the defaults to this file (~/.rekallrc)'),
    force: arg.bool('replace that file where it is there already', { default: false }),
  },
  columns: {
    parameter: col.string('its name'),
    value: col.any('its value'),
    origin: col.string('file and line, command line, smod …; empty for a default'),
    default: col.any('its value when nothing is said', { hidden: true }),
    doc: col.string('what it means'),
  },
  examples: [{ line: 'config' }, { line: 'config all=yes' }],
  async *collect(context, args) {
    const rows = [...parameterRows(context.session)];
    if (args.save !== undefined) {
      if (existsSync(args.save) && !args.force) throw new PluginError(`${args.save} is there already.`, `config save=${args.save} force=yes`);
      const kept = rows.filter((row) => row.value !== null && !OWN.has(row.parameter) && JSON.stringify(row.value) !== JSON.stringify(row.default));
      const { stringify } = await import('yaml');
      const text = kept.map((row) => `# ${row.doc}\n${stringify({ [row.parameter]: row.value })}`).join('');
      try {
        writeFileSync(args.save, text === '' ? '# Every parameter has its default.\n' : text);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error)) throw error;
        throw new PluginError(`${args.save} cannot be written: ${fileProblem(error)}.`);
      }
      context.note(`${kept.length} ${kept.length === 1 ? 'parameter is' : 'parameters are'} written to ${args.save}.`);
    }
    const shown = rows.filter((row) => args.all || row.origin !== null);
    if (shown.length === 0) context.note('Every parameter has its default; config all=yes shows them.');
    yield* shown;
  },
});
