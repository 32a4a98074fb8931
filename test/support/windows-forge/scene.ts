/** The scene: what runs in the sample, and what of it is not as it should be. */
export interface ProcessSpec {
  readonly name: string;
  readonly pid: number;
  readonly parent: number;
  /** undefined outside of all sessions */
  readonly session?: number;
  /** the compiled program; undefined for System */
  readonly program?: string;
  readonly path?: string;
  readonly command?: string;
  readonly threads: number;
  readonly created: string;
  readonly exited?: string;
  readonly user: User;
  /** not in PsActiveProcessHead: somebody unlinked it */
  readonly unlinked?: boolean;
  /** has a private region that may be executed and written, with an executable in it */
  readonly injected?: boolean;
  /** has a region whose pages are in all the states that a page may be in */
  readonly states?: boolean;
  /** its PEB is in the page file */
  readonly pagedOut?: boolean;
  /** ids of processes that it has handles to */
  readonly opens?: readonly number[];
}

export type User = 'system' | 'service' | 'analyst';

const system32 = (program: string): string => `C:\\Windows\\System32\\${program}`;

function process(name: string, pid: number, parent: number, session: number | undefined, user: User, created: string, more: Partial<ProcessSpec> = {}): ProcessSpec {
  const program = more.program ?? name;
  const path = more.path ?? system32(name);
  return { name, pid, parent, ...(session === undefined ? {} : { session }), program, path, command: path, threads: 2, created: `2026-01-05T${created}Z`, user, ...more };
}

/** The machine was started at 08:00:00, and its memory taken at 08:30:00. */
export const TIMES = { boot: '2026-01-05T08:00:00Z', taken: '2026-01-05T08:30:00Z' } as const;

export const PROCESSES: readonly ProcessSpec[] = [
  { name: 'System', pid: 4, parent: 0, threads: 5, created: '2026-01-05T08:00:01Z', user: 'system', opens: [208] },
  process('smss.exe', 208, 4, undefined, 'system', '08:00:02', { path: '\\SystemRoot\\System32\\smss.exe', opens: [324, 380] }),
  process('csrss.exe', 324, 312, 0, 'system', '08:00:06', { threads: 3, command: `${system32('csrss.exe')} ObjectDirectory=\\Windows SharedSection=1024,12288,512 Windows=On SubSystemType=Windows`, opens: [372, 476, 484, 588, 660, 1512] }),
  process('wininit.exe', 372, 312, 0, 'system', '08:00:07', { opens: [476, 484] }),
  process('csrss.exe', 380, 364, 1, 'system', '08:00:07', { threads: 3, command: `${system32('csrss.exe')} ObjectDirectory=\\Windows SharedSection=1024,12288,512 Windows=On SubSystemType=Windows`, opens: [428, 1652, 1388] }),
  process('winlogon.exe', 428, 364, 1, 'system', '08:00:08'),
  process('services.exe', 476, 372, 0, 'system', '08:00:08', { threads: 3, opens: [588, 660] }),
  process('lsass.exe', 484, 372, 0, 'system', '08:00:09', { threads: 3, opens: [1652] }),
  process('svchost.exe', 588, 476, 0, 'system', '08:00:10', { command: `${system32('svchost.exe')} -k DcomLaunch` }),
  process('svchost.exe', 660, 476, 0, 'service', '08:00:11', { command: `${system32('svchost.exe')} -k netsvcs` }),
  process('explorer.exe', 1652, 1180, 1, 'analyst', '08:02:30', { path: 'C:\\Windows\\explorer.exe', threads: 4, injected: true, states: true, opens: [1388] }),
  process('setup.exe', 1296, 1652, 1, 'analyst', '08:05:00', { program: 'agent.exe', path: 'C:\\Users\\analyst\\Downloads\\setup.exe', exited: '2026-01-05T08:05:42Z', threads: 0 }),
  process('notepad.exe', 1388, 1652, 1, 'analyst', '08:06:12', { command: `"${system32('notepad.exe')}" C:\\Users\\analyst\\notes.txt`, pagedOut: true }),
  process('agent.exe', 1512, 588, 0, 'system', '08:05:41', { path: 'C:\\ProgramData\\agent.exe', command: 'C:\\ProgramData\\agent.exe --quiet 10.9.8.44:4444', unlinked: true, opens: [484] }),
];

