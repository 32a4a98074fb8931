import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Row } from '../../src/plugin/columns.js';
import { root } from '../support/root.js';
import type { Sample } from '../support/sample.js';

/** Compares the rows of a question with what the guest said of itself. */
export type Answer = (rows: readonly Row[], guest: Sample) => void;

/** Processes that came after the guest had begun to write of itself, or that wrote it. */
const WRITERS = /^(labtruth|busybox)$/;

interface Process {
  readonly pid: number;
  readonly folder: string;
  status(name: string): string;
  readonly argv: readonly string[];
  /** exe, cwd, root */
  link(name: string): string | undefined;
  readonly kernel: boolean;
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

function linksOf(guest: Sample, path: string): ReadonlyMap<string, string> {
  return new Map(
    guest.hasTruth(path) ? lines(guest.truth(path)).map((line) => line.split(' -> ') as [string, string]) : [],
  );
}

/** The processes as /proc had them. */
function processes(guest: Sample): Process[] {
  return guest
    .list('proc')
    .filter((name) => /^\d+$/.test(name) && guest.hasTruth(`proc/${name}/status`))
    .map((name) => {
      const folder = `proc/${name}`;
      const status = guest.truth(`${folder}/status`);
      const links = linksOf(guest, `${folder}.links`);
      const cmdline = guest.hasTruth(`${folder}/cmdline`) ? guest.truth(`${folder}/cmdline`) : '';
      return {
        pid: Number(name),
        folder,
        status: (field: string) => new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(status)?.[1]?.trim() ?? '',
        argv: lines(cmdline),
        link: (field: string) => links.get(field),
        // PF_KTHREAD among the flags of /proc/PID/stat.
        kernel:
          (Number(
            guest
              .truth(`${folder}/stat`)
              .replace(/^.*\) /s, '')
              .split(' ')[6],
          ) &
            0x00200000) !==
          0,
      };
    })
    .sort((a, b) => a.pid - b.pid);
}

function users(guest: Sample): Process[] {
  return processes(guest).filter((one) => !one.kernel && !WRITERS.test(one.status('Name')));
}

interface Area {
  readonly pid: number;
  readonly name: string;
  readonly start: bigint;
  readonly end: bigint;
  readonly flags: string;
  readonly path: string;
}

function areas(guest: Sample): Area[] {
  return processes(guest).flatMap((one) =>
    (guest.hasTruth(`${one.folder}/maps`) ? lines(guest.truth(`${one.folder}/maps`)) : []).map((line) => {
      const [, start = '', end = '', flags = '', path = ''] =
        /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+\s*(.*)$/.exec(line) ?? [];
      return {
        pid: one.pid,
        name: one.status('Name'),
        start: BigInt(`0x${start}`),
        end: BigInt(`0x${end}`),
        flags,
        path,
      };
    }),
  );
}

/** Some columns of the rows, or of what the guest said, as texts that can be compared. */
function table(rows: readonly object[], ...columns: string[]): string[] {
  return rows.map((row) => columns.map((column) => String((row as Record<string, unknown>)[column] ?? '')).join(' | '));
}

function isSet(mask: string): boolean {
  return /[1-9a-f]/.test(mask);
}

interface Connection {
  readonly local: string;
  readonly remote: string;
  readonly state: string;
}

function connections(guest: Sample): Connection[] {
  return lines(guest.truth('run/cmd/netstat'))
    .filter((line) => line.startsWith('tcp'))
    .map((line) => line.split(/\s+/))
    .map(([, , , local = '', remote = '', state = '']) => ({ local, remote, state }));
}

