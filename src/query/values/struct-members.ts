import { Absent } from '../../memory/absent.js';
import { describeStruct } from '../../object/describe.js';
import type { Struct } from '../../object/struct.js';
import { type Type, types } from '../types.js';

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
  ['address', { type: types.address, doc: 'Where the struct is.', read: (struct) => struct.$address }],
  [
    'obj_offset',
    {
      type: types.address,
      doc: 'Where the struct is (the name that Rekall had for it).',
      read: (struct) => struct.$address,
    },
  ],
  ['obj_type', { type: types.string, doc: 'Name of the C struct.', read: (struct) => struct.$type }],
  ['obj_size', { type: types.size, doc: 'Bytes of the struct.', read: (struct) => struct.$struct.size ?? null }],
]);

const PROCESS: Table = new Map<string, Convenience>([
  ...EVERY,
  [
    'name',
    {
      type: types.string,
      doc: "The process's name: comm, _EPROCESS.ImageFileName, p_comm.",
      read: (struct) => described(struct).name ?? unreadableName(struct),
    },
  ],
  [
    'pid',
    {
      type: types.int,
      doc: "The process's id: pid, _EPROCESS.UniqueProcessId, p_pid.",
      read: (struct) => described(struct).pid ?? unreadableName(struct),
    },
  ],
]);

/** The tables by struct. The members behind `name` and `pid` are those of src/object/describe.ts. */
const TABLES: Readonly<Record<string, Table>> = {
  task_struct: PROCESS,
  _EPROCESS: PROCESS,
  proc: PROCESS,
};

/** The conveniences of a struct (of none in particular: those of every struct). */
export function conveniences(struct: string | undefined): Table {
  return struct !== undefined && Object.hasOwn(TABLES, struct) ? (TABLES[struct] ?? EVERY) : EVERY;
}

export function structConvenience(struct: string, name: string): Convenience | undefined {
  return conveniences(struct).get(name);
}

function described(struct: Struct): ReturnType<typeof describeStruct> {
  return describeStruct(struct);
}

function unreadableName(struct: Struct): Absent {
  return new Absent('unreadable', 'the process cannot be read', struct.$address);
}