/** As many processes as asked for: more of svchost, notepad and explorer behind those of the scene, for measurements. */
export function manyProcesses(count: number): ProcessSpec[] {
  const more: ProcessSpec[] = [];
  for (let index = 0; PROCESSES.length + more.length < count; index++) {
    const pid = 2004 + index * 24;
    more.push(process('svchost.exe', pid, 476, 0, index % 2 === 0 ? 'service' : 'system', `08:10:${String(index % 60).padStart(2, '0')}`, { threads: 6, command: `${system32('svchost.exe')} -k group${index}` }));
  }
  return [...PROCESSES, ...more];
}

/** Drivers in the order in which they were loaded; the kernel and HAL come first. */
export const DRIVERS: readonly { readonly file: string; readonly name: string; readonly folder: string; readonly device: string }[] = [
  { file: 'atapi.sys', name: '\\Driver\\atapi', folder: '\\SystemRoot\\system32\\drivers\\', device: 'IdePort0' },
  { file: 'volmgr.sys', name: '\\Driver\\volmgr', folder: '\\SystemRoot\\system32\\drivers\\', device: 'HarddiskVolume1' },
  { file: 'Ntfs.sys', name: '\\FileSystem\\Ntfs', folder: '\\SystemRoot\\System32\\Drivers\\', device: 'Ntfs' },
  { file: 'tcpip.sys', name: '\\Driver\\Tcpip', folder: '\\SystemRoot\\System32\\drivers\\', device: 'Tcp' },
  { file: 'watch.sys', name: '\\Driver\\watch', folder: '\\??\\C:\\ProgramData\\', device: 'Watch' },
];

export const ENVIRONMENT: Readonly<Record<User, Readonly<Record<string, string>>>> = {
  system: { ComSpec: 'C:\\Windows\\system32\\cmd.exe', Path: 'C:\\Windows\\system32;C:\\Windows', SystemRoot: 'C:\\Windows', TEMP: 'C:\\Windows\\TEMP', USERNAME: 'SYSTEM', windir: 'C:\\Windows' },
  service: { ComSpec: 'C:\\Windows\\system32\\cmd.exe', Path: 'C:\\Windows\\system32;C:\\Windows', SystemRoot: 'C:\\Windows', TEMP: 'C:\\Windows\\SERVIC~1\\LOCALS~1\\AppData\\Local\\Temp', USERNAME: 'LOCAL SERVICE', windir: 'C:\\Windows' },
  analyst: { ComSpec: 'C:\\Windows\\system32\\cmd.exe', HOMEPATH: '\\Users\\analyst', Path: 'C:\\Windows\\system32;C:\\Windows', SystemRoot: 'C:\\Windows', TEMP: 'C:\\Users\\analyst\\AppData\\Local\\Temp', USERNAME: 'analyst', windir: 'C:\\Windows' },
};

/** SIDs with their attributes (winnt.h: 7 mandatory, enabled by default, enabled; 0xf also owner; 0x60 integrity). */
export const SIDS: Readonly<Record<User, readonly (readonly [sid: string, attributes: number])[]>> = {
  system: [['S-1-5-18', 0], ['S-1-5-32-544', 0xe], ['S-1-1-0', 7], ['S-1-5-11', 7], ['S-1-16-16384', 0x60]],
  service: [['S-1-5-19', 0], ['S-1-1-0', 7], ['S-1-5-6', 7], ['S-1-5-11', 7], ['S-1-16-16384', 0x60]],
  analyst: [['S-1-5-21-1004336348-1177238915-682003330-1001', 0], ['S-1-1-0', 7], ['S-1-5-32-545', 7], ['S-1-5-4', 7], ['S-1-5-11', 7], ['S-1-16-8192', 0x60]],
};

/** Privileges by their numbers (wdm.h): those that are there, and of these the enabled ones. */
export const PRIVILEGES: Readonly<Record<User, { readonly present: readonly number[]; readonly enabled: readonly number[] }>> = {
  system: { present: [2, 3, 4, 5, 7, 8, 9, 10, 14, 15, 16, 17, 18, 20, 21, 22, 23, 29, 30], enabled: [2, 3, 4, 7, 14, 15, 16, 20, 21, 23, 29, 30] },
  service: { present: [3, 5, 8, 12, 21, 23, 29, 30], enabled: [23, 29, 30] },
  analyst: { present: [19, 23, 25, 33, 34], enabled: [23] },
};
