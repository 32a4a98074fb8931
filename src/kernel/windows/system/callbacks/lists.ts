import { Absent, orElse } from '../../../../memory/absent.js';
import type { Struct } from '../../../../object/struct.js';
import type { StructType } from '../../../../object/struct-type.js';
import { driverName, majorFunction } from '../../objects/drivers.js';
import type { WindowsKernel } from '../../kernel.js';
import { neverMade, walkListEntry } from '../../lists.js';
import { unicodeText } from '../../strings.js';
import { type Undocumented, undocumented } from '../../undocumented.js';
import { type Callback, driverOf, driverOfDevice, type Fault, guidText } from './callback.js';

/** Entries of one list at most: what registers more is no driver, but a damaged list. */
const MOST = 1 << 16;
/** Characters of a bugcheck record's component (WDK: an ANSI string; known ones have 8 to 30). */
const COMPONENT = 64;
/** Numbers of requests: IRP_MJ_SHUTDOWN and IRP_MJ_FILE_SYSTEM_CONTROL (WDK, wdm.h). */
const SHUTDOWN = 16;
const FILE_SYSTEM_CONTROL = 13;
/** `PSet`, the mark of a registration for power settings. */
const POWER_SETTING = 0x74655350;
/** The first build with a second GUID in it: Windows 10 1607. */
const SECOND_GUID = 14393;

/** KBUGCHECK_CALLBACK_REASON (WDK, wdm.h), of which 0 is none. */
const REASONS = [undefined, 'reserved', 'secondary dump data', 'dump I/O', 'add pages', 'secondary multi-part dump data', 'remove pages', 'triage dump data'];
/** IO_NOTIFICATION_EVENT_CATEGORY (WDK, wdm.h) */
const CATEGORIES = ['reserved', 'hardware profile', 'device interface', 'target device', 'kernel soft restart'];

interface List {
  readonly symbols: readonly string[];
  readonly api: string;
  readonly struct: Undocumented | '_DEVICE_OBJECT' | ((kernel: WindowsKernel) => Undocumented);
  /** the `_LIST_ENTRY` in it */
  readonly link: string;
  /** heads that stand one behind the other; 1 where nothing is said */
  readonly heads?: number;
  /** the member with the routine, or members, or how it is found */
  readonly routine: string | readonly string[] | ((kernel: WindowsKernel, record: Struct) => bigint);
  readonly details?: (kernel: WindowsKernel, record: Struct) => string | null;
}

const ofShutdown = {
  struct: '_SHUTDOWN_PACKET',
  link: 'ListEntry',
  // The packet names a device; its driver is asked with a request.
  routine: (kernel: WindowsKernel, record: Struct) => majorFunction(driverBehind(kernel, record.$pointer('DeviceObject')), SHUTDOWN),
  details: (kernel: WindowsKernel, record: Struct) => driverOfDevice(kernel, record.$pointer('DeviceObject')),
} as const;

const component = (record: Struct): string | null => {
  const text = record.$pointer('Component');
  return text === 0n ? null : record.$space.readCString(text, COMPONENT).toString('latin1');
};

const ofPlugAndPlay = {
  api: 'IoRegisterPlugPlayNotification',
  struct: '_DEVICE_CLASS_NOTIFY_ENTRY',
  link: 'ListEntry',
  routine: 'CallbackRoutine',
  details: (kernel: WindowsKernel, record: Struct) => {
    const category = Number(record.$get('EventCategory'));
    const guid = category === 2 && kernel.build >= 7600 ? guidText(record, 'ClassGuid') : undefined;
    return joined(CATEGORIES[category] ?? `category ${category}`, guid, driverOf(kernel, record.$pointer('DriverObject')));
  },
} as const;

const ofReinitialization = {
  struct: '_REINIT_PACKET',
  link: 'ListEntry',
  routine: 'DriverReinitializationRoutine',
  details: (kernel: WindowsKernel, record: Struct) => driverOf(kernel, record.$pointer('DriverObject')),
} as const;

