import type { Struct } from '../../object/struct.js';
import type { StructType } from '../../object/struct-type.js';
import type { MemberLayout, StructLayout, TypeDescriptor } from '../../symbols/types.js';
import type { WindowsKernel } from './kernel.js';

/** Kinds of members, of which C's rules make a layout for either width of a pointer. */
type Kind = 'pointer' | 'u8' | 'u16' | 'u32' | 'u64' | 'time' | 'guid' | '_LIST_ENTRY' | '_UNICODE_STRING' | '_RTL_BALANCED_NODE';
type Members = Readonly<Record<string, Kind>>;

/**
 * Structs that no public symbol file of ntoskrnl has, member by member, as far as they are read here. Sources: "WDK" its headers (wdm.h,
 * ntifs.h), "WRK" the sources of the Windows Research Kernel (5.2), "debugger" what public kernel debugging notes say and real dumps
 * confirm. All of them held from XP to Windows 11, but where it is said.
 */
const STRUCTS = {
  /** WRK, mm: one of 50 at nt!MmUnloadedDrivers */
  _UNLOADED_DRIVERS: { Name: '_UNICODE_STRING', StartAddress: 'pointer', EndAddress: 'pointer', CurrentTime: 'time' },
  /** WRK, mm: a driver that a session has a copy of, until Windows 8.1; low bits of the address are flags */
  _IMAGE_ENTRY_IN_SESSION: { Link: '_LIST_ENTRY', Address: 'pointer', LastAddress: 'pointer' },
  /** the same since Windows 10 (Rekall's notes on nt!MiSessionInsertImage): a node of a tree */
  _IMAGE_ENTRY_IN_SESSION_TREE: { Node: '_RTL_BALANCED_NODE', Unknown1: 'pointer', Unknown2: 'pointer', Address: 'pointer' },
} as const satisfies Readonly<Record<string, Members>>;

export type Undocumented = keyof typeof STRUCTS;

/** A struct that public symbols lack: the profile's own where it has it all the same, otherwise the one stated here. */
export function undocumented<T extends Struct = Struct>(kernel: WindowsKernel, name: Undocumented): StructType<T> {
  return kernel.memo(`undocumented ${name}`, () =>
    kernel.profile.has(name) ? kernel.struct<T>(name) : (kernel.profile.compiler.inline(layoutOf(name, STRUCTS[name], kernel.profile.pointerSize), name) as StructType<T>),
  );
}

/** The layout that a compiler gives members in their order, each aligned to what it is made of. */
function layoutOf(name: string, stated: Members, pointer: 4 | 8): StructLayout {
  const members = new Map<string, MemberLayout>();
  let offset = 0;
  let widest = 1;
  for (const [member, kind] of Object.entries(stated)) {
    const { type, size, alignment } = shape(kind, pointer);
    offset = Math.ceil(offset / alignment) * alignment;
    members.set(member, { offset, type });
    offset += size;
    widest = Math.max(widest, alignment);
  }
  return { name, union: false, size: Math.ceil(offset / widest) * widest, members };
}

interface Shape {
  readonly type: TypeDescriptor;
  readonly size: number;
  readonly alignment: number;
}

function shape(kind: Kind, pointer: 4 | 8): Shape {
  const integer = (size: 1 | 2 | 4 | 8): Shape => ({ type: { kind: 'int', size, signed: false }, size, alignment: size });
  const struct = (size: number): Shape => ({ type: { kind: 'struct', name: kind }, size, alignment: pointer });
  switch (kind) {
    case 'u8':
      return integer(1);
    case 'u16':
      return integer(2);
    case 'u32':
      return integer(4);
    case 'u64':
      return integer(8);
    case 'time':
      return { type: { kind: 'named', name: 'WinFileTime', args: {} }, size: 8, alignment: 8 };
    case 'guid':
      return { type: { kind: 'array', count: 16, target: { kind: 'int', size: 1, signed: false } }, size: 16, alignment: 4 };
    case 'pointer':
      return { type: { kind: 'pointer', target: { kind: 'void' } }, size: pointer, alignment: pointer };
    case '_RTL_BALANCED_NODE':
      return struct(3 * pointer);
    default:
      return struct(2 * pointer);
  }
}
