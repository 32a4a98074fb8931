import { orElse } from '../../../../memory/absent.js';
import type { WindowsKernel } from '../../kernel.js';
import { type Undocumented, undocumented } from '../../undocumented.js';
import { type Callback, type Fault, guidText } from './callback.js';

/** Links of one chain at most. */
const MOST = 1 << 12;

interface Chain {
  readonly symbol: string;
  readonly api: string;
  readonly struct: Undocumented;
  /** the member that leads to the next record's same member */
  readonly link: string;
  readonly routine: string;
  /** a member with a GUID */
  readonly guid?: string;
}

/** Lists of one link, from a variable to null. */
const CHAINS: readonly Chain[] = [
  { symbol: 'SeFileSystemNotifyRoutinesHead', api: 'SeRegisterLogonSessionTerminatedRoutine', struct: '_SEP_LOGON_SESSION_TERMINATED_NOTIFICATION', link: 'Next', routine: 'CallbackRoutine' },
  // Its records end differently (Windows 10 1607), and begin the same.
  { symbol: 'SeFileSystemNotifyRoutinesExHead', api: 'SeRegisterLogonSessionTerminatedRoutineEx', struct: '_SEP_LOGON_SESSION_TERMINATED_NOTIFICATION', link: 'Next', routine: 'CallbackRoutine' },
  { symbol: 'KiNmiCallbackListHead', api: 'KeRegisterNmiCallback', struct: '_KNMI_HANDLER_CALLBACK', link: 'Next', routine: 'Callback' },
  { symbol: 'EmpCallbackListHead', api: 'EmProviderRegister', struct: '_EMP_CALLBACK_DB_RECORD', link: 'List', routine: 'CallbackFunc', guid: 'CallbackId' },
];

/** Routines on lists of one link. One that comes back to a record, or does not end, is told. */
export function* chainCallbacks(kernel: WindowsKernel, onFault: Fault): Generator<Callback> {
  for (const { symbol, api, struct, link, routine, guid } of CHAINS) {
    const head = kernel.symbol(symbol);
    if (head === undefined) continue;
    const type = undocumented(kernel, struct);
    const offset = BigInt(type.offsetOf(link));
    const seen = new Set<bigint>();
    let at = head;
    for (;;) {
      const from = at;
      const next = orElse(() => kernel.space.readPointer(from), undefined);
      if (next === undefined) onFault(`${symbol}: the link at 0x${at.toString(16)} cannot be read`);
      // A chain may end at its head as well as at null.
      if (next === undefined || next === 0n || next === head) break;
      if (seen.has(next) || seen.size >= MOST) {
        onFault(`${symbol} ${seen.has(next) ? `comes back to 0x${next.toString(16)}` : `is longer than ${MOST}`}`);
        break;
      }
      seen.add(next);
      const record = type.at(kernel.space, next - offset);
      yield { type: `nt!${symbol}`, api, offset: record.$address, callback: () => record.$pointer(routine), ...(guid !== undefined && { details: () => guidText(record, guid) }) };
      at = next;
    }
  }
}