const LISTS: readonly List[] = [
  { symbols: ['CallbackListHead'], api: 'CmRegisterCallbackEx', struct: '_CM_CALLBACK_CONTEXT_BLOCK', link: 'CallbackListEntry', routine: 'Function', details: (_kernel, record) => `altitude ${unicodeText(record.$get('Altitude') as Struct)}` },
  { symbols: ['KeBugCheckCallbackListHead'], api: 'KeRegisterBugCheckCallback', struct: '_KBUGCHECK_CALLBACK_RECORD', link: 'Entry', routine: 'CallbackRoutine', details: (_kernel, record) => component(record) },
  {
    // The second list came with Windows 7, the third took its place with Windows 10 1607.
    symbols: ['KeBugCheckReasonCallbackListHead', 'KeBugCheckAddPagesCallbackListHead', 'KeBugCheckAddRemovePagesCallbackListHead'],
    api: 'KeRegisterBugCheckReasonCallback',
    struct: '_KBUGCHECK_REASON_CALLBACK_RECORD',
    link: 'Entry',
    routine: 'CallbackRoutine',
    details: (_kernel, record) => {
      return joined(component(record), REASONS[Number(record.$get('Reason'))]);
    },
  },
  { symbols: ['IopNotifyShutdownQueueHead'], api: 'IoRegisterShutdownNotification', ...ofShutdown },
  { symbols: ['IopNotifyLastChanceShutdownQueueHead'], api: 'IoRegisterLastChanceShutdownNotification', ...ofShutdown },
  {
    symbols: ['IopFsNotifyChangeQueueHead'],
    api: 'IoRegisterFsRegistrationChange',
    struct: '_NOTIFICATION_PACKET',
    link: 'ListEntry',
    routine: 'NotificationRoutine',
    details: (kernel, record) => driverOf(kernel, record.$pointer('DriverObject')),
  },
  {
    // File systems, by the devices that they registered; what is mounted is asked of them with a request.
    symbols: ['IopDiskFileSystemQueueHead', 'IopCdRomFileSystemQueueHead', 'IopNetworkFileSystemQueueHead', 'IopTapeFileSystemQueueHead'],
    api: 'IoRegisterFileSystem',
    struct: '_DEVICE_OBJECT',
    link: 'Queue',
    routine: (kernel, device) => majorFunction(driverBehind(kernel, device.$address), FILE_SYSTEM_CONTROL),
    details: (kernel, device) => driverOfDevice(kernel, device.$address),
  },
  {
    // The object \Callback\IoSessionNotifications names the kernel's own routine only, which calls these.
    symbols: ['IopSessionNotificationQueueHead'],
    api: 'IoRegisterContainerNotification',
    struct: '_IO_SESSION_NOTIFICATION',
    link: 'ListEntry',
    routine: 'NotificationRoutine',
    details: (kernel, record) => driverOf(kernel, record.$pointer('DriverObject')),
  },
  // What drivers that start with the system want to be called with again, until it is.
  { symbols: ['IopDriverReinitializeQueueHead'], api: 'IoRegisterDriverReinitialization', ...ofReinitialization },
  { symbols: ['IopBootDriverReinitializeQueueHead'], api: 'IoRegisterBootDriverReinitialization', ...ofReinitialization },
  {
    // Called every second.
    symbols: ['IopTimerQueueHead'],
    api: 'IoInitializeTimer',
    struct: '_IO_TIMER',
    link: 'TimerList',
    routine: 'TimerRoutine',
    details: (kernel, record) => joined(driverOfDevice(kernel, record.$pointer('DeviceObject')), Number(record.$get('TimerFlag')) === 0 ? 'stopped' : undefined),
  },
  // Two names of each: until Windows Vista, and since.
  { symbols: ['IopProfileNotifyList', 'PnpProfileNotifyList', 'PnpKsrNotifyList'], ...ofPlugAndPlay },
  // A table of 13 lists, by the interface's GUID.
  { symbols: ['IopDeviceClassNotifyList', 'PnpDeviceClassNotifyList'], heads: 13, ...ofPlugAndPlay },
  {
    symbols: ['PopRegisteredPowerSettingCallbacks'],
    api: 'PoRegisterPowerSettingCallback',
    struct: (kernel) => (kernel.build >= SECOND_GUID ? '_POP_POWER_SETTING_REGISTRATION_2' : '_POP_POWER_SETTING_REGISTRATION'),
    link: 'Link',
    routine: (_kernel, record) => {
      if (Number(record.$get('Tag')) !== POWER_SETTING) throw new Absent('corrupt', 'no registration of a power setting stands here', record.$address);
      return record.$pointer('Callback');
    },
    details: (kernel, record) => joined(guidText(record, 'Guid'), driverOfDevice(kernel, record.$pointer('DeviceObject'))),
  },
  { symbols: ['RtlpDebugPrintCallbackList'], api: 'DbgSetDebugPrintCallback', struct: '_RTL_CALLBACK_REGISTER', link: 'ListEntry', routine: 'DebugPrintCallback' },
  { symbols: ['PopCoalRegistrationList'], api: 'PoRegisterCoalescingCallback', struct: '_PO_COALESCING_CALLBACK', link: 'Link', routine: 'Callback' },
  { symbols: ['PspSiloMonitorList'], api: 'PsRegisterSiloMonitor', struct: '_SERVER_SILO_MONITOR', link: 'ListEntry', routine: ['CreateCallback', 'TerminateCallback'] },
];

