import { orElse } from '../../../memory/absent.js';
import type { ArrayView } from '../../../object/array.js';
import type { Struct } from '../../../object/struct.js';
import type { LinuxKernel } from '../kernel.js';
import { untilAbsent } from '../lists/guard.js';
import { type BucketArray, walkBuckets, walkHlist } from '../lists/hlist.js';
import type { WalkOptions } from '../lists/list.js';
import { walkRhashtable } from '../lists/rhashtable.js';
import type { InetHashinfo, Net, NetlinkSock, Sock, SockCommon } from '../types-net.js';
import { netNamespaces, structAt } from './namespaces.js';
import { familyName, ipProtocol, socketType } from './names.js';
import { AF, type Proto, SocketEntry } from './socket.js';

/** Buckets of the table of Unix sockets (include/net/af_unix.h: 2 * 256, since 2.6.39 for abstract names and inodes apart). */
const UNIX_BUCKETS = 512;
/** net/netlink/af_netlink.c: MAX_LINKS entries in nl_table */
const NETLINK_PROTOCOLS = 32;
/** IPPROTO_* that have a table of their own. */
const IPPROTO: Readonly<Record<number, Proto>> = { 6: 'TCP', 17: 'UDP', 136: 'UDPLITE' };

/** A protocol and how its sockets are found. */
interface Table {
  readonly proto: Proto;
  readonly walk: (kernel: LinuxKernel, nets: readonly Net[], options: WalkOptions) => Iterable<SockCommon>;
}

const tables: readonly Table[] = [
  { proto: 'TCP', walk: tcpSockets },
  { proto: 'UDP', walk: (kernel, nets, options) => udpSockets(kernel, nets, 'udp_table', options) },
  { proto: 'UDPLITE', walk: (kernel, _nets, options) => udpSockets(kernel, [], 'udplite_table', options) },
  { proto: 'RAW', walk: rawSockets },
  { proto: 'PING', walk: pingSockets },
  { proto: 'UNIX', walk: unixSockets },
  { proto: 'PACKET', walk: packetSockets },
  { proto: 'NETLINK', walk: netlinkSockets },
];

/** Protocols that have a table of their sockets. */
export const listedProtocols: readonly string[] = tables.map((table) => table.proto);

/**
 * The sockets that the tables of the protocols list, in all network namespaces: what /proc/net/{tcp,udp,udplite,raw,icmp,unix,packet,
 * netlink} print. A table that cannot be read is told to `onFault`, the others are given. Each socket is given once.
 */
export function* listedSockets(kernel: LinuxKernel, wanted: (proto: string) => boolean, options: WalkOptions = {}): Generator<SocketEntry> {
  const nets = [...untilAbsent('the list of network namespaces', () => netNamespaces(kernel, options), options)];
  const seen = new Set<bigint>();
  for (const { proto, walk } of tables) {
    if (!wanted(proto)) continue;
    for (const common of untilAbsent(`the table of ${proto} sockets`, () => walk(kernel, nets, options), options)) {
      if (seen.has(common.$address)) continue;
      seen.add(common.$address);
      yield new SocketEntry(kernel, proto, common, true);
    }
  }
}

/** A socket that a descriptor leads to and no table lists: not yet bound, of a family without a table, or taken off its table. */
export function unlistedSocket(kernel: LinuxKernel, address: bigint): SocketEntry {
  const sock = kernel.at<Sock>('sock', address);
  const proto = orElse(() => protoOf(sock), '?');
  return new SocketEntry(kernel, proto, kernel.at<SockCommon>('sock_common', address), false);
}

function protoOf(sock: Sock): Proto {
  const family = sock.__sk_common.skc_family;
  if (family !== AF.INET && family !== AF.INET6) return familyName(family);
  if (socketType(sock.sk_type) === 'RAW') return 'RAW';
  const protocol = sock.sk_protocol;
  if (socketType(sock.sk_type) === 'DGRAM' && (protocol === 1 || protocol === 58)) return 'PING';
  return IPPROTO[protocol] ?? ipProtocol(protocol);
}

function commonType(kernel: LinuxKernel): ReturnType<typeof kernel.struct<SockCommon>> {
  return kernel.struct<SockCommon>('sock_common');
}

/**
 * tcp_hashinfo (net/ipv4/tcp_ipv4.c) and, since 6.1, the tables that a namespace may have of its own (kernel commit d1e5e6408b30):
 * connections in ehash, by skc_nulls_node; listeners in listening_hash until 5.18, in lhash2 alone since (cae3873c5b3a).
 */
function* tcpSockets(kernel: LinuxKernel, nets: readonly Net[], options: WalkOptions): Generator<SockCommon> {
  const found = new Set<bigint>();
  const symbol = kernel.symbol('tcp_hashinfo');
  if (symbol !== undefined) found.add(symbol);
  for (const net of nets) {
    // tcp_death_row is in place, but was a pointer in 5.19 and 6.0; the view is the same.
    const own = orElse(() => structAt(net, 'ipv4', 'tcp_death_row', 'hashinfo')?.$address, undefined);
    if (own !== undefined) found.add(own);
  }
  if (found.size === 0) kernel.profile.address('tcp_hashinfo');
  for (const address of found) yield* untilAbsent('a table of TCP connections', () => hashinfo(kernel, address, options), options);
}

