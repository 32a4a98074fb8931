import { orElse } from '../../src/memory/absent.js';
import { untilAbsent } from '../../src/kernel/linux/lists/guard.js';
import { netDevices } from '../../src/kernel/linux/net/devices.js';
import { netBehind, netNumber } from '../../src/kernel/linux/net/namespaces.js';
import { describeOwners, socketOwners, type SocketOwner } from '../../src/kernel/linux/net/owners.js';
import { listedProtocols, listedSockets, unlistedSocket } from '../../src/kernel/linux/net/tables.js';
import type { SocketEntry } from '../../src/kernel/linux/net/socket.js';
import type { LinuxKernel } from '../../src/kernel/linux/kernel.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { linuxOf, type PluginContext } from '../../src/plugin/context.js';
import { definePlugin } from '../../src/plugin/plugin.js';

export const netstat = definePlugin({
  name: 'netstat',
  needs: ['linux'],
  topic: 'network',
  summary: 'sockets of all protocols and network namespaces, with the processes that hold them',
  notes:
    "Walks the tables that the protocols keep: tcp_hashinfo (listeners, connections, half-open and closing ones), udp_table, raw_v4_hashinfo, raw_v6_hashinfo, ping_table, unix_socket_table or each namespace's own, net.packet.sklist, nl_table. " +
    'Then every open descriptor: a socket that only a descriptor leads to was never bound, is of a family without a table, or was taken off its table (listed: false). ' +
    'Owners are the processes with a descriptor of it; sockets of the kernel have none.',
  args: {
    proto: arg.strings('only these protocols: tcp udp unix …', { positional: true }),
    pids: arg.ints('only sockets of these processes', { completes: 'pid' }),
  },
  columns: {
    proto: col.string('TCP, UDP, UDPLITE, RAW, PING, UNIX, PACKET, NETLINK, or the family of another socket'),
    saddr: col.string('own address                    sock_common.skc_rcv_saddr, skc_v6_rcv_saddr'),
    sport: col.int('own port                         sock_common.skc_num; raw: IP protocol; netlink: port id'),
    daddr: col.string("peer's address                 sock_common.skc_daddr, skc_v6_daddr"),
    dport: col.int("peer's port                      sock_common.skc_dport"),
    state: col.string('ESTABLISHED, LISTEN …          sock_common.skc_state, inet_timewait_sock.tw_substate'),
    pid: col.int('first process that has it open   task_struct.tgid'),
    comm: col.string("that process's name            task_struct.comm"),
    ref: col.int('references to it                 sock_common.skc_refcnt', { hidden: true }),
    type: col.string('STREAM, DGRAM …                sock.sk_type', { minor: true }),
    inode: col.int("number of the socket's inode     socket_alloc.vfs_inode.i_ino", { minor: true }),
    path: col.string('name of a Unix socket; @ stands for the NUL of an abstract name   unix_sock.addr'),
    uid: col.int('user                             sock.sk_uid', { minor: true }),
    recv_queue: col.int('received and not yet read; of listeners connections to accept   tcp_sock.rcv_nxt - copied_seq, sock.sk_backlog.rmem_alloc', { unit: 'bytes', minor: true }),
    send_queue: col.int('written and not yet acknowledged   tcp_sock.write_seq - snd_una, sock.sk_wmem_alloc', { unit: 'bytes', minor: true }),
    netns: col.int('number of the network namespace   net.ns.inum', { minor: true }),
    protocol: col.string('what a raw, packet or netlink socket speaks   sock.sk_protocol, packet_sock.num', { minor: true }),
    device: col.string('interface it is bound to         sock_common.skc_bound_dev_if, packet_sock.ifindex', { minor: true }),
    family: col.string('INET, INET6, UNIX …            sock_common.skc_family', { hidden: true }),
    fd: col.int('descriptor in the first process', { hidden: true }),
    owners: col.list('every process that has it open: name(pid,fd)', { hidden: true }),
    peer: col.int('inode of the other end of a Unix socket   unix_sock.peer', { hidden: true }),
    listed: col.bool('true where a table of its protocol lists it, as /proc/net does; false where only a descriptor leads to it', { hidden: true }),
    sock: col.struct('sock_common', 'the socket', { hidden: true }),
  },
  examples: [
    { line: 'netstat' },
    { line: 'netstat tcp udp', doc: 'only TCP and UDP' },
    { line: 'netstat unix', doc: 'Unix sockets with their paths' },
  ],
  *collect(context, args) {
    const kernel = linuxOf(context);
    const options = { onFault: context.note };
    const names = args.proto?.map((name) => name.toUpperCase());
    const wanted = (proto: string): boolean => !names || names.includes(proto);
    const unknown = names?.filter((name) => !listedProtocols.includes(name)) ?? [];
    if (unknown.length > 0) context.note(`No table of ${unknown.join(', ')} sockets: only those that a process has open can be found. Tables: ${listedProtocols.join(', ').toLowerCase()}.`);
    const owners = ownersOf(context, kernel);
    const interfaces = interfaceNames(context, kernel);
    const mine = (found: readonly SocketOwner[] | undefined): boolean => !args.pids || (found ?? []).some((owner) => args.pids?.includes(owner.pid) === true);
    const listed = new Set<bigint>();
    for (const entry of listedSockets(kernel, () => true, options)) {
      listed.add(entry.address);
      const found = owners.get(entry.address);
      if (wanted(entry.proto) && mine(found)) yield row(entry, found, interfaces, args.pids);
    }
    for (const [address, found] of owners) {
      if (listed.has(address) || !mine(found)) continue;
      const entry = unlistedSocket(kernel, address);
      if (wanted(entry.proto)) yield row(entry, found, interfaces, args.pids);
    }
  },
});

