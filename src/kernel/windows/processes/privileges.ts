import { orElse } from '../../../memory/absent.js';
import type { WindowsKernel } from '../kernel.js';

/** Numbers of privileges begin with 2 (wdm.h: SE_MIN_WELL_KNOWN_PRIVILEGE); tokens have 64 bits for them. */
const LEAST = 2;
const MOST = 63;

/** Names and what they allow. Sources: wdm.h (SE_…_PRIVILEGE) for the numbers; Microsoft, "Privilege Constants", for the meaning. */
const PRIVILEGES: Readonly<Record<number, readonly [name: string, meaning: string]>> = {
  2: ['SeCreateTokenPrivilege', 'create a token object'],
  3: ['SeAssignPrimaryTokenPrivilege', 'replace the token of a process'],
  4: ['SeLockMemoryPrivilege', 'lock pages in memory'],
  5: ['SeIncreaseQuotaPrivilege', 'raise memory quotas of a process'],
  6: ['SeMachineAccountPrivilege', 'add workstations to the domain'],
  7: ['SeTcbPrivilege', 'act as part of the operating system'],
  8: ['SeSecurityPrivilege', 'manage auditing and the security log'],
  9: ['SeTakeOwnershipPrivilege', 'take ownership of any object'],
  10: ['SeLoadDriverPrivilege', 'load and unload drivers'],
  11: ['SeSystemProfilePrivilege', 'profile the whole system'],
  12: ['SeSystemtimePrivilege', 'set the system time'],
  13: ['SeProfileSingleProcessPrivilege', 'profile a process'],
  14: ['SeIncreaseBasePriorityPrivilege', 'raise the priority of a process'],
  15: ['SeCreatePagefilePrivilege', 'create a page file'],
  16: ['SeCreatePermanentPrivilege', 'create permanent shared objects'],
  17: ['SeBackupPrivilege', 'read any file, whatever its rights say'],
  18: ['SeRestorePrivilege', 'write any file, whatever its rights say'],
  19: ['SeShutdownPrivilege', 'shut the system down'],
  20: ['SeDebugPrivilege', 'open any process, whatever its rights say'],
  21: ['SeAuditPrivilege', 'write to the security log'],
  22: ['SeSystemEnvironmentPrivilege', "change the firmware's variables"],
  23: ['SeChangeNotifyPrivilege', 'pass through folders without rights to them'],
  24: ['SeRemoteShutdownPrivilege', 'shut the system down over the network'],
  25: ['SeUndockPrivilege', 'undock a laptop'],
  26: ['SeSyncAgentPrivilege', 'synchronize directory data'],
  27: ['SeEnableDelegationPrivilege', 'mark accounts as trusted for delegation'],
  28: ['SeManageVolumePrivilege', 'maintain volumes'],
  29: ['SeImpersonatePrivilege', 'act as a client that has logged on'],
  30: ['SeCreateGlobalPrivilege', 'create objects in the global namespace'],
  31: ['SeTrustedCredManAccessPrivilege', 'read the credential manager as a trusted caller'],
  32: ['SeRelabelPrivilege', 'change the integrity level of an object'],
  33: ['SeIncreaseWorkingSetPrivilege', 'enlarge the working set of a process'],
  34: ['SeTimeZonePrivilege', 'change the time zone'],
  35: ['SeCreateSymbolicLinkPrivilege', 'create symbolic links'],
  36: ['SeDelegateSessionUserImpersonatePrivilege', 'obtain a token of another user in the session'],
};

/** The variables that hold a privilege's number: those that are known, and others that this kernel names alike. */
function* variables(kernel: WindowsKernel): Generator<{ readonly name: string; readonly address: bigint }> {
  const { symbols } = kernel.profile;
  const known = symbols.allNames?.() ?? Object.values(PRIVILEGES).map(([name]) => name);
  for (const name of known) {
    const address = /^Se[A-Za-z]+Privilege$/.test(name) ? symbols.address(name) : undefined;
    if (address !== undefined) yield { name, address };
  }
}

/** What a privilege allows; null for a number that Windows does not use. */
export function privilegeMeaning(value: number): string | null {
  return PRIVILEGES[value]?.[1] ?? null;
}

/** Names of privileges by number, and where the kernel's own numbers are not those of wdm.h. */
export interface PrivilegeNames {
  readonly names: ReadonlyMap<number, string>;
  readonly odd: readonly string[];
}

/**
 * Names of privileges, as this kernel has them: it keeps the number of each in a variable of that name (nt!SeDebugPrivilege), filled at its start and
 * read at every check. No version has changed one yet: where a variable has another number than wdm.h says, somebody has opened a door (who has the
 * privilege of that number then passes for the other), and that is told. Where the variables are not in memory, wdm.h alone speaks.
 */
export function privilegeNames(kernel: WindowsKernel): PrivilegeNames {
  return kernel.memo('privilege names', () => {
    const names = new Map(Object.entries(PRIVILEGES).map(([value, [name]]) => [Number(value), name]));
    const numbers = new Map([...names].map(([value, name]) => [name, value]));
    const odd: string[] = [];
    for (const { name, address } of variables(kernel)) {
      // An old name for the number of SeMachineAccountPrivilege.
      if (name === 'SeUnsolicitedInputPrivilege') continue;
      const luid = orElse(() => kernel.space.readU64(address), 0n);
      if (luid < BigInt(LEAST) || luid > BigInt(MOST)) continue;
      const value = Number(luid);
      const known = numbers.get(name);
      if (known !== undefined && known !== value) odd.push(`nt!${name} is ${value}, and should be ${known}: whoever has ${names.get(value) ?? `privilege ${value}`} passes for it`);
      else if (!names.has(value)) names.set(value, name);
    }
    return { names, odd };
  });
}
