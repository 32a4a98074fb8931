import { Absent, orElse } from '../../src/memory/absent.js';
import { breathe, due } from '../../src/memory/breathe.js';
import { pageNumber } from '../../src/memory/page.js';
import type { AddressSpace } from '../../src/memory/space.js';
import { processSpace } from '../../src/kernel/windows/memory/memory-map.js';
import type { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import { pidOf } from '../../src/kernel/windows/processes/processes.js';
import { fileName, type Vad, vadFile, vads } from '../../src/kernel/windows/memory/vad.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import type { PluginContext } from '../../src/plugin/context.js';
import { dumpArgs, type DumpFile, DumpFolder } from '../../src/plugin/dump-folder.js';
import { appendMemory, closeFile } from '../../src/plugin/dump-memory.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { selectWindowsProcesses, windowsOf, windowsProcessRowArgs } from '../../src/plugin/windows-select.js';


export const vaddump = definePlugin({
  name: 'vaddump',
  needs: ['windows'],
  topic: 'memory',
  summary: 'writes the regions of processes to files, one each',
  notes:
    'Files are named PROCESS.PHYSICAL.START-END.dmp, by the physical address of the _EPROCESS. Pages that are not in memory are zeros (holes of the file), and counted; of a region that has none there is no file. ' +
    'Names from the image are made safe; nothing is written outside of the folder.',
  args: {
    ...windowsProcessRowArgs,
    ...dumpArgs,
    max_size: arg.int('the largest region that is written, bytes', { default: 100 * 1024 * 1024, least: 4096 }),
    regex: arg.regex('only regions whose mapped file matches'),
    offset: arg.address('only the region that this address lies in', { completes: 'symbol' }),
  },
  columns: {
    _EPROCESS: col.struct('_EPROCESS', 'the process', { divider: true }),
    start: col.address('address of the first byte   _MMVAD.StartingVpn'),
    end: col.address('address of the last byte   _MMVAD.EndingVpn'),
    length: col.size('how much', { unit: 'bytes' }),
    filename: col.string('the file'),
    missing: col.int('pages that are not in memory, zeros in the file', { unit: 'pages' }),
    comment: col.string('the mapped file; why there is no file', { minor: true }),
    pid: col.int('process id   _EPROCESS.UniqueProcessId', { hidden: true }),
  },
  examples: [{ line: 'vaddump proc_regex=smss dump_dir=/tmp' }, { line: 'vaddump proc_regex=smss regex=ntdll dump_dir=/tmp' }],
  async *collect(context, args) {
    const kernel = windowsOf(context);
    const folder = DumpFolder.of(context, args.dump_dir);
    let rows = 0;
    let processes = 0;
    for (const { process } of selectWindowsProcesses(context, args)) {
      processes++;
      const space = orElse(() => processSpace(kernel, process), undefined);
      if (!space) continue;
      const pid = pidOf(process) ?? null;
      const name = orElse(() => process.ImageFileName, 'unknown');
      const place = (kernel.space.translate(process.$address) ?? 0).toString(16);
      for (const region of vads(kernel, process, (what) => context.note(`${what}.`))) {
        const { start, end } = region;
        if (args.offset !== undefined && (args.offset < start || args.offset > end)) continue;
        const file = mappedFile(kernel, region);
        if (args.regex && !args.regex.test(typeof file === 'string' ? file : '')) continue;
        rows++;
        const length = Number(end - start) + 1;
        context.progress(undefined, `${name} (${pid ?? '?'}) 0x${start.toString(16)}`);
        const begin = (): DumpFile => folder.create(`${name}.${place}.${hex(start)}-${hex(end)}`, '.dmp');
        const dumped = length > args.max_size ? { filename: null, missing: null, comment: 'no file: larger than max_size' } : await dumpRegion(context, space, region, length, begin);
        const { comment, ...rest } = dumped;
        yield { _EPROCESS: process, start, end, length, ...rest, comment: typeof file === 'string' || !file ? [comment, file].filter(Boolean).join('; ') || null : (comment ?? file), pid };
      }
    }
    if (rows === 0 && processes > 0) context.note("No region was chosen: the processes have ended, are the kernel's own, or their trees are not in memory; or nothing matches. vad shows all.");
  },
});

/** Path of the file that a region maps; why it is not known, or undefined where there is none. */
function mappedFile(kernel: WindowsKernel, region: Vad): string | Absent | undefined {
  try {
    const file = vadFile(kernel, region);
    return file && fileName(file);
  } catch (error) {
    if (error instanceof Absent) return error;
    throw error;
  }
}

async function dumpRegion(context: PluginContext, space: AddressSpace, { start, end }: Vad, length: number, begin: () => DumpFile) {
  if (!(await hasPage(space, pageNumber(start), pageNumber(end), context.signal))) return { filename: null, missing: null, comment: 'no file: none of its pages is in memory' };
  const file = begin();
  try {
    const missing = await appendMemory(file, space, start, length, context.signal);
    return { filename: file.path, missing, comment: undefined };
  } finally {
    closeFile(context, file);
  }
}

async function hasPage(space: AddressSpace, first: number, last: number, signal: AbortSignal): Promise<boolean> {
  for (let page = first; page <= last; page++) {
    if (space.pageAt(page)) return true;
    if (due()) await breathe(signal);
  }
  return false;
}

function hex(address: bigint): string {
  return address.toString(16).padStart(8, '0');
}
