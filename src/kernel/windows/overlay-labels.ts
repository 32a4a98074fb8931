import type { Meaning, Overlay } from '../../symbols/overlay.js';
import type { EnumType, IntegerType, TypeDescriptor } from '../../symbols/types.js';
import { protectionText, VAD_TYPES } from './memory/vad.js';

/** value → label */
type Choices = ReadonlyMap<string, string>;

const numbered = (labels: readonly string[], from = 0): Choices => new Map(labels.map((label, index) => [String(from + index), label]));
const listed = (labels: Readonly<Record<number, string>>): Choices => new Map(Object.entries(labels));

/**
 * The labels of an enumeration for a member that is declared as an integer, or as bits of one.
 * @param name of the enumeration in the profile, which knows its build best
 * @param known labels where the profile has none
 */
function labelled(name: string, known?: Choices): Meaning {
  return (own, types) => {
    const choices = types.enum(name)?.choices ?? known;
    return choices && withLabels(own, name, choices);
  };
}

function withLabels(own: TypeDescriptor, name: string, choices: Choices): TypeDescriptor | undefined {
  const over = (base: IntegerType | EnumType): EnumType => ({ kind: 'enum', name, size: base.size, signed: base.signed, choices });
  if (own.kind === 'int' || own.kind === 'enum') return over(own);
  return own.kind === 'bitfield' ? { ...own, base: over(own.base) } : undefined;
}

/** ntddk.h; the profile of a build from Vista on has more. */
const WAIT_REASONS = numbered(
  'Executive FreePage PageIn PoolAllocation DelayExecution Suspended UserRequest WrExecutive WrFreePage WrPageIn WrPoolAllocation WrDelayExecution WrSuspended WrUserRequest WrEventPair WrQueue WrLpcReceive WrLpcReply WrVirtualMemory WrPageOut WrRendezvous'.split(
    ' ',
  ),
);
/** ntosp.h */
const THREAD_STATES = numbered(['Initialized', 'Ready', 'Running', 'Standby', 'Terminated', 'Waiting', 'Transition', 'DeferredReady', 'GateWait']);
const MODES = numbered(['KernelMode', 'UserMode']);
const OBJECTS: Choices = new Map([
  ...numbered(
    'EventNotificationObject EventSynchronizationObject MutantObject ProcessObject QueueObject SemaphoreObject ThreadObject GateObject TimerNotificationObject TimerSynchronizationObject'.split(' '),
  ),
  ...numbered(['ApcObject', 'DpcObject', 'DeviceQueueObject', 'EventPairObject', 'InterruptObject', 'ProfileObject'], 18),
]);
/** PROCESS_PRIORITY_CLASS_* (ntpsapi.h) */
const PRIORITY_CLASSES = numbered(['Unknown', 'Idle', 'Normal', 'High', 'Realtime', 'BelowNormal', 'AboveNormal']);
/** MM_PROTECTION_MASK, in regions and in entries of page tables alike */
const PROTECTIONS = numbered(Array.from({ length: 32 }, (_, value) => protectionText(value)));
/** wdm.h: IRP_MJ_* */
export const MAJOR_FUNCTIONS: readonly string[] =
  'CREATE CREATE_NAMED_PIPE CLOSE READ WRITE QUERY_INFORMATION SET_INFORMATION QUERY_EA SET_EA FLUSH_BUFFERS QUERY_VOLUME_INFORMATION SET_VOLUME_INFORMATION DIRECTORY_CONTROL FILE_SYSTEM_CONTROL DEVICE_CONTROL INTERNAL_DEVICE_CONTROL SHUTDOWN LOCK_CONTROL CLEANUP CREATE_MAILSLOT QUERY_SECURITY SET_SECURITY POWER SYSTEM_CONTROL DEVICE_CHANGE QUERY_QUOTA SET_QUOTA PNP'
    .split(' ')
    .map((name) => `IRP_MJ_${name}`);
