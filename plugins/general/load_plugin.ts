import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';

export const loadPlugin = definePlugin({
  name: 'load_plugin',
  needs: 'none',
  topic: 'session',
  summary: 'adds commands from your own files; without one shows those that were added',
  notes:
    "A file (.ts, .mts, .js, .mjs) that imports from 'rekall' and exports plugins, or a folder of such files. Loading it again takes its present text, and that of what it " +
    'imports from beside it. A command of the same name as a built-in one hides it. plugin_path in ~/.rekallrc loads them at every start.',
  args: { path: arg.strings('files or folders', { positional: true, completes: 'path' }) },
  columns: {
    name: col.string('the command'),
    needs: col.string('what it works on: linux, windows, darwin; kernel, image or none'),
    summary: col.string('what it shows'),
    file: col.string('where it comes from'),
    hides: col.bool('true where it hides a built-in command'),
  },
  examples: [{ line: 'load_plugin', doc: 'those that were added' }],
  async *collect(context, args) {
    const { session } = context;
    const { registry } = session;
    const files = new Set<string>();
    const plugins = await session.userPlugins();
    for (const path of args.path ?? []) {
      for (const { file, fault } of await plugins.reload(session.path(path))) {
        if (fault !== undefined) throw new PluginError(fault);
        files.add(file);
      }
    }
    if (args.path === undefined && registry.userFiles.length === 0) {
      context.note('No plugins were added. load_plugin FILE adds those of a file; plugin_path in ~/.rekallrc, those of a folder at every start.');
    }
    for (const entry of registry.list()) {
      const file = registry.fileOf(entry);
      if (file === undefined || (args.path !== undefined && !files.has(file))) continue;
      yield { name: entry.name, needs: typeof entry.needs === 'string' ? entry.needs : entry.needs.join(', '), summary: entry.summary, file, hides: registry.isHiding(entry) };
    }
  },
});
