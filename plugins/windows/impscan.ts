import { loadDisassembler } from '../../src/disasm/decode.js';
import { type UsedPointer, usedPointers } from '../../src/disasm/imported.js';
import { programBase } from '../../src/kernel/windows/processes/images.js';
import { loadedDrivers } from '../../src/kernel/windows/system/modules.js';
import { processSpace } from '../../src/kernel/windows/memory/memory-map.js';
import { pidOf } from '../../src/kernel/windows/processes/processes.js';
import { breathe, breathing } from '../../src/memory/breathe.js';
import { orElse } from '../../src/memory/absent.js';
import type { AddressSpace } from '../../src/memory/space.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import type { PluginContext } from '../../src/plugin/context.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { selectWindowsProcesses, windowsOf, windowsProcessRowArgs } from '../../src/plugin/windows-select.js';
import { contextOf } from '../../src/session/processes.js';
import { ModuleExports } from '../../src/session/resolver/module-exports.js';
import { codeRanges } from '../../src/symbols/pe/imported-calls.js';
import { imports } from '../../src/symbols/pe/imports.js';
import { DIRECTORY, LoadedPe } from '../../src/symbols/pe/loaded.js';

export const impscan = definePlugin({
  name: 'impscan',
  needs: ['windows'],
  topic: 'memory',
  summary: 'imports of an executable, told by the code that uses them: also where its import table was destroyed',
  notes:
    'Looks for calls and jumps through pointers (CALL [RIP+d], JMP [d]) whose pointer leads to a function that a module exports, then at the pointers beside those, and at the tables that the header names. ' +
    'Without a base it is the program of each process; with kernel=yes the kernel, or the driver at base. A function has as many names as modules that export it: forwarders (kernel32!HeapAlloc for ntdll!RtlAllocateHeap) are told in also. ' +
    'Newer builds of Windows 10 call imports of drivers directly (retpolines, import optimization): of those only the tables tell.',
  args: {
    ...windowsProcessRowArgs,
    base: arg.address('where the executable or the code begins', { completes: 'symbol' }),
    size: arg.int('how many bytes of code, where no header says it', { least: 1 }),
    kernel: arg.bool('in the kernel, not in processes', { default: false }),
  },
  columns: {
    divider: col.string('the process, or the kernel', { divider: true }),
    iat: col.address('the pointer: its place in the import address table'),
    call: col.address('where it leads'),
    module: col.string('file name of the module that exports it', { width: 16 }),
    function: col.string('name of the function; #ordinal where it has none'),
    uses: col.int('calls and jumps through it; 0: it stands beside others'),
    caller: col.address('the first of them', { hidden: true }),
    stated: col.string('what the import directory says should be there', { hidden: true }),
    also: col.string('other names that modules have for it', { minor: true }),
    pid: col.int('process id   _EPROCESS.UniqueProcessId', { hidden: true }),
    _EPROCESS: col.struct('_EPROCESS', 'the process', { hidden: true }),
  },
  examples: [{ line: 'impscan proc_regex=csrss' }, { line: 'impscan kernel=yes base=hal' }],
  async *collect(context, args) {
    const kernel = windowsOf(context);
    const drivers = loadedDrivers(kernel);
    const kernelFile = drivers.find(({ base }) => base === kernel.location.base)?.name;
    if (args.kernel) {
      const names = new ModuleExports(await context.session.resolver(null), kernel.space, kernelFile);
      const base = args.base ?? kernel.location.base;
      const rows = await found(context, kernel.space, base, args.size, names);
      if (!rows) throw new PluginError(`No executable stands at 0x${base.toString(16)}: how many bytes of code are there?`, `impscan kernel=yes base=0x${base.toString(16)} size=0x10000`);
      for (const row of rows) yield { divider: 'the kernel', ...row };
      if (rows.length === 0) context.note(`No pointer to an exported function is used at 0x${base.toString(16)}: ${WHY}`);
      return;
    }
    let count = 0;
    const [without, headless]: [string[], string[]] = [[], []];
    for (const { process } of selectWindowsProcesses(context, args)) {
      await breathe(context.signal);
      const space = orElse(() => processSpace(kernel, process), undefined);
      const { peb, kernel: section } = programBase(kernel, process);
      const base = args.base ?? peb ?? section;
      if (!space || base === undefined) continue;
      count++;
      const names = new ModuleExports(await context.session.resolver(contextOf(kernel, process)), space, kernelFile);
      const pid = pidOf(process) ?? null;
      const divider = `${orElse(() => process.ImageFileName, '?')} (${pid ?? '?'})`;
      const rows = await found(context, space, base, args.size, names);
      for (const row of rows ?? []) yield { divider, ...row, pid, _EPROCESS: process };
      if (!rows) headless.push(divider);
      else if (rows.length === 0) without.push(divider);
    }
    if (headless.length > 0) context.note(`The header is not in memory of ${someOf(headless)}; with size=BYTES code alone is looked at.`);
    if (without.length > 0) context.note(`No pointer to an exported function is used by ${someOf(without)}: ${WHY}`);
    if (count === 0) context.note('None of the processes has a program in memory: ended, or the kernel\'s own (kernel=yes).');
  },
});

/** Names of the first few. */
function someOf(names: readonly string[]): string {
  const rest = names.length - LISTED;
  return rest > 1 ? `${names.slice(0, LISTED).join(', ')} and ${rest} more` : names.join(', ');
}

/** Processes that a note names. */
const LISTED = 6;
const WHY = 'there are none, or code, pointers or export tables are not in memory.';

/** The imports of one executable, or of code without a header; undefined where there is no header, and no size. */
async function found(context: PluginContext, space: AddressSpace, base: bigint, size: number | undefined, names: ModuleExports) {
  const pe = LoadedPe.at(space, base);
  if (!pe && size === undefined) return undefined;
  const end = base + BigInt(pe?.sizeOfImage ?? size ?? 0);
  const width = pe ? (pe.header.wide ? 8 : 4) : space.bits === 64 ? 8 : 4;
  const table = pe?.directory(DIRECTORY.iat);
  const search = {
    space,
    disassembler: await loadDisassembler(width === 8 ? 64 : 32),
    code: size !== undefined ? [{ start: base, size }] : pe ? codeRanges(pe) : [],
    width,
    tables: table && pe ? [{ start: pe.address(table.rva), size: table.size }] : [],
    // Pointers into the executable itself import nothing.
    isExport: (address: bigint) => (address < base || address >= end) && names.at(address) !== undefined,
  } as const;
  const stated = new Map(pe ? [...imports(pe)].map((one) => [pe.address(one.slot), `${one.dll}!${one.name ?? `#${one.ordinal ?? '?'}`}`]) : []);
  const rows = [];
  for await (const pointers of breathing(usedPointers(search), context.signal)) {
    for (const { slot, target, callers } of pointers as readonly UsedPointer[]) {
      const known = names.at(target);
      if (!known) continue;
      const [first, ...others] = known.names;
      rows.push({
        iat: slot,
        call: target,
        module: known.module,
        function: first ?? null,
        uses: callers.length,
        caller: callers[0] ?? null,
        stated: stated.get(slot) ?? null,
        also: () => [...others, ...names.forwardersTo(target)].join(', ') || null,
      });
    }
  }
  return rows;
}
