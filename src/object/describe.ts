import { orElse } from '../memory/absent.js';
import { Pointer } from './pointer.js';
import type { Struct } from './struct.js';

/** What a struct cell says of its struct, in every output format. */
export interface StructDescription {
  /** name of the C struct */
  readonly type: string;
  readonly offset: bigint;
  /** a process's or thread's name and id, where the struct is one and they can be read; the text of a counted string */
  readonly name?: string;
  readonly pid?: number;
}

/**
 * Members by which a process object is told, and which hold its name and id: Linux `task_struct` (include/linux/sched.h),
 * Windows `_EPROCESS` (public symbols of ntoskrnl), XNU `proc` (bsd/sys/proc_internal.h). Members, not type names, are
 * asked for, so that whoever prints needs to know no kernel.
 */
const PROCESS_MEMBERS = [
  { name: 'comm', pid: 'pid' },
  { name: 'ImageFileName', pid: 'UniqueProcessId' },
  { name: 'p_comm', pid: 'p_pid' },
] as const;

/** The struct's type and address; of a process also its name and id. Never throws: what cannot be read is left out. */
export function describeStruct(struct: Struct): StructDescription {
  const base = { type: struct.$type, offset: struct.$address };
  const members = membersOf(struct);
  if (members === 'none') return base;
  if (members === 'counted') {
    const counted = orElse(() => countedText(struct), undefined);
    return counted === undefined ? base : { ...base, name: counted };
  }
  const name = orElse(() => text(struct.$get(members.name)), undefined);
  const pid = orElse(() => id(struct.$get(members.pid)), undefined);
  return { ...base, ...(name === undefined ? {} : { name }), ...(pid === undefined ? {} : { pid }) };
}

type Members = (typeof PROCESS_MEMBERS)[number] | 'counted' | 'none';

/** By which members a struct is told; asked once for each type: tables have thousands of structs of the same. */
const told = new WeakMap<object, Members>();

function membersOf(struct: Struct): Members {
  let members = told.get(struct.$struct);
  if (members === undefined) {
    const counted = struct.$has('MaximumLength') && struct.$has('Length') && struct.$has('Buffer');
    members = PROCESS_MEMBERS.find((known) => struct.$has(known.name) && struct.$has(known.pid)) ?? (counted ? 'counted' : 'none');
    told.set(struct.$struct, members);
  }
  return members;
}

/** Bytes of a counted text that are shown. */
const LONGEST_TEXT = 512;

/** The text of a counted string of UTF-16 (Windows' `_UNICODE_STRING`), by the members that only such a struct has. */
function countedText(struct: Struct): string | undefined {
  const [length, buffer] = [struct.$get('Length'), struct.$get('Buffer')];
  if (typeof length !== 'number' || !(buffer instanceof Pointer) || buffer.isNull || length === 0) return undefined;
  const { target } = buffer;
  if (target.kind !== 'int' || target.size !== 2) return undefined;
  return struct.$space.read(buffer.address, Math.min(length, LONGEST_TEXT) & ~1).toString('utf16le');
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** `_EPROCESS.UniqueProcessId` is declared as a pointer, so its number stands in the pointer's address. */
function id(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'object' && value !== null && 'address' in value) return id(value.address);
  return undefined;
}