type InterfaceNames = (entry: SocketEntry) => string | null;

function row(entry: SocketEntry, owners: readonly SocketOwner[] | undefined, interfaces: InterfaceNames, pids: readonly number[] | undefined) {
  const first = owners?.find((owner) => pids?.includes(owner.pid) ?? true);
  return {
    proto: entry.proto,
    saddr: () => entry.localAddress(),
    sport: () => entry.localPort(),
    daddr: () => entry.remoteAddress(),
    dport: () => entry.remotePort(),
    state: () => entry.state(),
    pid: first?.pid ?? null,
    comm: first?.comm ?? null,
    ref: () => entry.references(),
    type: () => entry.type(),
    inode: () => entry.inode(),
    path: () => entry.path(),
    uid: () => entry.uid(),
    recv_queue: () => entry.receiveQueue(),
    send_queue: () => entry.sendQueue(),
    netns: () => {
      const net = netBehind(entry.common.skc_net);
      return net ? netNumber(net) : null;
    },
    protocol: () => entry.protocol(),
    device: () => interfaces(entry),
    family: () => entry.familyName(),
    fd: first?.fd ?? null,
    owners: describeOwners(owners ?? []),
    peer: () => entry.peer(),
    listed: entry.listed,
    sock: entry.common,
  };
}

function ownersOf(context: PluginContext, kernel: LinuxKernel): Map<bigint, SocketOwner[]> {
  // Descriptors are read even where nobody looks at the owners: they lead to sockets that no table lists.
  const found = [...untilAbsent('the descriptors of processes', () => [socketOwners(kernel, { onFault: context.note })], { onFault: context.note })];
  return found[0] ?? new Map<bigint, SocketOwner[]>();
}

/** Names of interfaces by namespace and index; read when the first bound socket asks. */
function interfaceNames(context: PluginContext, kernel: LinuxKernel): InterfaceNames {
  const known = new Map<bigint, Map<number, string>>();
  return (entry) => {
    const index = entry.deviceIndex();
    const net = netBehind(entry.common.skc_net);
    if (index === 0 || !net) return null;
    let names = known.get(net.$address);
    if (!names) {
      names = new Map();
      for (const device of untilAbsent('the list of interfaces', () => netDevices(kernel, net, { onFault: context.note }), { onFault: context.note })) {
        const at = orElse(() => device.ifindex, 0);
        if (at !== 0) names.set(at, orElse(() => device.name, String(at)));
      }
      known.set(net.$address, names);
    }
    return names.get(index) ?? String(index);
  };
}
