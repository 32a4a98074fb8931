/** Names for the numbers that sockets carry; a number without a name is shown as it is. */

/** enum of include/net/tcp_states.h */
export const TCP_STATES: Readonly<Record<number, string>> = {
  1: 'ESTABLISHED', 2: 'SYN_SENT', 3: 'SYN_RECV', 4: 'FIN_WAIT1', 5: 'FIN_WAIT2', 6: 'TIME_WAIT', 7: 'CLOSE', 8: 'CLOSE_WAIT',
  9: 'LAST_ACK', 10: 'LISTEN', 11: 'CLOSING', 12: 'NEW_SYN_RECV', 13: 'BOUND_INACTIVE',
};

/** AF_* of include/linux/socket.h */
const FAMILIES: Readonly<Record<number, string>> = {
  0: 'UNSPEC', 1: 'UNIX', 2: 'INET', 3: 'AX25', 4: 'IPX', 5: 'APPLETALK', 6: 'NETROM', 9: 'X25', 10: 'INET6', 11: 'ROSE', 15: 'KEY', 16: 'NETLINK',
  17: 'PACKET', 21: 'RDS', 23: 'IRDA', 24: 'PPPOX', 26: 'LLC', 27: 'IB', 28: 'MPLS', 29: 'CAN', 30: 'TIPC', 31: 'BLUETOOTH', 33: 'RXRPC',
  35: 'PHONET', 36: 'IEEE802154', 37: 'CAIF', 38: 'ALG', 39: 'NFC', 40: 'VSOCK', 41: 'KCM', 42: 'QIPCRTR', 43: 'SMC', 44: 'XDP', 45: 'MCTP',
};

/** enum sock_type of include/linux/net.h */
const TYPES: Readonly<Record<number, string>> = { 1: 'STREAM', 2: 'DGRAM', 3: 'RAW', 4: 'RDM', 5: 'SEQPACKET', 6: 'DCCP', 10: 'PACKET' };

/** IPPROTO_* of include/uapi/linux/in.h and in6.h */
const IP_PROTOCOLS: Readonly<Record<number, string>> = {
  0: 'IP', 1: 'ICMP', 2: 'IGMP', 4: 'IPIP', 6: 'TCP', 17: 'UDP', 33: 'DCCP', 41: 'IPV6', 46: 'RSVP', 47: 'GRE', 50: 'ESP', 51: 'AH',
  58: 'ICMPV6', 89: 'OSPF', 92: 'MTP', 94: 'BEETPH', 98: 'ENCAP', 103: 'PIM', 108: 'COMP', 112: 'VRRP', 115: 'L2TP', 132: 'SCTP',
  135: 'MH', 136: 'UDPLITE', 137: 'MPLS', 143: 'ETHERNET', 255: 'RAW', 262: 'MPTCP',
};

/** ETH_P_* of include/uapi/linux/if_ether.h */
const ETHER_PROTOCOLS: Readonly<Record<number, string>> = {
  0: 'none', 1: '802.3', 3: 'ALL', 4: '802.2', 0x0800: 'IP', 0x0806: 'ARP', 0x8035: 'RARP', 0x8100: '802.1Q', 0x86dd: 'IPV6',
  0x8847: 'MPLS', 0x8863: 'PPPOE_DISC', 0x8864: 'PPPOE', 0x888e: 'PAE', 0x88a8: '802.1AD', 0x88cc: 'LLDP', 0x88e5: 'MACSEC', 0x88f7: 'PTP',
};

/** NETLINK_* of include/uapi/linux/netlink.h */
const NETLINK_PROTOCOLS = [
  'ROUTE', 'UNUSED', 'USERSOCK', 'FIREWALL', 'SOCK_DIAG', 'NFLOG', 'XFRM', 'SELINUX', 'ISCSI', 'AUDIT', 'FIB_LOOKUP', 'CONNECTOR', 'NETFILTER',
  'IP6_FW', 'DNRTMSG', 'KOBJECT_UEVENT', 'GENERIC', 'DM', 'SCSITRANSPORT', 'ECRYPTFS', 'RDMA', 'CRYPTO', 'SMC',
];

export function familyName(family: number): string {
  return FAMILIES[family] ?? String(family);
}

export function socketType(type: number): string {
  return TYPES[type] ?? String(type);
}

export function ipProtocol(protocol: number): string {
  return IP_PROTOCOLS[protocol] ?? String(protocol);
}

/** `LLDP`, or the number in hex as such numbers are written. */
export function etherProtocol(protocol: number): string {
  return ETHER_PROTOCOLS[protocol] ?? `0x${protocol.toString(16).padStart(4, '0')}`;
}

export function netlinkProtocol(protocol: number): string {
  return NETLINK_PROTOCOLS[protocol] ?? String(protocol);
}
