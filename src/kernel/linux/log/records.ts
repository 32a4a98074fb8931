import { corrupt, orElse } from '../../../memory/absent.js';
import { decodeText } from '../../../object/text.js';
import type { Struct } from '../../../object/struct.js';
import type { WalkOptions } from '../lists/list.js';
import { callerName, type LogKernel, type LogRecord } from './record.js';

/** log_buf_len is at most 2 GiB (kernel/printk/printk.c: LOG_BUF_LEN_MAX). */
const LARGEST = 2 ** 31;

/** kernel/printk/printk.c: struct printk_log, until 3.10 struct log */
interface Header extends Struct {
  readonly ts_nsec: bigint;
  readonly len: number;
  readonly text_len: number;
  readonly dict_len: number;
  readonly facility: number;
  readonly level: number;
  readonly caller_id: number;
}

/** Name of the record's struct, or undefined where this kernel has none: printk_log since 3.11 (kernel commit 62e32ac3505a), log before. */
export function recordStruct(kernel: LogKernel): string | undefined {
  return ['printk_log', 'log'].find((name) => kernel.profile.has(name, 'text_len'));
}

/**
 * The log of kernels from 3.5 to 5.9 (kernel commit 7ff9554bb578): records of variable length in log_buf, from log_first_idx to
 * log_next_idx; a length of 0 says that the next record stands at the start of the buffer.
 */
export function* bufferRecords(kernel: LogKernel, struct: string, options: WalkOptions = {}): Generator<LogRecord> {
  const { space, profile } = kernel;
  const type = profile.struct<Header>(struct);
  const header = type.size ?? 16;
  const buffer = space.readPointer(profile.address('log_buf'));
  const length = space.readU32(profile.address('log_buf_len'));
  const end = space.readU32(profile.address('log_next_idx'));
  let index = space.readU32(profile.address('log_first_idx'));
  let sequence = orElse(() => space.readU64(profile.address('log_first_seq')), undefined);
  if (length > LARGEST || index >= length || end >= length) throw corrupt(`a log of ${length} bytes from ${index} to ${end}`, buffer);
  let wrapped = false;
  // Every record is at least as long as its header, so this many there can be.
  for (let left = Math.ceil(length / header); index !== end && left > 0; left--) {
    const record = type.at(space, buffer + BigInt(index));
    const size = index + header <= length ? record.len : 0;
    if (size === 0) {
      if (wrapped) {
        options.onFault?.('the log has no end: two records of length 0');
        return;
      }
      wrapped = true;
      index = 0;
      continue;
    }
    if (size < header || index + size > length || header + record.text_len > size) {
      options.onFault?.(`the log is broken at 0x${record.$address.toString(16)}: a record of ${size} bytes with ${record.text_len} of text`);
      return;
    }
    const dictionary = record.dict_len > 0 && header + record.text_len + record.dict_len <= size ? space.read(record.$address + BigInt(header + record.text_len), record.dict_len) : undefined;
    yield {
      sequence,
      nanoseconds: record.ts_nsec,
      facility: record.facility,
      level: record.level,
      text: decodeText(space.read(record.$address + BigInt(header), record.text_len)),
      // Only with CONFIG_PRINTK_CALLER, since 5.1 (kernel commit 15ff2069cb7f).
      caller: record.$has('caller_id') ? callerName(record.caller_id) : undefined,
      device: dictionary === undefined ? undefined : /(?:^|\0)DEVICE=([^\0]*)/.exec(decodeText(dictionary))?.[1],
      address: record.$address,
    };
    index += size;
    if (sequence !== undefined) sequence++;
  }
}