function* hashinfo(kernel: LinuxKernel, address: bigint, options: WalkOptions): Generator<SockCommon> {
  const info = kernel.at<InetHashinfo>('inet_hashinfo', address);
  const common = commonType(kernel);
  if (info.$has('listening_hash')) {
    const heads = info.listening_hash;
    yield* walkBuckets(bucketsOf(kernel, heads.$address, heads.length, 'inet_listen_hashbucket'), common, 'skc_node', options);
  } else {
    yield* walkBuckets(bucketsOf(kernel, info.$pointer('lhash2'), info.lhash2_mask + 1, 'inet_listen_hashbucket'), common, 'skc_node', options);
  }
  yield* walkBuckets(bucketsOf(kernel, info.$pointer('ehash'), info.ehash_mask + 1, 'inet_ehash_bucket'), common, 'skc_nulls_node', options);
}

/** udp_table (net/ipv4/udp.c) and, since 6.2, tables of single namespaces (kernel commit 9804985bf27f). */
function* udpSockets(kernel: LinuxKernel, nets: readonly Net[], symbol: string, options: WalkOptions): Generator<SockCommon> {
  const found = new Set<bigint>();
  const first = kernel.symbol(symbol);
  if (first !== undefined) found.add(first);
  for (const net of nets) {
    const own = orElse(() => structAt(net, 'ipv4', 'udp_table')?.$address, undefined);
    if (own !== undefined) found.add(own);
  }
  // UDP-Lite went away in the end; a kernel without it has no sockets of it.
  if (found.size === 0 && symbol === 'udp_table') kernel.profile.address(symbol);
  for (const address of found) {
    const table = kernel.at('udp_table', address);
    const slots = bucketsOf(kernel, table.$pointer('hash'), (table.$get('mask') as number) + 1, 'udp_hslot');
    yield* walkBuckets(slots, commonType(kernel), 'skc_node', options);
  }
}

function* rawSockets(kernel: LinuxKernel, _nets: readonly Net[], options: WalkOptions): Generator<SockCommon> {
  for (const symbol of ['raw_v4_hashinfo', 'raw_v6_hashinfo']) {
    const address = kernel.symbol(symbol);
    // IPv6 may be a module, or not there; IPv4 always is.
    if (address === undefined && symbol === 'raw_v6_hashinfo') continue;
    const info = kernel.at('raw_hashinfo', kernel.profile.address(symbol));
    yield* walkBuckets(bucketArray(kernel, info.$get('ht') as ArrayView<Struct>), commonType(kernel), 'skc_node', options);
  }
}

/** Sockets for echo requests without privileges (net/ipv4/ping.c: ping_table). */
function* pingSockets(kernel: LinuxKernel, _nets: readonly Net[], options: WalkOptions): Generator<SockCommon> {
  const address = kernel.symbol('ping_table');
  if (address === undefined || !kernel.profile.has('ping_table')) return;
  const table = kernel.at('ping_table', address);
  yield* walkBuckets(bucketArray(kernel, table.$get('hash') as ArrayView<Struct>), commonType(kernel), 'skc_nulls_node', options);
}

/** unix_socket_table until 5.19, then net.unx.table of each namespace (kernel commit cf2f225e2653, 6.0). */
function* unixSockets(kernel: LinuxKernel, nets: readonly Net[], options: WalkOptions): Generator<SockCommon> {
  const { space } = kernel;
  const stride = kernel.profile.pointerSize;
  const symbol = kernel.symbol('unix_socket_table');
  if (symbol !== undefined) {
    yield* walkBuckets({ space, address: symbol, count: UNIX_BUCKETS, stride }, commonType(kernel), 'skc_node', options);
    return;
  }
  for (const net of nets) {
    const table = structAt(net, 'unx', 'table');
    if (!table) kernel.profile.address('unix_socket_table');
    const address = table?.$pointer('buckets') ?? 0n;
    if (address !== 0n) yield* walkBuckets({ space, address, count: UNIX_BUCKETS, stride }, commonType(kernel), 'skc_node', options);
  }
}

function* packetSockets(kernel: LinuxKernel, nets: readonly Net[], options: WalkOptions): Generator<SockCommon> {
  for (const net of nets) {
    const list = structAt(net, 'packet', 'sklist');
    if (list) yield* walkHlist(list, commonType(kernel), 'skc_node', options);
  }
}

/** nl_table points to a hash table for each netlink protocol (rhashtable since 3.17, kernel commit e341694e3eb5). */
function* netlinkSockets(kernel: LinuxKernel, _nets: readonly Net[], options: WalkOptions): Generator<SockCommon> {
  const type = kernel.struct('netlink_table');
  const socket = kernel.struct<NetlinkSock>('netlink_sock');
  const first = kernel.variable('nl_table');
  for (let protocol = 0; protocol < NETLINK_PROTOCOLS; protocol++) {
    const table = type.at(kernel.space, first + BigInt(protocol * (type.size ?? 0)));
    if (table.$get('registered') === 0) continue;
    const entries = untilAbsent(`netlink's table of protocol ${protocol}`, () => walkRhashtable(kernel, table.$get('hash') as Struct, socket, 'node', options), options);
    for (const one of entries) yield commonType(kernel).at(kernel.space, one.$address);
  }
}

/** Buckets of a struct that holds the head of a chain somewhere: `head`, `nulls_head`, `chain`. */
function bucketsOf(kernel: LinuxKernel, address: bigint, count: number, struct: string): BucketArray {
  const type = kernel.struct(struct);
  const head = ['chain', 'nulls_head', 'head'].find((name) => type.has(name)) ?? 'head';
  return { space: kernel.space, address: address + BigInt(type.offsetOf(head)), count, stride: type.size ?? 0 };
}

/** Buckets of an array that is nothing but heads. */
function bucketArray(kernel: LinuxKernel, heads: ArrayView<Struct>): BucketArray {
  return { space: kernel.space, address: heads.$address, count: heads.length, stride: heads.stride };
}
