import type { AddressSpace } from '../../../memory/space.js';
import type { Profile } from '../../../symbols/profile.js';

/** What readers of the kernel log need of a kernel; a LinuxKernel is one. */
export interface LogKernel {
  readonly space: AddressSpace;
  readonly profile: Profile;
}

/** A message of the kernel log. */
export interface LogRecord {
  /** number of the record since boot; undefined in a plain buffer */
  readonly sequence: bigint | undefined;
  /** nanoseconds since boot by the clock of the processor; undefined where a plain buffer has no time stamps */
  readonly nanoseconds: bigint | undefined;
  /** 0 kern, 1 user, … (RFC 5424) */
  readonly facility: number | undefined;
  /** 0 emerg … 7 debug */
  readonly level: number | undefined;
  /** one or several lines */
  readonly text: string;
  /** who printed: `T115` thread 115, `C2` processor 2 in an interrupt; undefined where the kernel does not keep it */
  readonly caller: string | undefined;
  /** subsystem and device (`+pci:0000:00:02.0`), where the message was about one */
  readonly device: string | undefined;
  /** of the record (its text, in a plain buffer) */
  readonly address: bigint;
}

const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug'];
const FACILITIES = [
  'kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp', 'ntp', 'audit', 'alert', 'clock',
  'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7',
];

/** syslog(2)'s name of a level. */
export function levelName(level: number): string {
  return LEVELS[level] ?? String(level);
}

/** syslog(3)'s name of a facility. */
export function facilityName(facility: number): string {
  return FACILITIES[facility] ?? String(facility);
}

/** printk_info.caller_id as the kernel prints it: the top bit tells processors from threads (kernel/printk/printk.c: printk_caller_id). */
export function callerName(id: number): string {
  return (id & 0x80000000) !== 0 ? `C${id & 0x7fffffff}` : `T${id}`;
}
