import { orElse } from '../../../memory/absent.js';
import type { Struct } from '../../../object/struct.js';
import { decodeText } from '../../../object/text.js';
import { Timestamp } from '../../../object/time.js';
import { SHARED_DATA } from './dtb.js';
import type { WindowsKernel } from '../kernel.js';

/** Characters of the path of the system's folder (`_KUSER_SHARED_DATA.NtSystemRoot`, ntddk.h). */
const ROOT_LENGTH = 260;

/** The page that every process has, read-only: `_KUSER_SHARED_DATA`. Throws Absent. */
export function sharedData(kernel: WindowsKernel): Struct {
  return kernel.at('_KUSER_SHARED_DATA', kernel.space.bits === 64 ? SHARED_DATA.wide : SHARED_DATA.narrow);
}

/** A `_KSYSTEM_TIME` of the shared data, in units of 100 ns. Throws Absent. */
export function systemTime(kernel: WindowsKernel, member: 'SystemTime' | 'InterruptTime' | 'TimeZoneBias'): bigint {
  const time = sharedData(kernel).$get(member) as Struct;
  return (BigInt(time.$get('High1Time') as number) << 32n) + BigInt(time.$get('LowPart') as number);
}

/** The system's clock when the image was made; where a crash dump lacks the page, by its header. Throws Absent. */
export function imageTime(kernel: WindowsKernel): Timestamp {
  const stated = kernel.physical.hints.crash?.header.systemTime;
  const time = (): bigint => systemTime(kernel, 'SystemTime');
  return Timestamp.fromFileTime(stated === undefined ? time() : orElse(time, stated));
}

/** Units of 100 ns since the start: by ticks, or where those were not kept by the interrupt clock, or a crash dump's header. Throws Absent. */
export function upTime(kernel: WindowsKernel): bigint {
  const stated = kernel.physical.hints.crash?.header.upTime;
  const counted = orElse(() => tickCount(kernel) * tickLength(kernel), 0n);
  if (counted !== 0n) return counted;
  return stated === undefined ? systemTime(kernel, 'InterruptTime') : orElse(() => systemTime(kernel, 'InterruptTime'), stated);
}

/** When a moment of the interrupt clock, which counts 100 ns since the start, is by the system's clock. Throws Absent. */
export function interruptMoment(kernel: WindowsKernel, ticks: bigint): Timestamp {
  return Timestamp.fromFileTime(systemTime(kernel, 'SystemTime') - systemTime(kernel, 'InterruptTime') + ticks);
}

/** Ticks of the clock since the start: a quad word since Server 2003, before the low half beside its multiplier. Throws Absent. */
export function tickCount(kernel: WindowsKernel): bigint {
  const data = sharedData(kernel);
  // Where XP has no such member, its profile says so; where it has it and leaves it zero, the old one counts.
  const quad = data.$has('TickCountQuad') ? BigInt(data.$get('TickCountQuad') as number | bigint) : 0n;
  const old = ['TickCountLow', 'TickCountLowDeprecated'].find((name) => data.$has(name));
  return quad === 0n && old !== undefined ? BigInt(data.$get(old) as number) : quad;
}

/** Units of 100 ns in a tick of the clock: nt!KeMaximumIncrement. Throws Absent. */
export function tickLength(kernel: WindowsKernel): bigint {
  return BigInt(kernel.space.readU32(kernel.profile.address('KeMaximumIncrement')));
}

/** When the system was started: nt!KeBootTime, which is moved whenever the clock is set; failing that by the interrupt clock. Throws Absent. */
export function bootTime(kernel: WindowsKernel): Timestamp {
  const at = kernel.symbol('KeBootTime');
  const stated = at === undefined ? 0n : orElse(() => kernel.space.readU64(at), 0n);
  return stated === 0n ? interruptMoment(kernel, 0n) : Timestamp.fromFileTime(stated);
}

/** `C:\Windows`. Throws Absent. */
export function systemRoot(kernel: WindowsKernel): string {
  const text = kernel.space.read(sharedData(kernel).$addressOf('NtSystemRoot'), ROOT_LENGTH * 2).toString('utf16le');
  const nul = text.indexOf('\0');
  return nul < 0 ? text : text.slice(0, nul);
}

/** A text of the kernel's image at a symbol: NtBuildLab. Undefined where the profile has none, or it is not in memory. */
export function imageText(kernel: WindowsKernel, symbol: string): string | undefined {
  const at = kernel.symbol(symbol);
  return at === undefined ? undefined : orElse(() => decodeText(kernel.space.readCString(at, 256)), undefined);
}
