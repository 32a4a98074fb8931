import { Absent } from '../../src/memory/absent.js';
import { PagedSpace } from '../../src/memory/paging/paged.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import type { PluginContext } from '../../src/plugin/context.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { memoryRemark } from '../../src/session/processes.js';
import { enterProcess, findProcesses, type ProcessCandidate, processCandidates } from '../../src/session/context.js';

/** Candidates that an error lists. */
const LISTED = 12;

type Choice = ProcessCandidate | 'kernel';

export const cc = definePlugin({
  name: 'cc',
  needs: 'kernel',
  topic: 'memory',
  summary: 'makes a process the context that dump, dis, vtop, dt, grep and address names follow',
  notes:
    'A process is named by its id, the id of one of its threads, its name (or a regular expression that names match), or the address of its object (task_struct, _EPROCESS), known to the kernel or not. ' +
    'Where several match, and where nothing is named, the console asks with a list to search; Esc leaves everything as it was. ' +
    '`cc kernel` (or `cc 0`) goes back to the kernel, and so does a bare cc where nobody can be asked. A kernel thread has no memory of its own: its context is the kernel.',
  args: {
    process: arg.strings('process id, name, regular expression, or address; kernel', {
      positional: true,
      completes: 'process',
    }),
    pids: arg.ints('the process with this id', { completes: 'pid' }),
    proc_regex: arg.string('the process whose name matches', { completes: 'process' }),
    task: arg.address('the process with its task_struct or _EPROCESS at this address'),
    eprocess: arg.address('the same, as commands of Windows call it'),
  },
  columns: {
    process: col.struct('task_struct', 'the process (on Windows its _EPROCESS); nothing for the kernel', { hidden: true }),
    pid: col.int('process id   task_struct.tgid, _EPROCESS.UniqueProcessId', { hidden: true }),
    name: col.string('its name   task_struct.comm, _EPROCESS.ImageFileName', { hidden: true }),
    dtb: col.physical('physical address of its page tables   mm_struct.pgd, _KPROCESS.DirectoryTableBase', { hidden: true }),
  },
  examples: [{ line: 'cc init', doc: 'by its name; on Windows: cc lsass' }, { line: 'cc 1', doc: 'by its id; on Windows: cc 4' }, { line: 'cc kernel', doc: 'back to the kernel' }],
  async *collect(context, args) {
    const { session } = context;
    const object = args.task ?? args.eprocess;
    const text =
      args.process?.join(' ') ??
      args.proc_regex ??
      args.pids?.join(' ') ??
      (object === undefined ? undefined : `0x${object.toString(16)}`);
    const chosen =
      text === undefined ? await ask(context, await processCandidates(session)) : await named(context, text);
    if (chosen === undefined) {
      context.note('The context stays as it was.');
      return;
    }
    try {
      await enterProcess(session, chosen === 'kernel' ? undefined : chosen);
    } catch (error) {
      if (!(error instanceof Absent)) throw error;
      throw new PluginError(`The page tables of ${describe(chosen)} cannot be read: ${error.toString()}.`, 'pslist');
    }
    const space = await session.space();
    const dtb = space instanceof PagedSpace ? space.dtb : null;
    const remark = chosen === 'kernel' ? undefined : memoryRemark(await session.kernel(), chosen.process);
    const of = remark === undefined ? '' : ` (${remark})`;
    const thread =
      chosen !== 'kernel' && chosen.thread ? `, which has the thread ${chosen.thread.name} (${chosen.thread.tid})` : '';
    context.note(
      `Process context: ${describe(chosen)}${thread}${of}, DTB ${dtb === null ? 'unknown' : `0x${dtb.toString(16)}`}`,
    );
    yield chosen === 'kernel'
      ? { name: 'kernel', dtb }
      : { process: chosen.process, pid: chosen.pid, name: chosen.name, dtb };
  },
});

/** The one process that a text means; asks where there are several. */
async function named(context: PluginContext, text: string): Promise<Choice | undefined> {
  const found = await findProcesses(context.session, text);
  if (found === 'kernel') return found;
  const [only] = found;
  if (!only) throw new PluginError(`No process ${text}: neither an id, nor a name, nor a pattern of one.`, 'pslist');
  if (found.length === 1) return only;
  if (context.session.prompter) return ask(context, found, text);
  const listed = found.slice(0, LISTED).map(describe).join(', ');
  throw new PluginError(
    `${found.length} processes match ${text}: ${listed}${found.length > LISTED ? ' …' : ''}.`,
    `cc ${only.pid}`,
  );
}

/** Asks for one of several; without anybody to ask the kernel's context is what a bare cc means. */
async function ask(
  { session }: PluginContext,
  found: readonly ProcessCandidate[],
  text?: string,
): Promise<Choice | undefined> {
  const { prompter } = session;
  if (!prompter) return 'kernel';
  const width = Math.max(6, ...found.map(({ pid }) => String(pid).length));
  const choices = found.map((one) => ({
    name: `${String(one.pid).padStart(width)}  ${one.name}${one.thread ? `  (thread ${one.thread.name} ${one.thread.tid})` : ''}`,
    value: one as Choice,
  }));
  const kernel = { name: `${'kernel'.padStart(width)}  the kernel's own address space`, value: 'kernel' as Choice };
  return prompter.search(
    text === undefined ? 'Process context' : `Process context: ${found.length} match ${text}`,
    text === undefined ? [kernel, ...choices] : choices,
  );
}

function describe(choice: Choice): string {
  // A name with line breaks would make sentences of its own.
  return choice === 'kernel' ? 'kernel' : `${choice.name.replace(/[\r\n]+/g, ' ')} (${choice.pid})`;
}
