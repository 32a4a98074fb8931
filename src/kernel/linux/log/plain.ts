import { corrupt } from '../../../memory/absent.js';
import { decodeText } from '../../../object/text.js';
import type { WalkOptions } from '../lists/list.js';
import type { LogKernel, LogRecord } from './record.js';

const LARGEST = 2 ** 31;
/** `<6>` or, with a facility, `<30>`; then `[   12.345678] ` with CONFIG_PRINTK_TIME. */
const PREFIX = /^<(\d{1,3})>(?:\[ *(\d+)\.(\d{6})\] ?)?/;

/**
 * The log of kernels before 3.5: text in the ring log_buf, of which log_end is the position behind the last byte ever written and
 * logged_chars how many of the last bytes count. A line begins with its level; one without is the rest of the line before.
 */
export function* plainRecords(kernel: LogKernel, options: WalkOptions = {}): Generator<LogRecord> {
  const { space, profile } = kernel;
  const buffer = space.readPointer(profile.address('log_buf'));
  const length = space.readU32(profile.address('log_buf_len'));
  const end = space.readU32(profile.address('log_end'));
  const logged = Math.min(length, space.readU32(profile.address('logged_chars')));
  if (length === 0 || length > LARGEST) throw corrupt(`a log of ${length} bytes`, buffer);
  const { bytes: ring, gaps } = space.readPartial(buffer, length);
  if (gaps.length > 0) options.onFault?.(`${gaps.reduce((sum, gap) => sum + Number(gap.end - gap.start), 0)} bytes of the log are not in the image`);
  // log_end counts on and wraps at 2^32; lengths are powers of two.
  const start = (((end - logged) % length) + length) % length;
  const text = Buffer.concat([ring.subarray(start, Math.min(length, start + logged)), ring.subarray(0, Math.max(0, start + logged - length))]);
  let current: { -readonly [K in keyof LogRecord]: LogRecord[K] } | undefined;
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf(10, at);
    const stop = newline < 0 ? text.length : newline;
    const line = decodeText(text.subarray(at, stop));
    const prefix = PREFIX.exec(line);
    if (prefix || !current) {
      if (current) yield current;
      const priority = prefix ? Number(prefix[1]) : undefined;
      current = {
        sequence: undefined,
        nanoseconds: prefix?.[2] === undefined ? undefined : BigInt(prefix[2]) * 1_000_000_000n + BigInt(prefix[3] ?? 0) * 1000n,
        facility: priority === undefined ? undefined : priority >> 3,
        level: priority === undefined ? undefined : priority & 7,
        text: line.slice(prefix?.[0].length ?? 0),
        caller: undefined,
        device: undefined,
        address: buffer + BigInt((start + at) % length),
      };
    } else {
      current.text += `\n${line}`;
    }
    at = stop + 1;
  }
  if (current) yield current;
}
