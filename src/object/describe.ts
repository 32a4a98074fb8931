import { orElse } from '../memory/absent.js';
import type { Struct } from './struct.js';

/** What machine formats say of a struct: its type and address, and of a process also its name and id. */
export interface StructDescription {
  readonly type: string;
  readonly offset: bigint;
  readonly name?: string;
  readonly pid?: number;
}

/** Members that name a process, by struct: task_struct (Linux), _EPROCESS (Windows), proc (macOS). */
const identity: Readonly<Record<string, readonly [name: string, pid: string]>> = {
  task_struct: ['comm', 'pid'],
  _EPROCESS: ['ImageFileName', 'UniqueProcessId'],
  proc: ['p_comm', 'p_pid'],
};

export function describeStruct(struct: Struct): StructDescription {
  const base = { type: struct.$type, offset: struct.$address };
  const members = identity[struct.$type];
  if (!members || !struct.$has(members[0]) || !struct.$has(members[1])) return base;
  const name = orElse(() => String(struct.$get(members[0])), undefined);
  const pid = orElse(() => Number(struct.$get(members[1])), undefined);
  return { ...base, ...(name === undefined ? {} : { name }), ...(pid === undefined ? {} : { pid }) };
}
