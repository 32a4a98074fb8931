import type { Struct } from '../../src/object/struct.js';
import { findObjectTypes, TYPE_SOURCES } from '../../src/kernel/windows/objects/object-types.js';
import { unicodeText } from '../../src/kernel/windows/strings.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { windowsOf } from '../../src/plugin/windows-select.js';

export const objectTypes = definePlugin({
  name: 'object_types',
  needs: ['windows'],
  topic: 'kernel',
  summary: 'the types of objects that the kernel has, with how many of each there are',
  notes:
    'ObTypeIndexTable (since Windows 7) is what an object\'s TypeIndex counts in, ObpObjectTypes what XP to today have in order of creation, and the directory \\ObjectTypes has them by name. ' +
    'What the sources know is put together by address; the hidden columns say which of them knew a type.',
  args: {},
  columns: {
    type: col.struct('_OBJECT_TYPE', 'the type'),
    index: col.int('its number   _OBJECT_TYPE.Index'),
    NumberOfObjects: col.int('objects that exist   _OBJECT_TYPE.TotalNumberOfObjects'),
    NumberOfHandles: col.int('handles to them   _OBJECT_TYPE.TotalNumberOfHandles', { hidden: true }),
    PoolType: col.string('the pool that objects are made in   _OBJECT_TYPE.TypeInfo.PoolType'),
    name: col.string('name   _OBJECT_TYPE.Name'),
    tag: col.string('tag of their pool blocks   _OBJECT_TYPE.Key', { hidden: true }),
    ...Object.fromEntries(TYPE_SOURCES.map((source) => [source, col.bool(`known to ${source}`, { hidden: true })])),
  },
  examples: [{ line: 'object_types' }],
  *collect(context) {
    const found = findObjectTypes(windowsOf(context), (what) => context.note(`${what}.`));
    if (found.length === 0) context.note('No object types: the tables ObTypeIndexTable and ObpObjectTypes are not in this image.');
    for (const { type, sources } of found) {
      yield {
        type,
        index: () => Number(type.$get('Index')),
        NumberOfObjects: () => Number(type.$get('TotalNumberOfObjects')),
        NumberOfHandles: () => Number(type.$get('TotalNumberOfHandles')),
        PoolType: () => (type.$get('TypeInfo') as Struct).$label('PoolType'),
        name: () => unicodeText(type.$get('Name') as Struct),
        tag: () => tag(Number(type.$get('Key'))),
        ...Object.fromEntries(TYPE_SOURCES.map((source) => [source, sources.has(source)])),
      };
    }
  },
});

/** Four letters, the lowest byte first. */
function tag(key: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(key >>> 0);
  return bytes.toString('latin1');
}
