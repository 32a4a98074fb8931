import { orElse } from '../../../memory/absent.js';
import type { LinuxKernel } from '../kernel.js';
import { untilAbsent } from '../lists/guard.js';
import type { WalkOptions } from '../lists/list.js';
import { processes, threads } from '../tasks.js';
import type { File, TaskStruct } from '../types.js';
import type { FdTable, Socket } from '../types-net.js';

/** A process that has a socket open. */
export interface SocketOwner {
  readonly task: TaskStruct;
  readonly pid: number;
  readonly comm: string;
  readonly fd: number;
}

/** More descriptors than this no process has (sysctl fs.nr_open is 2^20 unless raised). */
const MOST_DESCRIPTORS = 1 << 22;
const CHUNK = 512;

/**
 * Who has which sockets open: address of the struct sock → its owners, in the order of the task list. A socket's file is told by its
 * operations (net/socket.c: socket_file_ops); its private_data is the struct socket.
 */
export function socketOwners(kernel: LinuxKernel, options: WalkOptions = {}): Map<bigint, SocketOwner[]> {
  const owners = new Map<bigint, SocketOwner[]>();
  const operations = kernel.profile.address('socket_file_ops');
  const seen = new Set<bigint>();
  for (const leader of processes(kernel, options)) {
    for (const task of threads(kernel, leader)) {
      const table = orElse(() => task.$pointer('files'), 0n);
      // Threads share their descriptors, unless one asked for its own: unshare(CLONE_FILES).
      if (table === 0n || seen.has(table)) continue;
      seen.add(table);
      const who = { task, pid: orElse(() => task.tgid, 0), comm: orElse(() => leader.comm, '') };
      for (const { fd, sock } of untilAbsent(`the descriptors of process ${who.pid}`, () => socketsOf(kernel, task, operations), options)) {
        const known = owners.get(sock);
        const owner = { ...who, fd };
        if (known) known.push(owner);
        else owners.set(sock, [owner]);
      }
    }
  }
  return owners;
}

function* socketsOf(kernel: LinuxKernel, task: TaskStruct, operations: bigint): Generator<{ fd: number; sock: bigint }> {
  const table = task.files?.$get('fdt') as FdTable | null | undefined;
  if (!table) return;
  const { space } = kernel;
  const width = kernel.profile.pointerSize;
  const count = Math.min(table.max_fds, MOST_DESCRIPTORS);
  const first = table.$pointer('fd');
  const file = kernel.struct<File>('file');
  const socket = kernel.struct<Socket>('socket');
  for (let fd = 0; fd < count; fd += CHUNK) {
    const length = Math.min(CHUNK, count - fd) * width;
    const { bytes, gaps } = space.readPartial(first + BigInt(fd * width), length);
    for (let at = 0; at < length; at += width) {
      const address = width === 8 ? bytes.readBigUInt64LE(at) : BigInt(bytes.readUInt32LE(at));
      if (address === 0n) continue;
      const sock = orElse(() => {
        const view = file.at(space, address);
        return view.$pointer('f_op') === operations ? socket.at(space, view.$pointer('private_data')).$pointer('sk') : 0n;
      }, 0n);
      if (sock !== 0n) yield { fd: fd + at / width, sock };
    }
    // A table of which nothing is there is not read to its end.
    if (gaps.some((gap) => Number(gap.end - gap.start) >= length)) return;
  }
}

/** `labnetd(115,5)`: name, process id and descriptor of each owner. */
export function describeOwners(owners: readonly SocketOwner[]): string[] {
  return owners.map(({ comm, pid, fd }) => `${comm}(${pid},${fd})`);
}
