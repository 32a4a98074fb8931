import { Absent } from '../../memory/absent.js';
import { describeStruct } from '../../object/describe.js';
import type { Struct } from '../../object/struct.js';
import { type Kernel, kernelOf } from '../../kernel/kernel.js';
import type { LinuxKernel } from '../../kernel/linux/kernel.js';
import { linuxObjectMembers } from '../../kernel/linux/object-members.js';
import type { ObjectMember } from '../../kernel/object-member.js';
import type { WindowsKernel } from '../../kernel/windows/kernel.js';
import { windowsObjectMembers } from '../../kernel/windows/objects/object-members.js';
import { listOf, rowType, type Type, types } from '../types.js';

/** A name that stands behind `.` for a struct although C has no such member. */
export interface Convenience {
  readonly type: Type;
  /** one sentence */
  readonly doc: string;
  /** Throws Absent. */
  read(struct: Struct): unknown;
}

type Table = ReadonlyMap<string, Convenience>;

/** Of every struct: what Rekall's objects answered. A member of the same name comes before. */
const EVERY: Table = new Map<string, Convenience>([
  ['address', { type: types.address, doc: 'where the struct is', read: (struct) => struct.$address }],
  [
    'obj_offset',
    {
      type: types.address,
      doc: 'where the struct is (the name that Rekall had for it)',
      read: (struct) => struct.$address,
    },
  ],
  ['obj_type', { type: types.string, doc: 'name of the C struct', read: (struct) => struct.$type }],
  ['obj_size', { type: types.size, doc: 'bytes of the struct', read: (struct) => struct.$struct.size ?? null }],
]);

/** Of a process of any system, by the members that src/object/describe.ts knows. */
const PROCESS: readonly (readonly [string, Convenience])[] = [
  [
    'name',
    {
      type: types.string,
      doc: 'name of the process',
      read: (struct) => describeStruct(struct).name ?? unreadable(struct),
    },
  ],
  [
    'pid',
    { type: types.int, doc: 'id of the process', read: (struct) => describeStruct(struct).pid ?? unreadable(struct) },
  ],
];

/** The tables, by struct, made when they are first asked for. */
const tables = new Map<string, Table>();

/** The conveniences of a struct (of none in particular: those of every struct). */
export function conveniences(struct: string | undefined): Table {
  if (struct === undefined) return EVERY;
  let table = tables.get(struct);
  if (!table) tables.set(struct, (table = tableOf(struct)));
  return table;
}

export function structConvenience(struct: string, name: string): Convenience | undefined {
  return conveniences(struct).get(name);
}

const PROCESSES: ReadonlySet<string> = new Set(['task_struct', '_EPROCESS', 'proc']);

function tableOf(struct: string): Table {
  const linux = Object.hasOwn(linuxObjectMembers, struct) ? linuxObjectMembers[struct] : undefined;
  const windows = Object.hasOwn(windowsObjectMembers, struct) ? windowsObjectMembers[struct] : undefined;
  if (!linux && !windows && !PROCESSES.has(struct)) return EVERY;
  return new Map([
    ...EVERY,
    ...(PROCESSES.has(struct) ? PROCESS : []),
    ...Object.entries(linux ?? {}).map(([name, member]) =>
      convenience(name, member, (kernel, object) =>
        kernel.os === 'linux' ? member.read(kernel as LinuxKernel, object) : elsewhere(name),
      ),
    ),
    ...Object.entries(windows ?? {}).map(([name, member]) =>
      convenience(name, member, (kernel, object) =>
        kernel.os === 'windows' ? member.read(kernel as WindowsKernel, object) : elsewhere(name),
      ),
    ),
  ]);
}

const TYPES: Readonly<Record<ObjectMember['type'], Type>> = {
  int: types.int,
  address: types.address,
  physical: types.physical,
  string: types.string,
  strings: listOf(types.string),
  bool: types.bool,
  time: types.time,
  row: rowType(),
};

function convenience(
  name: string,
  { type, doc }: Pick<ObjectMember, 'type' | 'doc'>,
  of: (kernel: Kernel, object: Struct) => unknown,
): readonly [string, Convenience] {
  const read = (struct: Struct): unknown => {
    const kernel = kernelOf(struct.$space);
    return kernel ? of(kernel, struct) : elsewhere(name);
  };
  return [name, { type: TYPES[type], doc, read }];
}

function elsewhere(name: string): Absent {
  return new Absent('not-applicable', `${name} is known of objects in a kernel's own memory`);
}

function unreadable(struct: Struct): Absent {
  return new Absent('unreadable', 'the process cannot be read', struct.$address);
}
