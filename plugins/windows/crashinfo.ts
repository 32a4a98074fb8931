import { orElse } from '../../src/memory/absent.js';
import type { CrashDump, CrashHeader } from '../../src/memory/crash.js';
import type { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import { processors } from '../../src/kernel/windows/system/kpcr.js';
import type { Eprocess } from '../../src/kernel/windows/types.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import type { PluginContext } from '../../src/plugin/context.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';

/** Names of bug checks that are met often (Microsoft, "Bug Check Code Reference"). */
const BUG_CHECKS: Readonly<Record<number, string>> = {
  0x0a: 'IRQL_NOT_LESS_OR_EQUAL',
  0x1a: 'MEMORY_MANAGEMENT',
  0x1e: 'KMODE_EXCEPTION_NOT_HANDLED',
  0x24: 'NTFS_FILE_SYSTEM',
  0x3b: 'SYSTEM_SERVICE_EXCEPTION',
  0x50: 'PAGE_FAULT_IN_NONPAGED_AREA',
  0x7a: 'KERNEL_DATA_INPAGE_ERROR',
  0x7b: 'INACCESSIBLE_BOOT_DEVICE',
  0x7e: 'SYSTEM_THREAD_EXCEPTION_NOT_HANDLED',
  0x7f: 'UNEXPECTED_KERNEL_MODE_TRAP',
  0x8e: 'KERNEL_MODE_EXCEPTION_NOT_HANDLED',
  0x9f: 'DRIVER_POWER_STATE_FAILURE',
  0xc2: 'BAD_POOL_CALLER',
  0xc4: 'DRIVER_VERIFIER_DETECTED_VIOLATION',
  0xd1: 'DRIVER_IRQL_NOT_LESS_OR_EQUAL',
  0xe2: 'MANUALLY_INITIATED_CRASH',
  0xef: 'CRITICAL_PROCESS_DIED',
  0xf4: 'CRITICAL_OBJECT_TERMINATION',
  0x109: 'CRITICAL_STRUCTURE_CORRUPTION',
  0x124: 'WHEA_UNCORRECTABLE_ERROR',
  0x133: 'DPC_WATCHDOG_VIOLATION',
  0x139: 'KERNEL_SECURITY_CHECK_FAILURE',
  0x1c8: 'MANUALLY_INITIATED_POWER_BUTTON_HOLD',
};
/** Codes of small dumps have this bit too. */
const SMALL = 0x10000000;
const MACHINES: Readonly<Record<number, string>> = { 0x8664: 'x64', 0x14c: 'x86', 0xaa64: 'ARM64', 0x200: 'IA-64' };
/** Units of 100 ns between 1601 and 1970, and in a millisecond. */
const EPOCH = 116_444_736_000_000_000n;
const MILLISECOND = 10_000n;

export const crashinfo = definePlugin({
  name: 'crashinfo',
  needs: 'image',
  topic: 'start',
  summary: 'what the header of a Windows crash dump says: why and when it crashed, and where the kernel is',
  notes:
    'From the dump alone (_DUMP_HEADER, _DUMP_HEADER64), whose statements are hints. Of a triage dump also what it holds; with a profile ' +
    '(--profile) the process and the thread of the crash, and the processors.',
  args: {},
  columns: {
    key: col.string('what', { width: 22 }),
    value: col.string('its value'),
  },
  examples: [{ line: 'crashinfo' }],
  async *collect(context) {
    const crash = crashOf(context);
    if (!crash) return;
    const { header, triage } = crash;
    yield* facts(context.session.physical().image.format, header);
    if (!triage) return;
    yield { key: 'kernel base', value: hex(triage.kernelBase) };
    yield { key: 'drivers', value: `${triage.drivers.length} loaded, ${triage.unloaded.length} unloaded` };
    yield { key: 'memory', value: `${triage.blocks.length} blocks, ${triage.blocks.reduce((sum, { length }) => sum + length, 0)} bytes` };
    if (context.session.parameters.profile === undefined) {
      context.note('With a profile of its kernel (--profile) there is more: the process and the thread of the crash, and the processors.');
      return;
    }
    yield* objects((await context.session.kernel()) as WindowsKernel);
  },
});

export const crashdrivers = definePlugin({
  name: 'crashdrivers',
  needs: 'image',
  topic: 'kernel',
  summary: 'the drivers in the header of a Windows triage dump, also those that were unloaded before the crash',
  notes: 'From the dump alone. Names of unloaded drivers are cut to twelve characters by the kernel. time_date_stamp and size are the key of an executable on symbol servers.',
  args: { name_regex: arg.regex('only drivers whose name matches', { positional: true }) },
  columns: {
    name: col.string('file name', { width: 20 }),
    base: col.address('where it is, or was'),
    size: col.int('bytes', { unit: 'bytes' }),
    unloaded: col.bool('it was unloaded'),
    time_date_stamp: col.string('time stamp of its PE header, in hex'),
    path: col.string('path', { minor: true }),
  },
  examples: [{ line: 'crashdrivers' }, { line: 'crashdrivers name_regex=nt', doc: 'some of them' }],
  *collect(context, args) {
    const crash = crashOf(context);
    if (!crash) return;
    const { triage } = crash;
    if (!triage) throw new PluginError('This dump has physical memory: its drivers are in the kernel.', 'modules');
    for (const { path, base, size, timeDateStamp } of triage.drivers) {
      const name = path.split('\\').at(-1) ?? path;
      if (args.name_regex && !args.name_regex.test(name)) continue;
      yield { name, base, size, unloaded: false, time_date_stamp: timeDateStamp.toString(16).padStart(8, '0'), path };
    }
    for (const { name, start, end } of triage.unloaded) {
      if (args.name_regex && !args.name_regex.test(name)) continue;
      yield { name, base: start, size: end > start ? Number(end - start) : null, unloaded: true };
    }
  },
});

/** The dump, or undefined and a note where the image is something else. */
function crashOf(context: PluginContext): CrashDump | undefined {
  const { image } = context.session.physical();
  if (!image.hints.crash) context.note(`This image is no Windows crash dump; its format is ${image.format}.`);
  return image.hints.crash;
}

interface Row {
  readonly key: string;
  readonly value: string | null;
}

function* facts(format: string, header: CrashHeader): Generator<Row> {
  yield { key: 'format', value: format };
  yield { key: 'build', value: String(header.build) };
  yield { key: 'machine', value: `${MACHINES[header.machine] ?? hex(header.machine) ?? ''}${header.pae ? ' with PAE' : ''}` };
  yield { key: 'processors', value: String(header.processors) };
  yield { key: 'time of the crash', value: header.systemTime === undefined ? null : timeText(header.systemTime) };
  yield { key: 'uptime in seconds', value: header.upTime === undefined ? null : (Number(header.upTime / MILLISECOND) / 1000).toFixed(1) };
  const { bugCheck, exception } = header;
  if (bugCheck) {
    const code = (bugCheck.code & ~SMALL) >>> 0;
    yield { key: 'bug check', value: [hex(bugCheck.code), BUG_CHECKS[code]].filter(Boolean).join(' ') };
    for (const [index, value] of bugCheck.parameters.entries()) yield { key: `bug check parameter ${index + 1}`, value: hex(value) };
  }
  if (exception) yield { key: 'exception', value: `${hex(exception.code) ?? ''} at ${hex(exception.address) ?? ''}` };
  yield { key: 'DirectoryTableBase', value: hex(header.directoryTable) };
  yield { key: 'PsLoadedModuleList', value: hex(header.loadedModuleList) };
  yield { key: 'PsActiveProcessHead', value: hex(header.activeProcessHead) };
  yield { key: 'PfnDataBase', value: hex(header.pfnDatabase) };
  yield { key: 'KdDebuggerDataBlock', value: hex(header.debuggerData) };
  if (header.comment !== '') yield { key: 'comment', value: header.comment };
}

/** What is known by types: the processors, and who ran on the one that crashed. */
function* objects(kernel: WindowsKernel): Generator<Row> {
  const step = (type: string): bigint | undefined => {
    const found = kernel.crashObjects.find((object) => object.type === type);
    return found?.address;
  };
  const process = step('_EPROCESS');
  if (process !== undefined) {
    const object = kernel.at<Eprocess>('_EPROCESS', process);
    const name = orElse(() => `${object.ImageFileName} (${object.UniqueProcessId})`, '');
    yield { key: 'process', value: `${hex(process) ?? ''} ${name}`.trim() };
  }
  const thread = step('_ETHREAD');
  if (thread !== undefined) yield { key: 'thread', value: hex(thread) };
  const found = orElse(() => processors(kernel), []);
  if (found.length === 0) yield { key: 'KPRCBs', value: null };
  for (const { number, prcb } of found) {
    const current = orElse(() => prcb.$pointer('CurrentThread'), undefined);
    yield { key: `KPRCB ${number}`, value: `${hex(prcb.$address) ?? ''}${current === undefined ? ', not in the dump' : `, thread ${hex(current) ?? ''}`}` };
  }
}

function hex(value: bigint | number | undefined): string | null {
  return value === undefined ? null : `0x${value.toString(16)}`;
}

function timeText(fileTime: bigint): string {
  const date = new Date(Number((fileTime - EPOCH) / MILLISECOND));
  return Number.isNaN(date.getTime()) ? `FILETIME ${fileTime}` : date.toISOString();
}