/** The answers that the guest knows, by the numbers of the questions. */
export const answers: Readonly<Record<number, Answer>> = {
  1: (rows, guest) => {
    const expected = users(guest).map((one) => ({ pid: one.pid, ppid: one.status('PPid'), name: one.status('Name') }));
    assert.deepEqual(table(rows, 'pid', 'ppid', 'name'), table(expected.slice(0, 8), 'pid', 'ppid', 'name'));
  },
  3: (rows, guest) => {
    const known = new Map(processes(guest).map((one) => [String(one.pid), one]));
    const expected = [...known.values()].flatMap((one) => {
      const parent = known.get(one.status('PPid'));
      return parent && parent.pid > 2 && parent.status('Name') !== one.status('Name')
        ? [{ pid: one.pid, name: one.status('Name'), ppid: parent.pid, parent: parent.status('Name') }]
        : [];
    });
    assert.deepEqual(table(rows, 'pid', 'name', 'ppid', 'parent'), table(expected, 'pid', 'name', 'ppid', 'parent'));
  },
  4: (rows, guest) => {
    const shells = users(guest).filter((one) => one.link('exe')?.endsWith('/bash') === true);
    assert.deepEqual(
      table(rows, 'pid', 'ppid'),
      shells.map((one) => `${one.pid} | ${one.status('PPid')}`),
    );
    // labpty told which shell it had started.
    assert.match(
      guest.truth(`run/lab/labpty.${String(rows[0]?.['ppid'])}`),
      new RegExp(`shell=${String(rows[0]?.['pid'])}$`, 'm'),
    );
  },
  5: (rows, guest) => {
    const expected = users(guest)
      .filter((one) => one.link('exe')?.endsWith(' (deleted)') === true)
      .map((one) => ({ pid: one.pid, binary: one.link('exe'), command: one.argv.join(' ') }));
    assert.equal(expected.length, 1);
    assert.deepEqual(table(rows, 'pid', 'binary', 'command'), table(expected, 'pid', 'binary', 'command'));
  },
  6: (rows, guest) => {
    const expected = users(guest).filter((one) => /^\/(tmp|run)\//.test(one.link('exe') ?? ''));
    assert.deepEqual(
      rows.map((row) => row['pid']),
      expected.map((one) => one.pid),
    );
  },
  7: (rows, guest) => {
    const expected = users(guest)
      .map((one) => ({ pid: one.pid, name: one.status('Name'), first: one.argv[0] ?? '' }))
      .filter(({ name, first }) => first !== '' && !name.includes(first.replace(/^.*\//, '')) && !first.includes(name));
    assert.deepEqual(table(rows, 'pid', 'name', 'first_argument'), table(expected, 'pid', 'name', 'first'));
  },
  8: (rows, guest) => {
    const pretenders = users(guest).filter((one) =>
      /^(k(worker|softirqd|threadd|swapd|auditd)|rcu_|migration\/)/.test(one.status('Name')),
    );
    assert.equal(rows.length, pretenders.length);
  },
  9: (rows, guest) => {
    // A kernel thread has no VmSize.
    assert.equal(rows.length, processes(guest).filter((one) => one.kernel && one.status('VmSize') !== '').length);
  },
  10: (rows, guest) => {
    const byUser = new Map<string, string[]>();
    for (const one of users(guest).filter((process) => Number(process.status('PPid')) > 2)) {
      const [uid = ''] = one.status('Uid').split('\t');
      byUser.set(uid, [...(byUser.get(uid) ?? []), one.status('Name')]);
    }
    const expected = [...byUser].map(([uid, names]) => ({ uid, processes: names.length, names: names.join(' ') }));
    assert.deepEqual(table(rows, 'uid', 'processes', 'names'), table(expected, 'uid', 'processes', 'names'));
  },
  11: (rows, guest) => {
    assert.equal(
      rows.length,
      users(guest).filter((one) => !one.status('Uid').startsWith('0\t') && isSet(one.status('CapEff'))).length,
    );
  },
  12: (rows, guest) => {
    const expected = users(guest)
      .filter((one) => one.status('TracerPid') !== '0')
      .map((one) => ({ pid: one.pid, name: one.status('Name'), tracer_pid: one.status('TracerPid') }));
    assert.equal(expected.length, 1);
    assert.deepEqual(table(rows, 'pid', 'name', 'tracer_pid'), table(expected, 'pid', 'name', 'tracer_pid'));
  },
  13: (rows, guest) => {
    const told = lines(guest.truth(`run/lab/labthreads.${String(rows[0]?.['pid'])}`)).filter((line) =>
      line.startsWith('thread='),
    );
    assert.equal(rows[0]?.['threads'], told.map((line) => line.replace(/^.*:/, '')).join(' '));
  },
  14: (rows, guest) => {
    const inode = (folder: string, kind: string): string =>
      /\d+/.exec(linksOf(guest, `${folder}/ns.links`).get(kind)?.replace(/^.*:/, '') ?? '')?.[0] ?? '';
    const expected = processes(guest)
      .map((one) => ({ pid: one.pid, net: inode(one.folder, 'net'), mnt: inode(one.folder, 'mnt') }))
      .filter(({ net }) => net !== '' && net !== inode('proc/1', 'net'));
    assert.equal(expected.length, 3);
    assert.deepEqual(table(rows, 'pid', 'net', 'mnt'), table(expected, 'pid', 'net', 'mnt'));
  },
  15: (rows, guest) => {
    const expected = users(guest)
      .filter((one) => (one.link('root') ?? '/') !== '/')
      .map((one) => ({ pid: one.pid, root: one.link('root'), binary: one.link('exe') }));
    assert.deepEqual(table(rows, 'pid', 'root', 'binary'), table(expected, 'pid', 'root', 'binary'));
  },
  16: (rows, guest) => {
    const expected = areas(guest)
      .filter(({ flags }) => flags.includes('wx'))
      .map((area) => ({ ...area, length: area.end - area.start }));
    assert.deepEqual(
      table(rows, 'pid', 'name', 'start', 'length', 'flags'),
      table(expected, 'pid', 'name', 'start', 'length', 'flags'),
    );
  },
  17: (rows, guest) => {
    const expected = areas(guest).filter(({ flags, path }) => flags.includes('x') && path === '');
    assert.deepEqual(table(rows, 'pid', 'start', 'flags'), table(expected, 'pid', 'start', 'flags'));
    for (const row of rows)
      assert.match(
        guest.truth(`run/lab/labmarker.${String(row['pid'])}`),
        new RegExp(`^rwx_va=0x${(row['start'] as bigint).toString(16)}$`, 'm'),
      );
  },
  18: (rows, guest) => {
    const gone = areas(guest).filter(({ path }) => path.endsWith(' (deleted)'));
    const first = gone.filter(
      (area, index) => gone.findIndex((other) => other.pid === area.pid && other.path === area.path) === index,
    );
    const expected = first.map((area) => ({
      ...area,
      areas: gone.filter((other) => other.pid === area.pid && other.path === area.path).length,
    }));
    assert.deepEqual(
      table(rows, 'pid', 'name', 'file_path', 'start', 'areas'),
      table(expected, 'pid', 'name', 'path', 'start', 'areas'),
    );
  },
  19: (rows, guest) => {
    for (const row of rows) {
      const own = areas(guest).filter(({ pid }) => pid === row['pid']);
      assert.equal(row['areas'], own.length);
      assert.equal(
        BigInt(row['kilobytes'] as number),
        own.reduce((sum, { start, end }) => sum + (end - start), 0n) / 1024n,
      );
    }
  },
  20: (rows, guest) => {
    const users = new Map<string, Set<number>>();
    for (const { path, pid } of areas(guest))
      if (/\.so(\.|$)/.test(path)) users.set(path, (users.get(path) ?? new Set()).add(pid));
    const expected = [...users]
      .filter(([, pids]) => pids.size === 1)
      .map(([path]) => path)
      .sort();
    assert.deepEqual(
      rows.map((row) => row['file_path']),
      expected,
    );
  },
  21: (rows, guest) => {
    const expected = users(guest).flatMap((one) =>
      [...linksOf(guest, `${one.folder}/fd.links`)]
        .filter(([, path]) => path.endsWith(' (deleted)'))
        .map(([fd, path]) => ({ pid: one.pid, fd, path })),
    );
    assert.equal(expected.length, 2);
    assert.deepEqual(table(rows, 'pid', 'fd', 'path'), table(expected, 'pid', 'fd', 'path'));
  },
  22: (rows, guest) => {
    const expected = users(guest).map((one) => ({
      pid: one.pid,
      open_files: linksOf(guest, `${one.folder}/fd.links`).size,
    }));
    expected.sort((a, b) => b.open_files - a.open_files || a.pid - b.pid);
    assert.deepEqual(table(rows, 'pid', 'open_files'), table(expected.slice(0, 3), 'pid', 'open_files'));
  },
  23: (rows, guest) => {
    // O_ACCMODE of the flags in fdinfo, octal: 1 to write, 2 both.
    const writes = (folder: string, fd: string): boolean =>
      (parseInt(/^flags:\s*(\d+)/m.exec(guest.truth(`${folder}/fdinfo/${fd}`))?.[1] ?? '0', 8) & 3) !== 0;
    const expected = users(guest).flatMap((one) =>
      [...linksOf(guest, `${one.folder}/fd.links`)]
        .filter(([fd, path]) => /^\/(tmp|run|data)\//.test(path) && writes(one.folder, fd))
        .map(([fd, path]) => ({ pid: one.pid, fd, path })),
    );
    assert.deepEqual(table(rows, 'pid', 'fd', 'path'), table(expected, 'pid', 'fd', 'path'));
  },
  24: (rows, guest) => {
    const mounts = (pid: number): string[] =>
      lines(guest.truth(`proc/${pid}/mountinfo`)).map((line) => line.split(' ')[4] ?? '');
    assert.deepEqual(
      rows.map((row) => row['Path']),
      mounts(118).filter((path) => !mounts(1).includes(path)),
    );
  },
  25: (rows, guest) => {
    const told = connections(guest)
      .filter(({ state }) => state === 'LISTEN')
      .map(({ local }) => local);
    const other = lines(guest.truth('run/lab/labns.2'))
      .map((line) => /tcp_listen fd=\d+ (\S+) port=(\d+)/.exec(line))
      .flatMap((found) => (found ? [`${found[1]}:${found[2]}`] : []));
    assert.deepEqual(
      rows.map((row) => `${String(row['saddr'])}:${String(row['sport'])}`).sort(),
      [...told, ...other].sort(),
    );
    for (const row of rows)
      assert.equal(row['command'], lines(guest.truth(`proc/${String(row['pid'])}/cmdline`)).join(' '));
  },
  26: (rows, guest) => {
    const told = connections(guest)
      .filter(({ state }) => state === 'ESTABLISHED')
      .map(({ local, remote }) => `${local} ${remote}`);
    assert.deepEqual(
      rows
        .map((row) => `${String(row['saddr'])}:${String(row['sport'])} ${String(row['daddr'])}:${String(row['dport'])}`)
        .sort(),
      told.sort(),
    );
  },
  27: (rows, guest) => {
    const established = connections(guest).filter(({ state }) => state === 'ESTABLISHED');
    assert.equal(rows.length * 2, established.length);
  },
  28: (rows, guest) => {
    const told = guest.truth(`run/lab/labnetd.${String(rows[0]?.['pid'])}`);
    assert.match(told, /raw_icmp=\d+ packet=\d+/);
    assert.deepEqual(rows.map((row) => row['proto']).sort(), ['PACKET', 'RAW']);
  },
  29: (rows, guest) => {
    const told = lines(guest.truth('proc/modules'))
      .map((line) => line.split(' '))
      .map(([name = '', size = '', , , , address = '', taints = '']) => ({
        name,
        size,
        start: BigInt(address),
        taints: taints.replace(/[()]/g, ''),
        in_place: true,
      }));
    told.sort((a, b) => (a.name < b.name ? -1 : 1));
    assert.deepEqual(
      table(rows, 'name', 'size', 'start', 'taints', 'in_place'),
      table(told, 'name', 'size', 'start', 'taints', 'in_place'),
    );
  },
  30: (rows, guest) => {
    const expected = users(guest).flatMap((one) =>
      (guest.hasTruth(`${one.folder}/environ`) ? lines(guest.truth(`${one.folder}/environ`)) : [])
        .map((line) => /^([^=]*)=(.*)$/.exec(line))
        .flatMap((found) =>
          found && /^LD_|TOKEN|PASSW|SECRET|PROXY/i.test(found[1] ?? '')
            ? [{ pid: one.pid, variable: found[1], value: found[2] }]
            : [],
        ),
    );
    assert.equal(expected.length, 2);
    assert.deepEqual(table(rows, 'pid', 'variable', 'value'), table(expected, 'pid', 'variable', 'value'));
  },
  31: (rows, guest) => {
    assert.deepEqual(rows, []);
    assert.ok(users(guest).length > 0);
  },
  32: (rows, guest) => {
    const told = lines(guest.truth('proc/kallsyms'))
      .map((line) => line.split(/\s+/))
      .filter(([, , name, module]) => name?.endsWith('sys_call_table') === true && module === undefined);
    assert.deepEqual(
      rows.map((row) => `${(row['address'] as bigint).toString(16)} ${String(row['name'])}`),
      told.map(([address = '', , name = '']) => `${address} ${name}`),
    );
  },
  33: (rows) => {
    // As pahole read them from the kernel's DWARF.
    const structs = JSON.parse(
      gunzipSync(readFileSync(join(root, 'fixtures/linux-6.1-tiny/structs.json.gz'))).toString(),
    ) as Record<string, { members: Record<string, number | number[]> }>;
    const members = Object.entries(structs['task_struct']?.members ?? {}).filter(([name]) =>
      /cred|^t?gid$|^t?pid$|comm|uid/.test(name),
    );
    assert.ok(members.length > 4);
    assert.deepEqual(
      table(rows, 'name', 'offset').sort(),
      members.map(([name, offset]) => `${name} | ${String(offset)}`).sort(),
    );
  },
};
