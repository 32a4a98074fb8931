import { Absent, orElse } from '../../../memory/absent.js';
import { decodeText } from '../../../object/text.js';
import type { Struct } from '../../../object/struct.js';
import type { LinuxKernel } from '../kernel.js';
import type { Atomic, NetlinkSock, PacketSock, Sock, SockCommon, SocketAlloc, TcpSock, TimeWaitSock, UnixSock } from '../types-net.js';
import { readInetAddress } from './address.js';
import { etherProtocol, familyName, ipProtocol, netlinkProtocol, socketType, TCP_STATES } from './names.js';

/** Address families (include/linux/socket.h). */
export const AF = { UNIX: 1, INET: 2, INET6: 10, NETLINK: 16, PACKET: 17 } as const;
/** States that say which struct stands behind a sock_common (include/net/tcp_states.h). */
const TCP_TIME_WAIT = 6;
const TCP_NEW_SYN_RECV = 12;
const TCP_ESTABLISHED = 1;
const TCP_SYN_RECV = 3;
const TCP_LISTEN = 10;
/** More packets than this no queue of a socket holds. */
const LONGEST_QUEUE = 1 << 16;
/** Longest address of a Unix socket: sizeof(struct sockaddr_un). */
const LONGEST_UNIX_ADDRESS = 110;

/** Protocol tables, as netstat names them. */
export type Proto = 'TCP' | 'UDP' | 'UDPLITE' | 'RAW' | 'PING' | 'UNIX' | 'PACKET' | 'NETLINK' | (string & {});

/**
 * A socket, or what remains of one (a connection in TIME_WAIT) or is to become one (half open): all begin with a sock_common.
 * Every method reads memory and may throw Absent.
 */
export class SocketEntry {
  private readonly sock: Sock | undefined;

  constructor(
    private readonly kernel: LinuxKernel,
    readonly proto: Proto,
    readonly common: SockCommon,
    /** true where a table of its protocol lists it, false where only a file descriptor leads to it */
    readonly listed: boolean,
  ) {
    const state = proto === 'TCP' ? orElse(() => common.skc_state, 0) : 0;
    this.sock = state === TCP_TIME_WAIT || state === TCP_NEW_SYN_RECV ? undefined : kernel.at<Sock>('sock', common.$address);
  }

  get address(): bigint {
    return this.common.$address;
  }

  family(): number {
    return this.common.skc_family;
  }

  familyName(): string {
    return familyName(this.family());
  }

  localAddress(): string | null {
    return this.inetAddress('skc_rcv_saddr', 'skc_v6_rcv_saddr');
  }

  remoteAddress(): string | null {
    return this.inetAddress('skc_daddr', 'skc_v6_daddr');
  }

  /** Of netlink sockets the port id. */
  localPort(): number | null {
    if (this.isInet()) return this.common.skc_num;
    return this.family() === AF.NETLINK ? this.as<NetlinkSock>('netlink_sock').portid : null;
  }

  remotePort(): number | null {
    if (this.isInet()) return swap16(this.common.skc_dport);
    return this.family() === AF.NETLINK ? this.as<NetlinkSock>('netlink_sock').dst_portid : null;
  }

  /** Of TCP (and what shares its states) the state, of Unix sockets CONNECTED, LISTEN …; null where there are none. */
  state(): string | null {
    const family = this.family();
    if (family === AF.NETLINK || family === AF.PACKET) return null;
    let state = this.common.skc_state;
    if (family === AF.UNIX) return this.unixState(state);
    // A closed connection waits with FIN_WAIT2 or TIME_WAIT; half-open ones are shown like /proc/net/tcp shows them.
    if (this.proto === 'TCP' && state === TCP_TIME_WAIT) state = this.kernel.at<TimeWaitSock>('inet_timewait_sock', this.address).tw_substate;
    if (state === TCP_NEW_SYN_RECV) state = TCP_SYN_RECV;
    return TCP_STATES[state] ?? String(state);
  }

  /** SOCK_STREAM and its kin; null for closed connections. */
  type(): string | null {
    return this.sock ? socketType(this.sock.sk_type) : this.proto === 'TCP' ? 'STREAM' : null;
  }

  /** What is spoken where the kind of socket does not say it: of raw, packet and netlink sockets. */
  protocol(): string | null {
    switch (this.proto) {
      case 'RAW':
        return ipProtocol(this.common.skc_num);
      case 'PACKET':
        return etherProtocol(swap16(this.as<PacketSock>('packet_sock').num));
      case 'NETLINK':
        return netlinkProtocol(this.protocolNumber());
      case 'TCP':
      case 'UDP':
      case 'UDPLITE':
      case 'UNIX':
      case 'PING':
        return null;
      default:
        return String(this.protocolNumber());
    }
  }

  protocolNumber(): number {
    return this.sock ? this.sock.sk_protocol : 6;
  }

  references(): number {
    return counter(this.common.skc_refcnt);
  }

  /** Index of the interface that it is bound to; 0: to none. */
  deviceIndex(): number {
    return this.proto === 'PACKET' ? this.as<PacketSock>('packet_sock').ifindex : this.common.skc_bound_dev_if;
  }

  /** Number of the inode; null where no file belongs to it (any more). */
  inode(): number | null {
    const socket = this.sock?.sk_socket;
    return socket ? inodeNumber(this.kernel, socket) : null;
  }

