import type { WindowsKernel } from '../../kernel.js';
import { pointerTable } from '../../tables.js';
import { undocumented } from '../../undocumented.js';
import type { Callback } from './callback.js';

interface Table {
  readonly symbol: string;
  readonly api: string;
  /** slots at most; where another symbol begins earlier, the table ends there */
  readonly most: number;
}

/**
 * Tables of `_EX_FAST_REF`s to `_EX_CALLBACK_ROUTINE_BLOCK`s. PSP_MAX_CREATE_PROCESS_NOTIFY and its like are 8 until Server 2003, 64 since Vista;
 * of PspLoadImageNotifyRoutine 8 until updates of Windows 7; CM_MAX_CALLBACKS is 100 (WRK).
 */
const BLOCKS: readonly Table[] = [
  { symbol: 'PspCreateProcessNotifyRoutine', api: 'PsSetCreateProcessNotifyRoutine', most: 64 },
  { symbol: 'PspCreateThreadNotifyRoutine', api: 'PsSetCreateThreadNotifyRoutine', most: 64 },
  { symbol: 'PspLoadImageNotifyRoutine', api: 'PsSetLoadImageNotifyRoutine', most: 64 },
  // XP and Server 2003; a list since Vista.
  { symbol: 'CmpCallBackVector', api: 'CmRegisterCallback', most: 100 },
  { symbol: 'DbgkLmdCallbacks', api: 'DbgkLkmdRegisterCallback', most: 8 },
  { symbol: 'IopUpdatePriorityCallbackRoutine', api: 'IoRegisterPriorityCallback', most: 8 },
];

/** Variables that hold a routine, or a few of them. */
const ROUTINES: readonly Table[] = [
  { symbol: 'PspLegoNotifyRoutine', api: 'PsSetLegoNotifyRoutine', most: 1 },
  { symbol: 'PsAltSystemCallHandlers', api: 'PsRegisterAltSystemCallHandler', most: 2 },
  // XP and Server 2003.
  { symbol: 'KiTimeUpdateNotifyRoutine', api: 'KeSetTimeUpdateNotifyRoutine', most: 1 },
  { symbol: 'MmPageFaultNotifyRoutine', api: 'MmSetPageFaultNotifyRoutine', most: 1 },
];

/** Routines that stand in tables at symbols. */
export function* tableCallbacks(kernel: WindowsKernel): Generator<Callback> {
  const block = undocumented(kernel, '_EX_CALLBACK_ROUTINE_BLOCK');
  for (const table of BLOCKS) {
    for (const { value } of pointerTable(kernel, table.symbol, table.most)) {
      const view = block.at(kernel.space, withoutCount(kernel, value));
      yield {
        ...named(table),
        offset: view.$address,
        callback: () => view.$pointer('Function'),
        details: () => {
          const context = view.$pointer('Context');
          return context === 0n ? null : `context 0x${context.toString(16)}`;
        },
      };
    }
  }
  for (const table of ROUTINES) {
    for (const { at, value } of pointerTable(kernel, table.symbol, table.most)) yield { ...named(table), offset: at, callback: () => value };
  }
  yield* coalescing(kernel);
}

/** Windows 8.1 to 10 1709: a table of records; since then a list. */
function* coalescing(kernel: WindowsKernel): Generator<Callback> {
  const record = undocumented(kernel, '_PO_COALESCING_CALLBACK');
  for (const { value } of pointerTable(kernel, 'PopCoalescingCallbackRoutine', 32)) {
    const view = record.at(kernel.space, withoutCount(kernel, value));
    yield { type: 'nt!PopCoalescingCallbackRoutine', api: 'PoRegisterCoalescingCallback', offset: view.$address, callback: () => view.$pointer('Callback') };
  }
}

function named({ symbol, api }: Table): Pick<Callback, 'type' | 'api'> {
  return { type: `nt!${symbol}`, api };
}

/** An `_EX_FAST_REF` without its count of references. */
function withoutCount(kernel: WindowsKernel, value: bigint): bigint {
  return value & (kernel.profile.pointerSize === 8 ? ~0xfn : ~7n);
}
