import { Absent, orAbsent, orElse } from '../../src/memory/absent.js';
import type { Struct } from '../../src/object/struct.js';
import { privilegeMeaning, privilegeNames } from '../../src/kernel/windows/processes/privileges.js';
import { pidOf, processTitle } from '../../src/kernel/windows/processes/processes.js';
import { sidName } from '../../src/kernel/windows/processes/sid.js';
import { groupAttributes, impersonationOf, tokenOf, tokenPrivileges, tokenSids } from '../../src/kernel/windows/processes/tokens.js';
import { threadsOf } from '../../src/kernel/windows/processes/threads.js';
import type { Eprocess } from '../../src/kernel/windows/types.js';
import { arg, type ArgsOf } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import type { PluginContext } from '../../src/plugin/context.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { selectWindowsProcesses, windowsOf, windowsProcessRowArgs } from '../../src/plugin/windows-select.js';

const process = col.struct('_EPROCESS', 'the process');
const pid = col.int('process id   _EPROCESS.UniqueProcessId', { hidden: true });
const token = col.struct('_TOKEN', 'the token', { hidden: true });
const tid = col.int("the thread that impersonates with the token; none for the process's own   _ETHREAD.ClientSecurity", { hidden: true });
const ofThreads = arg.bool('also the tokens with which threads act as somebody else', { default: false });

export const tokens = definePlugin({
  name: 'tokens',
  aliases: ['getsids'],
  needs: ['windows'],
  topic: 'processes',
  summary: 'whom each process runs as: the user and groups in its token',
  notes:
    '_EPROCESS.Token, the primary token: the user first, then the groups in their order (_TOKEN.UserAndGroups). Names are those that are the same on every system, and those of services, whose SID is a ' +
    "hash of their name; users' own names are in the registry. A group that is for deny only grants nothing: it is what is left of Administrators in a process that was not elevated.",
  args: {
    ...windowsProcessRowArgs,
    threads: ofThreads,
    all: arg.bool('also what limits the token: restricting SIDs, an app container and its capabilities', { default: false }),
  },
  columns: {
    Process: process,
    Sid: col.string('the SID   _SID_AND_ATTRIBUTES.Sid', { whole: true }),
    Comment: col.string('whom it stands for'),
    tid,
    pid,
    kind: col.string('user, group, integrity, logon; with all: restricted, package, capability', { hidden: true }),
    attributes: col.string('SE_GROUP_…: enabled, owner, deny only …   _SID_AND_ATTRIBUTES.Attributes', { hidden: true }),
    _TOKEN: token,
  },
  examples: [{ line: 'tokens 1652' }, { line: 'tokens proc_regex=svchost' }],
  *collect(context, args) {
    const kernel = windowsOf(context);
    for (const { owner, view, tid } of tokensOf(context, args)) {
      for (const { sid, kind, attributes } of tokenSids(kernel, view, args.all, (what) => context.note(`${what}.`))) {
        yield {
          Process: owner,
          Sid: sid,
          Comment: [sid instanceof Absent ? null : sidName(sid), byThread(tid)].filter(Boolean).join('; ') || null,
          tid: tid ?? null,
          pid: () => pidOf(owner) ?? null,
          kind,
          attributes: groupAttributes(attributes),
          _TOKEN: view,
        };
      }
    }
  },
});

