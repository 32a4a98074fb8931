import { joined, type Meaning, type Overlay } from '../../symbols/overlay.js';
import type { TypeDescriptor } from '../../symbols/types.js';
import { FLAGS } from './overlay-flags.js';
import { LABELS } from './overlay-labels.js';

const text = (length: number): TypeDescriptor => ({ kind: 'named', name: 'String', args: { length } });
const wideText = (characters: number): TypeDescriptor => ({ kind: 'named', name: 'UnicodeString', args: { length: characters * 2 } });
const time: TypeDescriptor = { kind: 'named', name: 'WinFileTime', args: {} };
const unixTime: TypeDescriptor = { kind: 'named', name: 'UnixTimeStamp', args: {} };
const tag: TypeDescriptor = { kind: 'named', name: 'Tag', args: {} };
/** An id that is declared as a handle; some builds declare a word of 32 bits, which it stays. */
const id = (pointer: 4 | 8): Meaning => (own) => ({ kind: 'int', size: own.kind === 'int' ? own.size : pointer, signed: false });

/** Until Server 2003 a thread's time of creation shares its place with three other bits, above which it stands (`_ETHREAD.NestedFaultCount`). */
const threadTime: Meaning = (_own, _types, layout) => (layout.members.has('NestedFaultCount') ? { kind: 'named', name: 'ThreadCreateTimeStamp', args: {} } : time);

/** A pointer into the memory of the process whose object has it. */
const inProcess: Meaning = (own) => (own.kind === 'pointer' ? { ...own, space: 'process' } : own);

/**
 * How members of kernel structs are meant where their C type does not say it: names that are arrays of bytes, times that are
 * LARGE_INTEGERs, ids that are declared as pointers (ntoskrnl's public types; `CLIENT_ID` and `UniqueProcessId` are HANDLEs), integers that are
 * enumerations or flags. What differs between builds is told by what each build's own types have.
 * @param pointer bytes of a pointer
 */
export function windowsOverlay(pointer: 4 | 8): Overlay {
  const meanings: Overlay = {
    // 16 bytes until Windows 7, then 15 with the priority class behind them.
    _EPROCESS: { ImageFileName: text(15), CreateTime: time, ExitTime: time, UniqueProcessId: id(pointer), InheritedFromUniqueProcessId: id(pointer), OwnerProcessId: id(pointer), Peb: inProcess },
    _ETHREAD: { CreateTime: threadTime, ExitTime: time },
    _CLIENT_ID: { UniqueProcess: id(pointer), UniqueThread: id(pointer) },
    _HANDLE_TABLE: { UniqueProcessId: id(pointer) },
    _OBJECT_HEADER_CREATOR_INFO: { CreatorUniqueProcess: id(pointer) },
    _OBJECT_SYMBOLIC_LINK: { CreationTime: time },
    _LDR_DATA_TABLE_ENTRY: { LoadTime: time, TimeDateStamp: unixTime },
    _KLDR_DATA_TABLE_ENTRY: { TimeDateStamp: unixTime },
    _IMAGE_FILE_HEADER: { TimeDateStamp: unixTime },
    _TOKEN: { ExpirationTime: time },
    _CM_KEY_NODE: { LastWriteTime: time, Signature: text(2) },
    _CM_KEY_VALUE: { Signature: text(2) },
    _CM_KEY_CONTROL_BLOCK: { KcbLastWriteTime: time },
    _HBASE_BLOCK: { TimeStamp: time, Signature: text(4) },
    _POOL_HEADER: { PoolTag: tag },
    _OBJECT_TYPE: { Key: tag },
    _KUSER_SHARED_DATA: { NtSystemRoot: wideText(260) },
    _VPB: { VolumeLabel: wideText(32) },
  };
  return joined(LABELS, FLAGS, meanings);
}
