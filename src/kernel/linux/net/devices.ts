import { Absent, orElse } from '../../../memory/absent.js';
import type { LinuxKernel } from '../kernel.js';
import { walkList, type WalkOptions } from '../lists/list.js';
import type { ListHead } from '../types.js';
import type { Inet6Ifaddr, InIfaddr, Net, NetDevice } from '../types-net.js';
import { formatMac, LONGEST_HARDWARE_ADDRESS, readInetAddress } from './address.js';

/** An address of an interface. */
export interface InterfaceAddress {
  readonly family: 'inet' | 'inet6';
  readonly text: () => string;
  /** bits of the network part */
  readonly prefix: () => number;
  /** the broadcast address of IPv4, or null */
  readonly broadcast: () => string | null;
  readonly scope: () => string;
  /** interface name or alias (`eth0:1`) of IPv4 */
  readonly label: () => string | null;
}

/** Flags of net_device.flags (include/uapi/linux/if.h) by bit. */
const FLAGS = [
  'UP', 'BROADCAST', 'DEBUG', 'LOOPBACK', 'POINTOPOINT', 'NOTRAILERS', 'RUNNING', 'NOARP', 'PROMISC', 'ALLMULTI',
  'MASTER', 'SLAVE', 'MULTICAST', 'PORTSEL', 'AUTOMEDIA', 'DYNAMIC', 'LOWER_UP', 'DORMANT', 'ECHO',
];
/** RFC 2863 operational states (include/uapi/linux/if.h: IF_OPER_UNKNOWN …). */
const OPERATIONAL = ['unknown', 'notpresent', 'down', 'lowerlayerdown', 'testing', 'dormant', 'up'];
/** Hardware types (include/uapi/linux/if_arp.h: ARPHRD_*) that are met. */
const HARDWARE: Readonly<Record<number, string>> = {
  0: 'netrom', 1: 'ether', 24: 'ieee1394', 32: 'infiniband', 280: 'can', 512: 'ppp', 519: 'rawip', 768: 'tunnel', 769: 'tunnel6',
  772: 'loopback', 776: 'sit', 778: 'ipgre', 783: 'irda', 801: 'ieee802.11', 803: 'ieee802.11/radiotap', 804: 'ieee802.15.4',
  823: 'ip6gre', 824: 'netlink', 825: '6lowpan', 826: 'vsockmon', 65534: 'none',
};
/** Scopes of IPv4 addresses (include/uapi/linux/rtnetlink.h: RT_SCOPE_*). */
const SCOPES4: Readonly<Record<number, string>> = { 0: 'global', 200: 'site', 253: 'link', 254: 'host', 255: 'nowhere' };
/** Scopes of IPv6 addresses (include/net/ipv6.h: IFA_LINK …, as inet6_ifaddr.scope holds them). */
const SCOPES6: Readonly<Record<number, string>> = { 0x00: 'global', 0x10: 'host', 0x20: 'link', 0x40: 'site', 0x80: 'compat' };

/** The interfaces of a network namespace, in the order of net.dev_base_head (net/core/dev.c: list_netdevice). */
export function* netDevices(kernel: LinuxKernel, net: Net, options: WalkOptions = {}): Generator<NetDevice> {
  yield* walkList(net.dev_base_head, kernel.struct<NetDevice>('net_device'), 'dev_list', options);
}

/** Names of the bits of net_device.flags, lowest first. */
export function deviceFlags(flags: number): string[] {
  return FLAGS.filter((_, bit) => ((flags >>> bit) & 1) === 1);
}

export function operationalState(device: NetDevice): string {
  return OPERATIONAL[device.operstate] ?? String(device.operstate);
}

export function hardwareType(type: number): string {
  return HARDWARE[type] ?? String(type);
}

/** The hardware address; empty where the link has none. */
export function hardwareAddress(device: NetDevice): string {
  const length = device.addr_len;
  if (length > LONGEST_HARDWARE_ADDRESS) throw new Absent('corrupt', `a hardware address of ${length} bytes`, device.$address);
  return length === 0 ? '' : formatMac(device.$space.read(device.$pointer('dev_addr'), length));
}

/** The addresses of an interface: IPv4 (in_device.ifa_list) before IPv6 (inet6_dev.addr_list). */
export function* deviceAddresses(kernel: LinuxKernel, device: NetDevice, options: WalkOptions = {}): Generator<InterfaceAddress> {
  yield* ipv4Addresses(kernel, device, options);
  yield* ipv6Addresses(kernel, device, options);
}

function* ipv4Addresses(kernel: LinuxKernel, device: NetDevice, options: WalkOptions): Generator<InterfaceAddress> {
  // ip_ptr was void * in some kernels: the pointer's value serves for all.
  const inet = orElse(() => device.$pointer('ip_ptr'), 0n);
  if (inet === 0n) return;
  const seen = new Set<bigint>();
  let address = link(() => kernel.at('in_device', inet).$pointer('ifa_list'), 'in_device.ifa_list', options);
  const type = kernel.struct<InIfaddr>('in_ifaddr');
  while (address !== 0n) {
    if (seen.has(address)) {
      options.onFault?.(`in_device.ifa_list loops at 0x${address.toString(16)}`);
      return;
    }
    seen.add(address);
    const one = type.at(kernel.space, address);
    const octets = (member: string): string => readInetAddress(one.$space, one.$addressOf(member), 2);
    yield {
      family: 'inet',
      text: () => octets('ifa_local'),
      prefix: () => one.ifa_prefixlen,
      broadcast: () => {
        const text = octets('ifa_broadcast');
        return text === '0.0.0.0' ? null : text;
      },
      scope: () => SCOPES4[one.ifa_scope] ?? String(one.ifa_scope),
      label: () => one.ifa_label,
    };
    address = link(() => one.$pointer('ifa_next'), 'in_device.ifa_list', options);
  }
}

function* ipv6Addresses(kernel: LinuxKernel, device: NetDevice, options: WalkOptions): Generator<InterfaceAddress> {
  const inet6 = orElse(() => device.$pointer('ip6_ptr'), 0n);
  if (inet6 === 0n) return;
  const list = kernel.at('inet6_dev', inet6).$get('addr_list') as ListHead;
  for (const one of walkList(list, kernel.struct<Inet6Ifaddr>('inet6_ifaddr'), 'if_list', options)) {
    yield {
      family: 'inet6',
      text: () => readInetAddress(one.$space, one.$addressOf('addr'), 10),
      prefix: () => one.prefix_len,
      broadcast: () => null,
      // The low byte of the scope holds the type's scope bits (include/net/ipv6.h: IPV6_ADDR_SCOPE_MASK).
      scope: () => SCOPES6[one.scope & 0xf0] ?? String(one.scope),
      label: () => null,
    };
  }
}

function link(read: () => bigint, what: string, options: WalkOptions): bigint {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    options.onFault?.(`${what} is broken: ${error.reason}`);
    return 0n;
  }
}
