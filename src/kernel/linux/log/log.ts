import { Absent } from '../../../memory/absent.js';
import type { WalkOptions } from '../lists/list.js';
import { plainRecords } from './plain.js';
import type { LogKernel, LogRecord } from './record.js';
import { bufferRecords, recordStruct } from './records.js';
import { ringRecords } from './ring.js';

/** How a kernel keeps its log. */
export type LogLayout = 'ring' | 'records' | 'plain';

/** Which layout a kernel's log has, told by its symbols and types. Throws Absent where it has none of them. */
export function logLayout(kernel: LogKernel): LogLayout {
  const { symbols } = kernel.profile;
  if (symbols.address('prb') !== undefined && kernel.profile.has('printk_ringbuffer')) return 'ring';
  if (symbols.address('log_buf') !== undefined) {
    if (symbols.address('log_next_idx') !== undefined && recordStruct(kernel) !== undefined) return 'records';
    if (symbols.address('log_end') !== undefined) return 'plain';
  }
  throw new Absent('no-member', 'this kernel has neither prb nor log_buf with what belongs to them');
}

/** The messages in the kernel log, oldest first. */
export function* kernelLog(kernel: LogKernel, options: WalkOptions = {}): Generator<LogRecord> {
  switch (logLayout(kernel)) {
    case 'ring':
      // prb points to the ring in use: the static one of early boot, or a larger one since (log_buf_len=).
      yield* ringRecords(kernel, kernel.space.readPointer(kernel.profile.address('prb')), options);
      return;
    case 'records':
      yield* bufferRecords(kernel, recordStruct(kernel) ?? 'printk_log', options);
      return;
    case 'plain':
      yield* plainRecords(kernel, options);
  }
}
