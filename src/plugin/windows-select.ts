import { orElse } from '../memory/absent.js';
import { findProcesses, type FoundProcess, METHODS, type Method, notProcess, pidOf, processAt, processTitle } from '../kernel/windows/processes/processes.js';
import type { WindowsKernel } from '../kernel/windows/kernel.js';
import type { Eprocess } from '../kernel/windows/types.js';
import { arg, type ArgsOf } from './args.js';
import type { PluginContext } from './context.js';
import { PluginError } from './error.js';

/** Arguments of every Windows command that works on processes. */
export const windowsProcessArgs = {
  pids: arg.ints('only these process ids', { positional: true, completes: 'pid' }),
  eprocess: arg.addresses('_EPROCESSes at these addresses, known to the kernel or not'),
  proc_regex: arg.regex('only processes whose name (ImageFileName) matches', { completes: 'process' }),
  method: arg.choices('how processes are found; all that are named are put together', { choices: METHODS, default: METHODS }),
} as const;

/**
 * The same for commands whose rows are of one process each and do not depend on those of others. They have the process in `_EPROCESS` (or
 * `Process`, as Rekall called it in some) and its id in `pid`; a column `name`, where there is one, is the process's: their queries reach the selection
 * (`where pid == 4`, `where _EPROCESS.name =~ "svchost"`).
 */
export const windowsProcessRowArgs = {
  ...windowsProcessArgs,
  pids: { ...windowsProcessArgs.pids, narrows: { by: 'equality', columns: ['pid', ...membersOf('pid', 'UniqueProcessId')] } },
  proc_regex: { ...windowsProcessArgs.proc_regex, narrows: { by: 'match', columns: ['name', ...membersOf('name', 'ImageFileName')] } },
} as const;

function membersOf(...members: readonly string[]): string[] {
  return ['_EPROCESS', 'Process'].flatMap((column) => members.map((member) => `${column}.${member}`));
}

/** The same where what stands first on the line is something else: process ids are named. */
export const namedWindowsProcessArgs = { ...windowsProcessArgs, pids: { ...windowsProcessArgs.pids, positional: false } } as const;

/** The kernel of a plugin that needs Windows. */
export function windowsOf(context: PluginContext): WindowsKernel {
  const kernel = context.kernel;
  if (kernel.os !== 'windows') throw new PluginError(`this command reads Windows kernels; this one is ${kernel.os}`);
  return kernel as WindowsKernel;
}

/** Why a command that walks page tables cannot run here, or undefined: what such commands have for `applies`. */
export function withoutPageTables(context: PluginContext): string | undefined {
  return windowsOf(context).physical.hints.crash?.triage ? 'a triage dump has no page tables, only parts of virtual memory: crashinfo tells of what' : undefined;
}

/** The next command to try where the page database cannot be read, as a sentence. */
export function withoutPageDatabase(context: PluginContext): string {
  return withoutPageTables(context) === undefined ? 'ptov finds who maps a page without it.' : 'crashinfo tells what this dump holds.';
}

/** Addresses of the processes that a command's arguments select; undefined where they name none in particular. */
export function namedWindowsProcesses(context: PluginContext, args: ArgsOf<typeof windowsProcessArgs>): ReadonlySet<bigint> | undefined {
  const named = args.pids ?? args.eprocess ?? args.proc_regex;
  if (named === undefined && args.method.length === METHODS.length) return undefined;
  return new Set([...selectWindowsProcesses(context, args)].map(({ process }) => process.$address));
}

/** The processes that a command's arguments select, by ascending id. What selects nothing is told. */
export function* selectWindowsProcesses(context: PluginContext, args: ArgsOf<typeof windowsProcessArgs>): Generator<FoundProcess> {
  const kernel = windowsOf(context);
  if (args.eprocess) {
    yield* stated(context, args.eprocess);
    return;
  }
  const found = findProcesses(kernel, args.method as readonly Method[], (what) => context.note(`${what}.`));
  const missing = new Set(args.pids);
  let chosen = 0;
  for (const one of found) {
    const pid = pidOf(one.process);
    if (args.pids && (pid === undefined || !args.pids.includes(pid))) continue;
    if (pid !== undefined) missing.delete(pid);
    if (args.proc_regex && !args.proc_regex.test(orElse(() => one.process.ImageFileName, ''))) continue;
    chosen++;
    yield one;
  }
  if (missing.size > 0) context.note(`No process ${[...missing].join(', ')} among ${found.length}; pslist shows them all.`);
  else if (chosen === 0 && args.proc_regex) context.note(`No name of ${args.pids ? 'these processes' : `${found.length} processes`} matches /${args.proc_regex.source}/; pslist shows them all.`);
}

/** The processes at addresses. What is none is given as well, since it was asked for, as long as there is something. */
function* stated(context: PluginContext, addresses: readonly bigint[]): Generator<FoundProcess> {
  for (const address of addresses) {
    const process = processAt(windowsOf(context), address);
    const why = notProcess(process);
    if (why !== undefined) context.note(`No process at 0x${address.toString(16)}: ${why}; pslist shows where they are.`);
    if (process.$valid) yield { process, methods: new Set() };
  }
}

/** Processes that a note names, before it counts the others. */
const NAMED = 6;

/**
 * Says which of the processes that were asked for have nothing to show: `Without handles (ended): setup.exe (1296); pslist says when.` Of those
 * among all it says nothing.
 * @param next where to look instead
 */
export function noteWithout(context: PluginContext, args: ArgsOf<typeof windowsProcessArgs>, what: string, processes: readonly Eprocess[], next: string): void {
  if (processes.length === 0 || (args.pids ?? args.eprocess ?? args.proc_regex) === undefined) return;
  const rest = processes.length - NAMED;
  context.note(`Without ${what}: ${processes.slice(0, NAMED).map(processTitle).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}; ${next}.`);
}
