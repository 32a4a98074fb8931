import { orElse } from '../../../memory/absent.js';
import type { Struct } from '../../../object/struct.js';
import type { LinuxKernel } from '../kernel.js';
import { walkList, type WalkOptions } from '../lists/list.js';
import { processes } from '../tasks.js';
import type { ListHead } from '../types.js';
import type { Net, PossibleNet } from '../types-net.js';

/**
 * The network namespaces: the list net_namespace_list (net/core/net_namespace.c), the first one first. Where that list is broken or
 * unknown, those that processes are in are added (task_struct.nsproxy.net_ns).
 */
export function* netNamespaces(kernel: LinuxKernel, options: WalkOptions = {}): Generator<Net> {
  const seen = new Set<bigint>();
  let broken = false;
  const onFault = (what: string): void => {
    broken = true;
    options.onFault?.(what);
  };
  const type = kernel.struct<Net>('net');
  const head = kernel.symbol('net_namespace_list');
  if (head === undefined) broken = true;
  else {
    for (const net of walkList(kernel.at<ListHead>('list_head', head), type, 'list', { ...options, onFault })) {
      seen.add(net.$address);
      yield net;
    }
  }
  if (!broken) return;
  const first = kernel.symbol('init_net');
  for (const address of [...(first === undefined ? [] : [first]), ...netsOfProcesses(kernel)]) {
    if (address === 0n || seen.has(address)) continue;
    seen.add(address);
    yield type.at(kernel.space, address);
  }
}

function* netsOfProcesses(kernel: LinuxKernel): Generator<bigint> {
  for (const task of processes(kernel)) yield orElse(() => task.nsproxy?.$pointer('net_ns') ?? 0n, 0n);
}

/** Number of a network namespace: the N of `net:[N]`. net.proc_inum became net.ns.inum in 3.19 (kernel commit 435d5f4bb2cc). */
export function netNumber(net: Net): number {
  if (net.$has('ns')) return (net.$get('ns') as Struct).$get('inum') as number;
  return net.$get('proc_inum') as number;
}

/** The namespace behind a possible_net_t; null in kernels without CONFIG_NET_NS, which have one only. */
export function netBehind(possible: PossibleNet): Net | null {
  return possible.$has('net') ? possible.net : null;
}

/** A struct in place, or behind a pointer, along a path of members; undefined where this kernel has no such member or the pointer is null. */
export function structAt(start: Struct, ...path: readonly string[]): Struct | undefined {
  let at = start;
  for (const name of path) {
    if (!at.$has(name)) return undefined;
    const next = at.$get(name) as Struct | null;
    if (next === null) return undefined;
    at = next;
  }
  return at;
}
