import type { Overlay } from '../../symbols/overlay.js';
import type { TypeDescriptor } from '../../symbols/types.js';

const text = (length: number): TypeDescriptor => ({ kind: 'named', name: 'String', args: { length } });
const time: TypeDescriptor = { kind: 'named', name: 'WinFileTime', args: {} };
const id = (pointer: 4 | 8): TypeDescriptor => ({ kind: 'int', size: pointer, signed: false });

/**
 * How members of kernel structs are meant where their C type does not say it: names that are arrays of bytes, times that are
 * LARGE_INTEGERs, ids that are declared as pointers (ntoskrnl's public types; `CLIENT_ID` and `UniqueProcessId` are HANDLEs).
 * @param pointer bytes of a pointer
 */
export function windowsOverlay(pointer: 4 | 8): Overlay {
  return {
    // 16 bytes until Windows 7, then 15 with the priority class behind them.
    _EPROCESS: { ImageFileName: text(15), CreateTime: time, ExitTime: time, UniqueProcessId: id(pointer), InheritedFromUniqueProcessId: id(pointer) },
    _ETHREAD: { CreateTime: time, ExitTime: time },
    _CLIENT_ID: { UniqueProcess: id(pointer), UniqueThread: id(pointer) },
    _OBJECT_SYMBOLIC_LINK: { CreationTime: time },
    _DBGKD_GET_VERSION64: {},
    _POOL_HEADER: {},
  };
}
