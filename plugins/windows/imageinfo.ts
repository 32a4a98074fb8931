import { Absent, orAbsent, orElse } from '../../src/memory/absent.js';
import type { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import { processorCount } from '../../src/kernel/windows/system/kpcr.js';
import { physicalMemory } from '../../src/kernel/windows/memory/physical-memory.js';
import { bootTime, imageText, imageTime, sharedData, systemRoot, systemTime, tickCount, tickLength, upTime } from '../../src/kernel/windows/find/shared-data.js';
import { Timestamp } from '../../src/object/time.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { windowsOf } from '../../src/plugin/windows-select.js';

/** Nanoseconds in a unit of the system's clocks. */
const UNIT = 100n;
/** … of which a second has so many. */
const UNITS = 1e7;
/** Units of 100 ns in a minute. */
const MINUTE = 600_000_000n;
/** `_NT_PRODUCT_TYPE` (ntdef.h). */
const PRODUCTS: Readonly<Record<number, string>> = { 1: 'workstation', 2: 'domain controller', 3: 'server' };
const ARCHITECTURES: Readonly<Record<string, string>> = { amd64: 'x64', 'amd64-la57': 'x64, five-level paging', i386: 'x86', 'i386-pae': 'x86 with PAE', arm64: 'ARM64' };

export const imageinfo = definePlugin({
  name: 'imageinfo',
  needs: ['windows'],
  topic: 'start',
  summary: 'the image in short: which Windows, when it was started and imaged, its processors and memory',
  notes:
    'From the page that all processes share (_KUSER_SHARED_DATA), from variables of the kernel, and from how it was found (why tells more). Local time is the system time less its time zone bias. ' +
    'The boot time is nt!KeBootTime; seconds since boot are counted by ticks of the clock (nt!KeMaximumIncrement), failing those by the interrupt clock.',
  args: {},
  columns: {
    key: col.string('what', { width: 20 }),
    value: col.any('its value'),
  },
  examples: [{ line: 'imageinfo' }],
  *collect(context) {
    const kernel = windowsOf(context);
    for (const [key, value] of facts(kernel)) {
      const known = orAbsent(value);
      if (known !== undefined) yield { key, value: known };
    }
  },
});

export const times = definePlugin({
  name: 'times',
  needs: ['windows'],
  topic: 'kernel',
  summary: "the kernel's clocks: when the image was made, when the system was started",
  notes: 'now and interrupt_time are in _KUSER_SHARED_DATA, boot is nt!KeBootTime. Ticks of the clock times their length (nt!KeMaximumIncrement) make the uptime; where no ticks are kept the interrupt clock does.',
  args: {},
  columns: {
    Times: col.any('the first three in one, as Rekall had them: Times.now, Times.boot, Times.uptime in seconds', { hidden: true }),
    now: col.time('when the image was made   _KUSER_SHARED_DATA.SystemTime'),
    boot: col.time('when the system was started   nt!KeBootTime'),
    uptime: col.duration('time since the start, by ticks of the clock   _KUSER_SHARED_DATA.TickCountQuad, nt!KeMaximumIncrement', { unit: 'ns' }),
    interrupt_time: col.duration('time since the start, by the interrupt clock   _KUSER_SHARED_DATA.InterruptTime', { unit: 'ns' }),
    ticks: col.int('ticks of the clock since the start   _KUSER_SHARED_DATA.TickCountQuad', { hidden: true }),
    tick: col.duration('length of a tick   nt!KeMaximumIncrement', { unit: 'ns', hidden: true }),
    bias: col.int('minutes from local time to UTC   _KUSER_SHARED_DATA.TimeZoneBias', { unit: 'minutes', hidden: true }),
  },
  examples: [{ line: 'times' }],
  *collect(context) {
    const kernel = windowsOf(context);
    yield {
      Times: () => ({ now: imageTime(kernel), boot: bootTime(kernel), uptime: Number(upTime(kernel)) / UNITS }),
      now: () => imageTime(kernel),
      boot: () => bootTime(kernel),
      uptime: () => upTime(kernel) * UNIT,
      interrupt_time: () => systemTime(kernel, 'InterruptTime') * UNIT,
      ticks: () => tickCount(kernel),
      tick: () => tickLength(kernel) * UNIT,
      bias: () => Number(systemTime(kernel, 'TimeZoneBias') / MINUTE),
    };
  },
});

type Value = string | number | bigint | boolean | Timestamp;

/** What is to say, in order; undefined where this version has no such thing. */
function* facts(kernel: WindowsKernel): Generator<readonly [string, () => Value | undefined]> {
  const { location, version } = kernel;
  const shared = (member: string): number => Number(sharedData(kernel).$get(member));
  yield ['Windows', () => kernel.description.split(',')[0] ?? ''];
  yield ['Architecture', () => ARCHITECTURES[location.paging] ?? location.paging];
  yield ['Kernel DTB', () => hex(location.dtb)];
  yield ['Kernel base', () => hex(location.base)];
  yield ['PDB', () => (location.guid === '' ? undefined : `${location.pdb} ${location.guid}`)];
  yield ['NT version', () => `${version.major}.${version.minor} build ${kernel.build}`];
  yield ['NT Build', () => imageText(kernel, 'NtBuildLab')];
  yield ['NT Build Ex', () => (kernel.symbol('NtBuildLabEx') === undefined ? undefined : imageText(kernel, 'NtBuildLabEx'))];
  yield ['Service pack', () => servicePack(kernel)];
  yield ['Product type', () => PRODUCTS[shared('NtProductType')] ?? `type ${shared('NtProductType')}`];
  yield ['NtSystemRoot', () => systemRoot(kernel)];
  yield ['Processors', () => processorCount(kernel)];
  yield ['Signed Drivers', () => flag(kernel, 'g_CiEnabled')];
  yield ['Safe mode', () => shared('SafeBootMode') !== 0];
  yield ['Kernel debugger', () => (shared('KdDebuggerEnabled') & 1) !== 0];
  yield ['Time (UTC)', () => imageTime(kernel)];
  yield ['Time (Local)', () => localTime(kernel)];
  yield ['Time zone bias', () => `${systemTime(kernel, 'TimeZoneBias') / MINUTE} minutes`];
  yield ['Boot time', () => bootTime(kernel)];
  yield ['Sec Since Boot', () => Number(upTime(kernel)) / UNITS];
  yield ['Image', () => kernel.physical.image.format];
  const held = kernel.physical.runs.reduce((sum, { start, end }) => sum + end - start, 0);
  yield ['Memory in the image', () => (held === 0 ? undefined : held)];
  const memory = orAbsent(() => physicalMemory(kernel));
  yield ['Physical memory', () => thrown(memory).runs.reduce((sum, { start, end }) => sum + end - start, 0)];
  for (const { start, end } of memory instanceof Absent ? [] : memory.runs) yield ['Physical range', () => `${hex(start)} - ${hex(end)}`];
}

function thrown<T>(value: T | Absent): T {
  if (value instanceof Absent) throw value;
  return value;
}

/** nt!CmNtCSDVersion: the service pack in the second byte, what a test build adds in the first. */
function servicePack(kernel: WindowsKernel): string | undefined {
  const at = kernel.symbol('CmNtCSDVersion');
  if (at === undefined) return undefined;
  const value = kernel.space.readU32(at);
  const pack = (value >>> 8) & 0xff;
  return pack === 0 ? 'none' : `Service Pack ${pack}`;
}

function flag(kernel: WindowsKernel, symbol: string): boolean | undefined {
  const at = kernel.symbol(symbol);
  return at === undefined ? undefined : orElse(() => kernel.space.readU8(at) !== 0, undefined);
}

function localTime(kernel: WindowsKernel): string {
  const local = Timestamp.fromFileTime(systemTime(kernel, 'SystemTime') - systemTime(kernel, 'TimeZoneBias'));
  return local.toISOString().replace('T', ' ').replace(/Z$/, '');
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