export const privileges = definePlugin({
  name: 'privileges',
  needs: ['windows'],
  topic: 'processes',
  summary: 'what each process may do beyond the rights of its user: the privileges in its token',
  notes:
    '_TOKEN.Privileges: three words of bits since Windows Vista, a list before. Present: it can be enabled; Enabled: it is; Default: it was from the beginning. A privilege that is enabled and not by default was ' +
    'enabled by the process itself. Numbers and names are read from the kernel (nt!SeDebugPrivilege …), else those of wdm.h; a variable that was changed is told.',
  args: {
    ...windowsProcessRowArgs,
    threads: ofThreads,
    all: arg.bool('also privileges that the token does not have (since Windows Vista)', { default: false }),
    regex: arg.regex('only privileges whose name matches', { narrows: { by: 'match', columns: ['Privileges'] } }),
  },
  columns: {
    Process: process,
    Value: col.int('its number   _LUID.LowPart'),
    Privileges: col.string('its name'),
    Attributes: col.string('Present, Enabled, Default'),
    description: col.string('what it allows', { minor: true }),
    tid,
    pid,
    present: col.bool('the token has it   _SEP_TOKEN_PRIVILEGES.Present', { hidden: true }),
    enabled: col.bool('it is enabled   _SEP_TOKEN_PRIVILEGES.Enabled', { hidden: true }),
    by_default: col.bool('it was enabled from the beginning   _SEP_TOKEN_PRIVILEGES.EnabledByDefault', { hidden: true }),
    _TOKEN: token,
  },
  examples: [{ line: 'privileges 1652' }, { line: 'privileges regex=debug' }],
  *collect(context, args) {
    const kernel = windowsOf(context);
    const { names, odd } = privilegeNames(kernel);
    for (const what of odd) context.note(`${what}.`);
    let held = 0;
    let shown = 0;
    for (const { owner, view, tid } of tokensOf(context, args)) {
      try {
        for (const { value, present, enabled, byDefault } of tokenPrivileges(kernel, view, (what) => context.note(`${what}.`))) {
          const name = names.get(value) ?? null;
          // Bits without a name stand for nothing, unless they are set.
          if (!present && (!args.all || (name === null && !enabled))) continue;
          held++;
          if (args.regex && !args.regex.test(name ?? '')) continue;
          shown++;
          yield {
            Process: owner,
            Value: value,
            Privileges: name,
            Attributes: [present && 'Present', enabled && 'Enabled', byDefault && 'Default'].filter(Boolean).join(', '),
            description: [privilegeMeaning(value), byThread(tid)].filter(Boolean).join('; ') || null,
            tid: tid ?? null,
          pid: () => pidOf(owner) ?? null,
            present,
            enabled,
            by_default: byDefault,
            _TOKEN: view,
          };
        }
      } catch (error) {
        if (!(error instanceof Absent)) throw error;
        context.note(`The privileges of ${processTitle(owner)} could not be read: ${error.reason}.`);
      }
    }
    if (args.regex && held > 0 && shown === 0) context.note(`None of ${held} privileges has a name that matches /${args.regex.source}/; privileges all=yes shows also those that a token lacks.`);
  },
});

/** Where a token is, if not at the process. */
function byThread(tid: number | undefined): string | undefined {
  return tid === undefined ? undefined : `token of thread ${tid}`;
}

interface OwnedToken {
  readonly owner: Eprocess;
  readonly view: Struct;
  /** of one that a thread impersonates with */
  readonly tid?: number;
}

/** The tokens of the processes that are selected, and of their threads; of those that have none, or one that cannot be read, it is told. */
function* tokensOf(context: PluginContext, args: ArgsOf<typeof windowsProcessRowArgs> & { readonly threads: boolean }): Generator<OwnedToken> {
  const kernel = windowsOf(context);
  const without: string[] = [];
  let impersonating = 0;
  for (const { process: owner } of selectWindowsProcesses(context, args)) {
    const view = readable(() => tokenOf(kernel, owner));
    if (view === undefined) without.push(processTitle(owner));
    else if (view instanceof Absent) context.note(`The token of ${processTitle(owner)} could not be read: ${view.reason}.`);
    else yield { owner, view };
    if (!args.threads) continue;
    for (const thread of threadsOf(kernel, owner, { onFault: (what) => context.note(`${what}.`) })) {
      const tid = orElse(() => Number(thread.Cid.$get('UniqueThread')), undefined);
      const other = readable(() => impersonationOf(kernel, thread)?.token);
      if (other instanceof Absent) context.note(`What thread ${tid ?? '?'} of ${processTitle(owner)} impersonates could not be read: ${other.reason}.`);
      else if (other) {
        impersonating++;
        yield { owner, view: other, ...(tid !== undefined && { tid }) };
      }
    }
  }
  if (without.length > 0) context.note(`Without a token: ${without.join(', ')}.`);
  if (args.threads && impersonating === 0) context.note('None of their threads impersonates anybody.');
}

/** A token; Absent where it cannot be read. A page of it that is missing is told here rather than in each of its cells. */
function readable(find: () => Struct | undefined): Struct | Absent | undefined {
  return orAbsent(() => {
    const found = find();
    found?.$get('TokenType');
    return found;
  });
}