/** winnt.h: REG_* */
const VALUE_TYPES = numbered(['REG_NONE', 'REG_SZ', 'REG_EXPAND_SZ', 'REG_BINARY', 'REG_DWORD', 'REG_DWORD_BIG_ENDIAN', 'REG_LINK', 'REG_MULTI_SZ', 'REG_RESOURCE_LIST', 'REG_FULL_RESOURCE_DESCRIPTOR', 'REG_RESOURCE_REQUIREMENTS_LIST', 'REG_QWORD']);
/** winnt.h: IMAGE_FILE_MACHINE_* and IMAGE_SUBSYSTEM_* */
const MACHINES = listed({ 0x14c: 'I386', 0x1c0: 'ARM', 0x1c4: 'ARMNT', 0x200: 'IA64', 0x8664: 'AMD64', 0xaa64: 'ARM64' });
const SUBSYSTEMS = listed({ 1: 'NATIVE', 2: 'WINDOWS_GUI', 3: 'WINDOWS_CUI', 5: 'OS2_CUI', 7: 'POSIX_CUI', 9: 'WINDOWS_CE_GUI', 10: 'EFI_APPLICATION', 11: 'EFI_BOOT_SERVICE_DRIVER', 12: 'EFI_RUNTIME_DRIVER', 13: 'EFI_ROM', 14: 'XBOX', 16: 'WINDOWS_BOOT_APPLICATION' });
/** winnt.h: VER_PLATFORM_* */
const PLATFORMS = listed({ 0: 'WIN32s', 1: 'WIN32_WINDOWS', 2: 'WIN32_NT' });

/**
 * The kind of pool in front of an allocation. Until Server 2003 the header holds the type plus one; since Vista the type with a bit that says that it is
 * in use. 0 is free; +0x20 is pool of a session, +4 aligned to the cache. Source: "Windows Internals", pool headers; `_POOL_TYPE`.
 */
const poolType: Meaning = (own, types) => {
  const since = types.struct('_EPROCESS')?.members.has('Flags2') === true;
  const choices = new Map([['0', 'free']]);
  for (const [value, name] of [[0, 'NonPagedPool'], [1, 'PagedPool']] as const) {
    for (const [bits, kind] of [[0, ''], [4, 'CacheAligned'], [0x20, 'Session'], [0x24, 'CacheAlignedSession']] as const) choices.set(String(since ? value | 2 | bits : value + bits + 1), `${name}${kind}`);
  }
  return withLabels(own, '_POOL_TYPE', choices);
};

/** Members that are declared as integers and are enumerations. Sources: wdm.h, ntddk.h, winnt.h, and the enumerations in ntoskrnl's own public symbols. */
export const LABELS: Overlay = {
  _KTHREAD: { State: labelled('_KTHREAD_STATE', THREAD_STATES), WaitReason: labelled('_KWAIT_REASON', WAIT_REASONS), WaitMode: labelled('_MODE', MODES), PreviousMode: labelled('_MODE', MODES) },
  _DISPATCHER_HEADER: { Type: labelled('_KOBJECTS', OBJECTS) },
  _KDPC: { Type: labelled('_KOBJECTS', OBJECTS) },
  _KAPC: { Type: labelled('_KOBJECTS', OBJECTS), ApcMode: labelled('_MODE', MODES) },
  _IRP: { RequestorMode: labelled('_MODE', MODES) },
  _EPROCESS: { PriorityClass: labelled('PROCESS_PRIORITY_CLASS', PRIORITY_CLASSES) },
  _PS_PROTECTION: { Type: labelled('_PS_PROTECTED_TYPE'), Signer: labelled('_PS_PROTECTED_SIGNER') },
  _POOL_HEADER: { PoolType: poolType },
  _MMVAD_FLAGS: { Protection: labelled('MM_PROTECTION', PROTECTIONS), VadType: labelled('_MI_VAD_TYPE', numbered(VAD_TYPES)) },
  _MMPTE_SOFTWARE: { Protection: labelled('MM_PROTECTION', PROTECTIONS) },
  _MMPTE_TRANSITION: { Protection: labelled('MM_PROTECTION', PROTECTIONS) },
  _MMPTE_PROTOTYPE: { Protection: labelled('MM_PROTECTION', PROTECTIONS) },
  _MMSUBSECTION_FLAGS: { Protection: labelled('MM_PROTECTION', PROTECTIONS) },
  _MMPFNENTRY: { PageLocation: labelled('_MMLISTS'), CacheAttribute: labelled('_MI_PFN_CACHE_ATTRIBUTE') },
  _IO_STACK_LOCATION: { MajorFunction: labelled('IRP_MJ', numbered(MAJOR_FUNCTIONS)) },
  _CM_KEY_VALUE: { Type: labelled('REG', VALUE_TYPES) },
  _IMAGE_FILE_HEADER: { Machine: labelled('IMAGE_FILE_MACHINE', MACHINES) },
  _IMAGE_OPTIONAL_HEADER: { Subsystem: labelled('IMAGE_SUBSYSTEM', SUBSYSTEMS) },
  _IMAGE_OPTIONAL_HEADER64: { Subsystem: labelled('IMAGE_SUBSYSTEM', SUBSYSTEMS) },
  _PEB: { ImageSubsystem: labelled('IMAGE_SUBSYSTEM', SUBSYSTEMS), OSPlatformId: labelled('VER_PLATFORM', PLATFORMS) },
};
