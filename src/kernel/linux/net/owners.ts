import { orElse } from '../../../memory/absent.js';
import { openFiles } from '../files.js';
import type { LinuxKernel } from '../kernel.js';
import { untilAbsent } from '../lists/guard.js';
import type { WalkOptions } from '../lists/list.js';
import { processes, threads } from '../tasks.js';
import type { TaskStruct } from '../types.js';
import type { Socket } from '../types-net.js';

/** A process that has a socket open. */
export interface SocketOwner {
  readonly task: TaskStruct;
  readonly pid: number;
  readonly comm: string;
  readonly fd: number;
}

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
      for (const { fd, sock } of untilAbsent(`the descriptors of process ${who.pid}`, () => socketsOf(kernel, task, operations, options), options)) {
        const known = owners.get(sock);
        const owner = { ...who, fd };
        if (known) known.push(owner);
        else owners.set(sock, [owner]);
      }
    }
  }
  return owners;
}

function* socketsOf(kernel: LinuxKernel, task: TaskStruct, operations: bigint, options: WalkOptions): Generator<{ fd: number; sock: bigint }> {
  const type = kernel.struct<Socket>('socket');
  for (const { fd, file } of openFiles(kernel, task, options)) {
    const sock = orElse(() => {
      if (file.$pointer('f_op') !== operations) return 0n;
      return type.at(kernel.space, file.$pointer('private_data')).$pointer('sk');
    }, 0n);
    if (sock !== 0n) yield { fd, sock };
  }
}

/** `labnetd(115,5)`: name, process id and descriptor of each owner. */
export function describeOwners(owners: readonly SocketOwner[]): string[] {
  return owners.map(({ comm, pid, fd }) => `${comm}(${pid},${fd})`);
}
