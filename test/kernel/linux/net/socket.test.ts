import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listedSockets } from '../../../../src/kernel/linux/net/tables.js';
import type { SocketEntry } from '../../../../src/kernel/linux/net/socket.js';
import type { LinuxKernel } from '../../../../src/kernel/linux/kernel.js';
import { FakeImage, type LiteralTypes } from '../../../support/image.js';

/** Just the members that the walk reads, at offsets of our own. */
const common: LiteralTypes = {
  refcount_t: [4, { refs: [0, 'atomic_t'] }],
  atomic_t: [4, { counter: [0, 'int'] }],
  possible_net_t: [8, { net: [0, 'net *'] }],
  sock_common: [
    96,
    {
      skc_daddr: [0, 'unsigned int'], skc_rcv_saddr: [4, 'unsigned int'], skc_dport: [8, 'u16'], skc_num: [10, 'u16'], skc_family: [12, 'u16'], skc_state: [14, 'u8'],
      skc_bound_dev_if: [16, 'int'], skc_node: [24, 'hlist_node'], skc_nulls_node: [24, 'hlist_node'], skc_net: [40, 'possible_net_t'], skc_refcnt: [48, 'refcount_t'],
      skc_v6_daddr: [56, ['array', 16, 'u8']], skc_v6_rcv_saddr: [72, ['array', 16, 'u8']],
    },
  ],
  sock: [
    128,
    { __sk_common: [0, 'sock_common'], sk_type: [96, 'u16'], sk_protocol: [98, 'u16'], sk_ack_backlog: [100, 'u32'], sk_wmem_alloc: [104, 'refcount_t'], sk_socket: [112, 'socket *'] },
  ],
  socket: [16, { state: [0, 'int'] }],
  tcp_sock: [160, { write_seq: [128, 'u32'], snd_una: [132, 'u32'], rcv_nxt: [136, 'u32'], copied_seq: [140, 'u32'] }],
  inet_timewait_sock: [104, { tw_substate: [96, 'u8'] }],
  inet_ehash_bucket: [8, { chain: [0, 'hlist_head'] }],
  inet_listen_hashbucket: [16, { lock: [0, 'u32'], head: [8, 'hlist_head'] }],
  net: [64, { list: [0, 'list_head'] }],
};
/** inet_hashinfo until 5.18, and with the table for listeners that replaced it. */
const before: LiteralTypes = {
  ...common,
  inet_hashinfo: [64, { ehash: [0, 'inet_ehash_bucket *'], ehash_mask: [8, 'u32'], listening_hash: [16, ['array', 2, 'inet_listen_hashbucket']] }],
};
const since: LiteralTypes = {
  ...common,
  inet_hashinfo: [64, { ehash: [0, 'inet_ehash_bucket *'], ehash_mask: [8, 'u32'], lhash2: [16, 'inet_listen_hashbucket *'], lhash2_mask: [24, 'u32'] }],
};
const LOCAL = 0x0100007f;
const ETHERNET = 0x0708090a;

function chained(image: FakeImage, bucket: bigint, sockets: readonly bigint[]): void {
  const nodes = sockets.map((socket) => socket + 24n);
  image.pointer(bucket, nodes[0] ?? 1n);
  for (const [index, node] of nodes.entries()) image.pointer(node, nodes[index + 1] ?? 0x21n);
}

/** A connection table of four buckets. */
function connections(image: FakeImage, sockets: readonly bigint[]): { ehash: bigint; ehash_mask: number } {
  const ehash = image.room(32);
  for (let i = 0; i < 4; i++) image.pointer(ehash + BigInt(8 * i), BigInt(2 * i + 1));
  chained(image, ehash + 16n, sockets);
  return { ehash, ehash_mask: 3 };
}

function tcp(kernel: LinuxKernel): { sockets: SocketEntry[]; faults: string[] } {
  const faults: string[] = [];
  return { sockets: [...listedSockets(kernel, (proto) => proto === 'TCP', { onFault: (what) => faults.push(what) })], faults };
}

