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
  /** WRK, ex: what a slot of nt!PspCreateProcessNotifyRoutine and of its like leads to */
  _EX_CALLBACK_ROUTINE_BLOCK: { RundownProtect: 'pointer', Function: 'pointer', Context: 'pointer' },
  /** WDK, wdm.h */
  _KBUGCHECK_CALLBACK_RECORD: { Entry: '_LIST_ENTRY', CallbackRoutine: 'pointer', Buffer: 'pointer', Length: 'u32', Component: 'pointer', Checksum: 'pointer', State: 'u8' },
  /** WDK, wdm.h */
  _KBUGCHECK_REASON_CALLBACK_RECORD: { Entry: '_LIST_ENTRY', CallbackRoutine: 'pointer', Component: 'pointer', Checksum: 'pointer', Reason: 'u32', State: 'u8' },
  /** debugger: on nt!CallbackListHead since Windows Vista */
  _CM_CALLBACK_CONTEXT_BLOCK: { CallbackListEntry: '_LIST_ENTRY', PreCallListHead: 'u32', Cookie: 'u64', CallerContext: 'pointer', Function: 'pointer', Altitude: '_UNICODE_STRING' },
  /** WRK, io */
  _SHUTDOWN_PACKET: { ListEntry: '_LIST_ENTRY', DeviceObject: 'pointer' },
  /** WRK, io */
  _NOTIFICATION_PACKET: { ListEntry: '_LIST_ENTRY', DriverObject: 'pointer', NotificationRoutine: 'pointer' },
  /** WRK, se */
  _SEP_LOGON_SESSION_TERMINATED_NOTIFICATION: { Next: 'pointer', CallbackRoutine: 'pointer' },
  /** WRK, pnp; its end since Windows 7 (debugger) */
  _DEVICE_CLASS_NOTIFY_ENTRY: {
    ListEntry: '_LIST_ENTRY',
    EventCategory: 'u32',
    SessionId: 'u32',
    SessionHandle: 'pointer',
    CallbackRoutine: 'pointer',
    Context: 'pointer',
    DriverObject: 'pointer',
    RefCount: 'u16',
    Unregistered: 'u8',
    Lock: 'pointer',
    EntryLock: 'pointer',
    ClassGuid: 'guid',
  },
  /** debugger: Windows 7 to 10 1511 */
  _POP_POWER_SETTING_REGISTRATION: {
    Link: '_LIST_ENTRY',
    Tag: 'u32',
    CallbackThread: 'pointer',
    UnregisterOnReturn: 'u8',
    UnregisterPending: 'u8',
    Guid: 'guid',
    LastValue: 'pointer',
    Callback: 'pointer',
    Context: 'pointer',
    DeviceObject: 'pointer',
  },
  /** debugger: since Windows 10 1607 */
  _POP_POWER_SETTING_REGISTRATION_2: {
    Link: '_LIST_ENTRY',
    Tag: 'u32',
    CallbackThread: 'pointer',
    UnregisterOnReturn: 'u8',
    UnregisterPending: 'u8',
    Guid: 'guid',
    Guid2: 'guid',
    LastValue: 'pointer',
    Callback: 'pointer',
    Context: 'pointer',
    DeviceObject: 'pointer',
  },
  /** debugger: its link is not at its beginning */
  _RTL_CALLBACK_REGISTER: { Flags: 'u32', RundownReference: 'pointer', DebugPrintCallback: 'pointer', ListEntry: '_LIST_ENTRY' },
  /** WRK, ke */
  _KNMI_HANDLER_CALLBACK: { Next: 'pointer', Callback: 'pointer', Context: 'pointer', Handle: 'pointer' },
  /** WRK, ex: the body of an object of the type Callback; its end since Windows 8.1 (debugger) */
  _CALLBACK_OBJECT: { Signature: 'u32', Lock: 'pointer', RegisteredCallbacks: '_LIST_ENTRY', AllowMultipleCallbacks: 'u8', ExpCallbackList: '_LIST_ENTRY' },
  /** WRK, io */
  _IO_TIMER: { Type: 'u16', TimerFlag: 'u16', TimerList: '_LIST_ENTRY', TimerRoutine: 'pointer', Context: 'pointer', DeviceObject: 'pointer' },
  /** WRK, io */
  _REINIT_PACKET: { ListEntry: '_LIST_ENTRY', DriverObject: 'pointer', DriverReinitializationRoutine: 'pointer', Context: 'pointer' },
  /** debugger: since Windows 7; the kernel has no name for it */
  _IO_SESSION_NOTIFICATION: { ListEntry: '_LIST_ENTRY', DriverObject: 'pointer', NotificationRoutine: 'pointer', Registration: 'pointer', IoObject: 'pointer', Session: 'pointer', EventMask: 'u32', Context: 'pointer' },
  /** WRK, ex */
  _CALLBACK_REGISTRATION: { Link: '_LIST_ENTRY', CallbackObject: 'pointer', CallbackFunction: 'pointer', CallbackContext: 'pointer', Busy: 'u32' },
  /** debugger: on `_OBJECT_TYPE.CallbackList` since Windows Vista SP1 */
  _OB_CALLBACK_CONTEXT_BLOCK: {
    CallbackListEntry: '_LIST_ENTRY',
    Operations: 'u32',
    Enabled: 'u32',
    Registration: 'pointer',
    ObjectType: 'pointer',
    PreCallback: 'pointer',
    PostCallback: 'pointer',
  },
  /** debugger */
  _OB_REGISTRATION: { Version: 'u16', RegistrationCount: 'u16', RegistrationContext: 'pointer', Altitude: '_UNICODE_STRING' },
  /** debugger: errata manager, since Windows 7 */
  _EMP_CALLBACK_DB_RECORD: { CallbackId: 'guid', CallbackFunc: 'pointer', CallbackFuncReference: 'pointer', Context: 'pointer', List: 'pointer' },
  /** debugger: Windows 8.1 and later; its link since Windows 10 1803 */
  _PO_COALESCING_CALLBACK: { PushLock: 'pointer', CoalescingCallback: 'pointer', SelfPtr: 'pointer', Callback: 'pointer', ClientOrServer: 'u8', Context: 'pointer', Link: '_LIST_ENTRY' },
  /** debugger: since Windows 10 1607; `Version` is a byte with flags behind it */
  _SERVER_SILO_MONITOR: { ListEntry: '_LIST_ENTRY', Version: 'u64', CreateCallback: 'pointer', TerminateCallback: 'pointer', DriverObjectName: 'pointer' },
} as const satisfies Readonly<Record<string, Members>>;

export type Undocumented = keyof typeof STRUCTS;

/**
 * A struct that public symbols lack: the profile's own where it has all these members all the same, otherwise the one stated here. Times
 * are read as times either way (a profile calls them _LARGE_INTEGER).
 */
export function undocumented<T extends Struct = Struct>(kernel: WindowsKernel, name: Undocumented): StructType<T> {
  const { profile } = kernel;
  return kernel.memo(`undocumented ${name}`, () => {
    const stated: Members = STRUCTS[name];
    const own = Object.keys(stated).every((member) => profile.has(name, member)) ? profile.struct(name).layout : undefined;
    const layout = own ? withTimes(own, stated, profile.pointerSize) : layoutOf(name, stated, profile.pointerSize);
    return profile.compiler.inline(layout, name) as StructType<T>;
  });
}

function withTimes(own: StructLayout, stated: Members, pointer: 4 | 8): StructLayout {
  const members = new Map(own.members);
  for (const [name, kind] of Object.entries(stated)) {
    const member = members.get(name);
    if (member && kind === 'time') members.set(name, { ...member, type: shape(kind, pointer).type });
  }
  return { ...own, members };
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
