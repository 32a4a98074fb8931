import type { ArrayView } from '../../object/array.js';
import type { Pointer } from '../../object/pointer.js';
import type { Struct } from '../../object/struct.js';
import type { Timestamp } from '../../object/time.js';

/** Structs of ntoskrnl that our code reads, as its public symbols name them; a member that a build lacks is asked for with `$has`. */

export interface ListEntry extends Struct {
  readonly Flink: ListEntry | null;
  readonly Blink: ListEntry | null;
}

/** `_UNICODE_STRING`: a counted text of UTF-16 */
export interface UnicodeString extends Struct {
  /** bytes */
  readonly Length: number;
  readonly MaximumLength: number;
  readonly Buffer: Pointer;
}

export interface Eprocess extends Struct {
  readonly Pcb: Struct;
  readonly ActiveProcessLinks: ListEntry;
  readonly UniqueProcessId: number | bigint;
  readonly InheritedFromUniqueProcessId: number | bigint;
  readonly ImageFileName: string;
  /** null for the idle process */
  readonly CreateTime: Timestamp | null;
  /** null while it runs */
  readonly ExitTime: Timestamp | null;
  readonly ActiveThreads: number;
  readonly ThreadListHead: ListEntry;
}

/** `_LDR_DATA_TABLE_ENTRY` */
export interface LdrDataTableEntry extends Struct {
  readonly InLoadOrderLinks: ListEntry;
  readonly DllBase: Pointer;
  readonly EntryPoint: Pointer;
  readonly SizeOfImage: number;
  readonly FullDllName: UnicodeString;
  readonly BaseDllName: UnicodeString;
}

export type StructArray = ArrayView;
