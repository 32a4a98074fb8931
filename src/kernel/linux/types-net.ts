/**
 * The members of networking structs that this code reads, as TypeScript sees the views (include/net/*.h, include/linux/
 * netdevice.h). A member marked optional exists in some kernels only: ask `$has` before reading it.
 */
import type { ArrayView } from '../../object/array.js';
import type { Struct } from '../../object/struct.js';
import type { Inode, KernelId, ListHead } from './types.js';

/** include/linux/types.h; atomic_t, atomic_long_t; refcount_t holds one as `refs` */
export interface Atomic extends Struct {
  readonly counter: number | bigint;
}

/** include/net/net_namespace.h; possible_net_t has no member without CONFIG_NET_NS */
export interface PossibleNet extends Struct {
  readonly net: Net | null;
}

/** include/net/net_namespace.h */
export interface Net extends Struct {
  readonly list: ListHead;
  readonly dev_base_head: ListHead;
  readonly loopback_dev: NetDevice | null;
}

/** include/linux/netdevice.h */
export interface NetDevice extends Struct {
  readonly name: string;
  readonly ifindex: number;
  readonly mtu: number;
  readonly flags: number;
  readonly type: number;
  readonly addr_len: number;
  readonly operstate: number;
  readonly promiscuity: number;
  readonly nd_net: PossibleNet;
}

/** include/linux/inetdevice.h */
export interface InIfaddr extends Struct {
  readonly ifa_next: InIfaddr | null;
  readonly ifa_prefixlen: number;
  readonly ifa_scope: number;
  readonly ifa_label: string;
}

/** include/net/if_inet6.h */
export interface Inet6Ifaddr extends Struct {
  readonly addr: Struct;
  readonly prefix_len: number;
  readonly scope: number;
  readonly flags: number;
  readonly if_list: ListHead;
}

/** include/net/neighbour.h */
export interface NeighTable extends Struct {
  readonly family: number;
  readonly key_len: number;
  readonly nht: Struct | null;
}

/** include/net/neighbour.h */
export interface Neigh extends Struct {
  readonly nud_state: number;
  readonly type: number;
  readonly flags: number;
  readonly dev: NetDevice | null;
  readonly updated: bigint | number;
  readonly confirmed: bigint | number;
}

/** include/net/neighbour.h: an address that this machine answers for */
export interface ProxyNeigh extends Struct {
  readonly dev: NetDevice | null;
  readonly flags: number;
  readonly net: PossibleNet;
}

/** include/net/sock.h: the head of sockets, of half-open and of closed connections alike */
export interface SockCommon extends Struct {
  readonly skc_family: number;
  readonly skc_state: number;
  readonly skc_num: number;
  readonly skc_dport: number;
  readonly skc_bound_dev_if: number;
  readonly skc_refcnt: Atomic;
  readonly skc_net: PossibleNet;
  readonly skc_v6_daddr: Struct;
  readonly skc_v6_rcv_saddr: Struct;
}

/** include/net/sock.h */
export interface Sock extends Struct {
  readonly __sk_common: SockCommon;
  readonly sk_type: number;
  readonly sk_protocol: number;
  readonly sk_uid: KernelId;
  readonly sk_ack_backlog: number;
  readonly sk_receive_queue: SkBuffHead;
  readonly sk_backlog: Struct & { readonly rmem_alloc: Atomic };
  readonly sk_wmem_alloc: Atomic;
  readonly sk_socket: Socket | null;
}

/** include/linux/skbuff.h */
export interface SkBuffHead extends Struct {
  readonly next: SkBuff | null;
  readonly qlen: number;
}

/** include/linux/skbuff.h */
export interface SkBuff extends Struct {
  readonly next: SkBuff | null;
  readonly len: number;
}

/** include/linux/net.h */
export interface Socket extends Struct {
  readonly state: number;
  readonly type: number;
  readonly sk: Sock | null;
}

/** include/net/sock.h: a socket with its inode in sockfs */
export interface SocketAlloc extends Struct {
  readonly vfs_inode: Inode;
}

/** include/net/inet_timewait_sock.h */
export interface TimeWaitSock extends Struct {
  readonly tw_substate: number;
}

/** include/linux/tcp.h */
export interface TcpSock extends Struct {
  readonly write_seq: number;
  readonly snd_una: number;
  readonly rcv_nxt: number;
  readonly copied_seq: number;
}

/** include/net/inet_hashtables.h */
export interface InetHashinfo extends Struct {
  readonly ehash: Struct | null;
  readonly ehash_mask: number;
  readonly lhash2: Struct | null;
  readonly lhash2_mask: number;
  readonly listening_hash: ArrayView<Struct>;
}

/** include/net/af_unix.h */
export interface UnixSock extends Struct {
  readonly addr: (Struct & { readonly len: number }) | null;
  readonly peer: Sock | null;
}

/** net/netlink/af_netlink.h */
export interface NetlinkSock extends Struct {
  readonly portid: number;
  readonly dst_portid: number;
}

/** net/packet/internal.h */
export interface PacketSock extends Struct {
  readonly num: number;
  readonly ifindex: number;
}