test('connections in all states, of which some are no sockets', () => {
  const image = new FakeImage({ types: since });
  const namespace = image.place('net');
  const list = image.room(16);
  image.link(list, namespace);
  image.symbol('net_namespace_list', list);
  const base = { skc_daddr: LOCAL, skc_rcv_saddr: ETHERNET, skc_dport: 0x5000, skc_num: 4000, skc_family: 2, skc_net: { net: namespace }, skc_refcnt: { refs: { counter: 3 } } };
  const established = image.place('tcp_sock', { write_seq: 5, snd_una: 0xfffffff0, rcv_nxt: 10, copied_seq: 0xfffffffe });
  image.set('sock', established, { __sk_common: { ...base, skc_state: 1 }, sk_type: 1 });
  // What waits, and what is half open, is shorter than a sock and has none of its members.
  const waiting = image.place('inet_timewait_sock', { tw_substate: 5 });
  image.set('sock_common', waiting, { ...base, skc_state: 6, skc_num: 4001 });
  const halfOpen = image.place('sock_common', { ...base, skc_state: 12, skc_num: 4002 });
  const six = image.place('inet_timewait_sock', { tw_substate: 6 });
  image.set('sock_common', six, { ...base, skc_family: 10, skc_state: 6, skc_num: 4003, skc_v6_daddr: [0x20, 1, 0xd, 0xb8], skc_v6_rcv_saddr: [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9] });
  const listener = image.place('tcp_sock');
  image.set('sock', listener, { __sk_common: { ...base, skc_state: 10, skc_dport: 0 }, sk_type: 1, sk_ack_backlog: 2 });
  const lhash2 = image.room(32);
  chained(image, lhash2 + 8n, [listener]);
  image.pointer(lhash2 + 24n, 0n);
  image.symbol('tcp_hashinfo', image.place('inet_hashinfo', { ...connections(image, [established, waiting, halfOpen, six]), lhash2, lhash2_mask: 1 }));
  const { sockets, faults } = tcp(image.kernel());
  assert.deepEqual(faults, []);
  assert.deepEqual(
    sockets.map((one) => [one.localAddress(), one.localPort(), one.remoteAddress(), one.remotePort(), one.state(), one.receiveQueue(), one.sendQueue(), one.inode(), one.type(), one.references()]),
    [
      ['10.9.8.7', 4000, '127.0.0.1', 0, 'LISTEN', 2, 0, null, 'STREAM', 3],
      ['10.9.8.7', 4000, '127.0.0.1', 80, 'ESTABLISHED', 12, 21, null, 'STREAM', 3],
      ['10.9.8.7', 4001, '127.0.0.1', 80, 'FIN_WAIT2', 0, 0, null, 'STREAM', 3],
      ['10.9.8.7', 4002, '127.0.0.1', 80, 'SYN_RECV', 0, 0, null, 'STREAM', 3],
      ['fe80::9', 4003, '2001:db8::', 80, 'TIME_WAIT', 0, 0, null, 'STREAM', 3],
    ],
  );
});

test('listeners as they were chained until 5.18', () => {
  const image = new FakeImage({ types: before });
  const listener = image.place('tcp_sock');
  image.set('sock', listener, { __sk_common: { skc_family: 2, skc_state: 10, skc_num: 22 } });
  const info = image.place('inet_hashinfo', connections(image, []));
  image.pointer(info + 16n + 8n, 0n);
  image.pointer(info + 32n + 8n, listener + 24n);
  image.symbol('tcp_hashinfo', info);
  image.symbol('init_task', image.room(8));
  image.symbol('init_net', image.place('net'));
  const { sockets } = tcp(image.kernel());
  assert.deepEqual(sockets.map((one) => [one.localPort(), one.state()]), [[22, 'LISTEN']]);
});

test('a kernel that tells nothing of its tables says so of each', () => {
  const faults: string[] = [];
  const image = new FakeImage({ types: since });
  const found = [...listedSockets(image.kernel(), () => true, { onFault: (what) => faults.push(what) })];
  assert.deepEqual(found, []);
  for (const proto of ['TCP', 'UDP', 'RAW', 'NETLINK']) assert.ok(faults.some((fault) => fault.startsWith(`the table of ${proto} sockets could not be read`)), proto);
});
