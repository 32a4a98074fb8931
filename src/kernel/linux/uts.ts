import { orElse } from '../../memory/absent.js';
import type { Struct } from '../../object/struct.js';
import type { LinuxKernel } from './kernel.js';
import type { WalkOptions } from './lists/list.js';
import { processes } from './tasks.js';

/** include/linux/utsname.h */
export interface UtsNamespace extends Struct {
  readonly name: UtsName;
}

/** include/uapi/linux/utsname.h: struct new_utsname */
export interface UtsName extends Struct {
  readonly sysname: string;
  readonly nodename: string;
  readonly release: string;
  readonly version: string;
  readonly machine: string;
  readonly domainname: string;
}

/** A UTS namespace (names of the machine) and the processes in it. */
export interface NamedMachine {
  readonly namespace: UtsNamespace;
  readonly pids: readonly number[];
}

/** The UTS namespaces: init_uts_ns, and those of processes (task_struct.nsproxy.uts_ns), which are on no list of the kernel's. */
export function utsNamespaces(kernel: LinuxKernel, options: WalkOptions = {}): NamedMachine[] {
  const type = kernel.struct<UtsNamespace>('uts_namespace');
  const pids = new Map<bigint, number[]>();
  const first = kernel.symbol('init_uts_ns');
  if (first !== undefined) pids.set(first, []);
  for (const task of processes(kernel, options)) {
    // A zombie has left its namespaces.
    const address = orElse(() => task.nsproxy?.$pointer('uts_ns') ?? 0n, 0n);
    if (address === 0n) continue;
    const known = pids.get(address) ?? [];
    known.push(orElse(() => task.tgid, 0));
    pids.set(address, known);
  }
  return [...pids].map(([address, inside]) => ({ namespace: type.at(kernel.space, address), pids: inside }));
}

/** Number of a UTS namespace: the N of `uts:[N]`. It was called proc_inum until 3.19 (kernel commit 435d5f4bb2cc). */
export function utsNumber(namespace: UtsNamespace): number {
  if (namespace.$has('ns')) return (namespace.$get('ns') as Struct).$get('inum') as number;
  return namespace.$get('proc_inum') as number;
}
