import { Absent, orElse } from '../../src/memory/absent.js';
import { objectTree, type SymbolicLink, symbolicLink } from '../../src/kernel/windows/objects/object-tree.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { windowsOf } from '../../src/plugin/windows-select.js';

export const objectTreePlugin = definePlugin({
  name: 'object_tree',
  needs: ['windows'],
  topic: 'kernel',
  summary: "the kernel's namespace: directories with their drivers, devices, symbolic links, events …",
  notes:
    'From the directory at nt!ObpRootDirectoryObject down: each _OBJECT_DIRECTORY has 37 chains of entries. What lies in a directory comes by name. A directory is entered once, and a chain that loops is left, so that ' +
    'damaged links cost neither time nor the rest. Since Windows 10 1703 a function of the kernel may give the target of a symbolic link.',
  args: { type_regex: arg.regex('only objects whose type matches: Driver, SymbolicLink …', { positional: true }) },
  columns: {
    _OBJECT_HEADER: col.struct('_OBJECT_HEADER', "the object's header"),
    type: col.string('type of the object   _OBJECT_TYPE.Name', { width: 14 }),
    name: col.string('name in its directory   _OBJECT_HEADER_NAME_INFO.Name', { tree: true }),
    target: col.string('where a symbolic link leads   _OBJECT_SYMBOLIC_LINK.LinkTarget'),
    path: col.string('full name', { hidden: true }),
    object: col.address('address of the object itself', { hidden: true }),
    created: col.time('when a symbolic link was made   _OBJECT_SYMBOLIC_LINK.CreationTime', { hidden: true }),
  },
  examples: [{ line: 'object_tree' }, { line: 'object_tree type_regex=SymbolicLink' }],
  async *collect(context, args) {
    const kernel = windowsOf(context);
    const resolver = await context.session.resolver();
    const target = ({ target: path, callback }: SymbolicLink): string | null =>
      callback === undefined ? (path ?? null) : `(given by ${resolver.name(callback) ?? `0x${callback.toString(16)}`})`;
    const types = new Set<string>();
    let shown = 0;
    try {
      for (const { object, name, path, depth } of objectTree(kernel, (what) => context.note(`${what}.`))) {
        if (object.type !== undefined) types.add(object.type);
        if (args.type_regex && !args.type_regex.test(object.type ?? '')) continue;
        shown++;
        const isLink = object.type === 'SymbolicLink';
        yield {
          $depth: depth,
          _OBJECT_HEADER: object.header,
          type: object.type ?? new Absent('corrupt', 'its header names no type of this system', object.body),
          name,
          target: isLink ? () => target(symbolicLink(kernel, object.body)) : null,
          path,
          object: object.body,
          created: isLink ? () => orElse(() => symbolicLink(kernel, object.body).created, null) : null,
        };
      }
    } catch (error) {
      if (!(error instanceof Absent)) throw error;
      context.note(`The namespace cannot be read: ${error.reason}.`);
      return;
    }
    if (shown === 0) context.note(types.size === 0 ? 'The namespace has nothing that can be read.' : `No object of such a type; there are ${[...types].sort().join(', ')}.`);
  },
});