/**
 * Routines on lists at symbols, in the lists' order.
 * @param onUnmade told the names of lists whose head is null: nobody ever made them
 */
export function* listCallbacks(kernel: WindowsKernel, onFault: Fault, onUnmade: (symbol: string) => void): Generator<Callback> {
  for (const list of LISTS) {
    for (const symbol of list.symbols) {
      const head = kernel.symbol(symbol);
      if (head === undefined) continue;
      const type = typeOf(kernel, list);
      for (let index = 0; index < (list.heads ?? 1); index++) {
        for (const record of recordsOn(kernel, symbol, head + BigInt(index * 2 * kernel.profile.pointerSize), type, list.link, onFault, onUnmade)) yield* routines(kernel, list, symbol, record);
      }
    }
  }
}

function typeOf(kernel: WindowsKernel, { struct }: List): StructType {
  const name = typeof struct === 'function' ? struct(kernel) : struct;
  return name === '_DEVICE_OBJECT' ? kernel.struct(name) : undocumented(kernel, name);
}

/** The records on one list; what cannot be read of it is told. */
export function* recordsOn(kernel: WindowsKernel, name: string, head: bigint, type: StructType, link: string, onFault: Fault, onUnmade: (symbol: string) => void): Generator<Struct> {
  try {
    const entry = kernel.at('_LIST_ENTRY', head);
    if (neverMade(entry)) onUnmade(name);
    else yield* walkListEntry(entry, type, link, { limit: MOST, onFault: (what) => onFault(`${name}: ${what}`) });
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    onFault(`${name} cannot be read: ${error.reason}`);
  }
}

function* routines(kernel: WindowsKernel, list: List, symbol: string, record: Struct): Generator<Callback> {
  const { routine, details } = list;
  const common = { type: `nt!${symbol}`, api: list.api, offset: record.$address, ...(details && { details: () => details(kernel, record) }) };
  if (typeof routine === 'function') yield { ...common, callback: () => routine(kernel, record) };
  else if (typeof routine === 'string') yield { ...common, callback: () => record.$pointer(routine) };
  // Of several a driver may leave out some.
  else for (const member of routine) if (orElse(() => record.$pointer(member), 1n) !== 0n) yield { ...common, callback: () => record.$pointer(member), details: () => member };
}

/** The driver object of a device. Throws Absent. */
function driverBehind(kernel: WindowsKernel, device: bigint): Struct {
  const driver = kernel.at('_DRIVER_OBJECT', kernel.at('_DEVICE_OBJECT', device).$pointer('DriverObject'));
  driverName(driver);
  return driver;
}

function joined(...parts: readonly (string | null | undefined)[]): string | null {
  const said = parts.filter((part) => part !== null && part !== undefined && part !== '');
  return said.length === 0 ? null : said.join(', ');
}