  /** The owner: sock.sk_uid since 4.10 (kernel commit 86741ec25462), of the socket's inode before. */
  uid(): number | null {
    if (!this.sock) return null;
    if (this.sock.$has('sk_uid')) return this.sock.sk_uid.val;
    const socket = this.sock.sk_socket;
    return socket ? this.kernel.at<SocketAlloc>('socket_alloc', socket.$address).vfs_inode.i_uid.val : null;
  }

  /** Bytes that were received and not yet read; of a listening socket, connections that were not yet accepted. */
  receiveQueue(): number | null {
    const { sock } = this;
    if (!sock) return 0;
    if (this.proto === 'TCP') {
      if (this.common.skc_state === TCP_LISTEN) return sock.sk_ack_backlog;
      const tcp = this.as<TcpSock>('tcp_sock');
      // Sequence numbers wrap around (net/ipv4/tcp_ipv4.c: get_tcp4_sock).
      return Math.max(0, (tcp.rcv_nxt - tcp.copied_seq) | 0);
    }
    if (this.proto === 'UNIX') return this.common.skc_state === TCP_LISTEN ? sock.sk_receive_queue.qlen : queuedBytes(sock);
    const memory = counter(sock.sk_backlog.rmem_alloc);
    if (this.proto !== 'UDP' && this.proto !== 'UDPLITE') return memory;
    // Memory of datagrams already read is given back in lumps: udp_sock.forward_deficit (include/net/udp.h: udp_rqueue_get).
    const udp = this.as('udp_sock');
    return memory - (udp.$has('forward_deficit') ? (udp.$get('forward_deficit') as number) : 0);
  }

  /** Bytes that were written and not yet acknowledged (TCP) or sent (others, with the kernel's overhead). */
  sendQueue(): number | null {
    const { sock } = this;
    if (!sock) return 0;
    if (this.proto === 'TCP') {
      const tcp = this.as<TcpSock>('tcp_sock');
      return this.common.skc_state === TCP_LISTEN ? 0 : (tcp.write_seq - tcp.snd_una) >>> 0;
    }
    // One unit is the socket's own reference (include/net/sock.h: sk_wmem_alloc_get).
    return counter(sock.sk_wmem_alloc) - 1;
  }

  /** Of Unix sockets the address: a path, or an abstract name with `@` for each NUL as /proc/net/unix has it; null where unnamed. */
  path(): string | null {
    if (this.family() !== AF.UNIX) return null;
    const address = this.as<UnixSock>('unix_sock').addr;
    if (!address) return null;
    const length = address.len;
    if (length < 2 || length > LONGEST_UNIX_ADDRESS) throw new Absent('corrupt', `a socket address of ${length} bytes`, address.$address);
    // sockaddr_un: sun_family in two bytes, then the name.
    const bytes = address.$space.read(address.$addressOf('name') + 2n, length - 2);
    if (bytes[0] === 0) return decodeText(bytes).replaceAll('\0', '@');
    const nul = bytes.indexOf(0);
    return decodeText(nul < 0 ? bytes : bytes.subarray(0, nul));
  }

  /** Of connected Unix sockets the inode number of the other end. */
  peer(): number | null {
    if (this.family() !== AF.UNIX) return null;
    const socket = this.as<UnixSock>('unix_sock').peer?.sk_socket;
    return socket ? inodeNumber(this.kernel, socket) : null;
  }

  /** The same socket as the struct of its protocol: each begins with the general one. */
  as<T extends Struct = Struct>(struct: string): T {
    return this.kernel.at<T>(struct, this.address);
  }

  private isInet(): boolean {
    const family = this.family();
    return family === AF.INET || family === AF.INET6;
  }

  private inetAddress(v4: string, v6: string): string | null {
    const family = this.family();
    if (!this.isInet()) return null;
    return readInetAddress(this.common.$space, this.common.$addressOf(family === AF.INET ? v4 : v6), family);
  }

  /** As /proc/net/unix has it (net/unix/af_unix.c: unix_seq_show). */
  private unixState(state: number): string {
    if (state === TCP_LISTEN) return 'LISTEN';
    const hasFile = this.sock?.sk_socket !== null;
    if (state === TCP_ESTABLISHED) return hasFile ? 'CONNECTED' : 'CONNECTING';
    return hasFile ? 'UNCONNECTED' : 'DISCONNECTING';
  }
}

/** Value of an atomic_t, atomic_long_t or refcount_t. */
export function counter(value: Struct): number {
  const inner = value.$has('refs') ? (value.$get('refs') as Atomic) : (value as Atomic);
  return Number(inner.counter);
}

function inodeNumber(kernel: LinuxKernel, socket: Struct): number {
  return Number(kernel.at<SocketAlloc>('socket_alloc', socket.$address).vfs_inode.i_ino);
}

function queuedBytes(sock: Sock): number {
  const head = sock.sk_receive_queue;
  const end = head.$address;
  const seen = new Set<bigint>();
  let total = 0;
  for (let at = head.next; at && at.$address !== end; at = at.next) {
    if (seen.has(at.$address) || seen.size >= LONGEST_QUEUE) throw new Absent('corrupt', 'a receive queue that does not end', end);
    seen.add(at.$address);
    total += at.len;
  }
  return total;
}

function swap16(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8);
}
