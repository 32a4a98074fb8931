import { orElse } from '../../src/memory/absent.js';
import { breathing, type Steps } from '../../src/memory/breathe.js';
import { rootsOfHeader, type WindowsRoot } from '../../src/kernel/windows/find/dtb.js';
import type { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import { rootsOfLowStub } from '../../src/kernel/windows/find/low-stub.js';
import { findProcesses, METHODS } from '../../src/kernel/windows/processes/processes.js';
import { rootsOfProcessors } from '../../src/kernel/windows/find/processor-roots.js';
import { processObjects, rootProblem, threadsProblem } from '../../src/kernel/windows/find/root-check.js';
import { rootsThatNameThemselves } from '../../src/kernel/windows/find/self-roots.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { windowsOf, withoutPageTables } from '../../src/plugin/windows-select.js';

/** Names of processes that every system has. */
const NAMES = ['cmd.exe', 'System', 'csrss.exe', 'svchost.exe', 'lsass.exe', 'winlogon.exe', 'Idle'];

export const findDtb = definePlugin({
  name: 'find_dtb',
  needs: ['windows'],
  topic: 'memory',
  summary: "the kernel's page tables, by process objects in physical memory and by other methods, each verified",
  notes:
    "Process objects with a name that every system has are searched for in physical memory, whether the kernel's lists know them or not. Without process_name also: the crash dump's header, the low stub from which processors start, the " +
    'processors\' control regions, tables that name themselves. Valid: they map the page that all processes share (_KUSER_SHARED_DATA) and the kernel\'s image where it is; of a process its list of threads leads back. All processes map the kernel: ' +
    'the tables of System and Idle are its own. Valid tables that no process has are a hint at a hidden one.',
  args: { process_name: arg.strings('only process objects with these names', { completes: 'process' }) },
  columns: {
    _EPROCESS: col.struct('_EPROCESS', 'the process object, in physical memory', { title: '_EPROCESS (P)' }),
    dtv: col.physical('physical address of the top page table   _KPROCESS.DirectoryTableBase', { title: 'DTB' }),
    valid: col.bool('true where it maps the kernel'),
    method: col.string('how it was found'),
    paging: col.string('kind of paging', { hidden: true }),
    comment: col.string('why it is not valid; whether it is the one in use; whose it is'),
  },
  examples: [{ line: 'find_dtb' }, { line: 'find_dtb process_name=System', doc: 'by one process' }],
  applies: withoutPageTables,
  async *collect(context, args) {
    const kernel = windowsOf(context);
    const { paging, dtb: own } = kernel.location;
    let shown = 0;
    for await (const found of breathing(processObjects(kernel, args.process_name ?? NAMES), context.signal)) {
      shown++;
      const problem = rootProblem(kernel, { dtb: found.dtb, paging }) ?? threadsProblem(kernel, found);
      yield { _EPROCESS: found.process, dtv: found.dtb, valid: problem === undefined, method: `process ${found.name}`, paging, comment: problem ?? inUse(found.dtb === own) };
    }
    if (args.process_name) {
      if (shown === 0) context.note(`No process object is named ${args.process_name.join(', ')}.`);
      return;
    }
    const owners = ownersOf(kernel);
    const seen = new Set<number>();
    for await (const root of breathing(others(kernel), context.signal)) {
      context.progress(undefined, root.method);
      if (seen.has(root.dtb)) continue;
      seen.add(root.dtb);
      const problem = rootProblem(kernel, root);
      const comment = problem ?? inUse(root.dtb === own) ?? owners.get(root.dtb) ?? 'of no process that the kernel lists';
      yield { dtv: root.dtb, valid: problem === undefined, method: root.method, paging: root.paging, comment };
    }
  },
});

/** Whose page tables those are, by their addresses: of all processes that the kernel lists anywhere. */
function ownersOf(kernel: WindowsKernel): Map<number, string> {
  const found = new Map<number, string>();
  for (const { process } of findProcesses(kernel, METHODS)) {
    const dtb = orElse(() => kernel.dtbOf(process), 0);
    if (dtb !== 0) found.set(dtb, orElse(() => `of ${process.ImageFileName} (${process.UniqueProcessId})`, 'of a process without a name'));
  }
  return found;
}

/** Roots by methods that need no process. */
function* others({ physical, space: { bits } }: WindowsKernel): Steps<WindowsRoot> {
  yield* rootsOfHeader(physical);
  if (bits === 64) yield* rootsOfLowStub(physical);
  yield* rootsOfProcessors(physical, bits);
  yield* rootsThatNameThemselves(physical, bits);
}

function inUse(own: boolean): string | null {
  return own ? 'in use' : null;
}
