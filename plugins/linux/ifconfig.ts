import { untilAbsent } from '../../src/kernel/linux/lists/guard.js';
import { type InterfaceAddress, deviceAddresses, deviceFlags, hardwareAddress, hardwareType, netDevices, operationalState } from '../../src/kernel/linux/net/devices.js';
import { netNamespaces, netNumber } from '../../src/kernel/linux/net/namespaces.js';
import { col } from '../../src/plugin/columns.js';
import { linuxOf } from '../../src/plugin/context.js';
import { definePlugin } from '../../src/plugin/plugin.js';

export const ifconfig = definePlugin({
  name: 'ifconfig',
  needs: ['linux'],
  topic: 'network',
  summary: 'network interfaces of all network namespaces, a row for each address',
  notes:
    'Walks net_namespace_list, in each namespace net.dev_base_head, of each net_device the IPv4 (in_device.ifa_list) and IPv6 (inet6_dev.addr_list) addresses. ' +
    'An interface without addresses has one row. Flags are the ones the kernel keeps (net_device.flags): PROMISC means that somebody listens to all traffic.',
  args: {},
  columns: {
    interface: col.string('name                           net_device.name'),
    ipv4: col.string('IPv4 address                   in_ifaddr.ifa_local'),
    MAC: col.string('hardware address               net_device.dev_addr', { whole: true }),
    flags: col.list('UP, PROMISC …                    net_device.flags'),
    ipv6: col.string('IPv6 address                   inet6_ifaddr.addr'),
    prefix: col.int('bits of the network part         in_ifaddr.ifa_prefixlen, inet6_ifaddr.prefix_len'),
    scope: col.string('global, link, host …           in_ifaddr.ifa_scope, inet6_ifaddr.scope'),
    broadcast: col.string('broadcast address              in_ifaddr.ifa_broadcast', { hidden: true }),
    label: col.string('name of the address            in_ifaddr.ifa_label', { hidden: true }),
    mtu: col.int('largest packet                   net_device.mtu', { unit: 'bytes', minor: true }),
    ifindex: col.int('number                           net_device.ifindex', { minor: true }),
    state: col.string('operational state (RFC 2863)   net_device.operstate'),
    type: col.string('kind of link                   net_device.type', { minor: true }),
    promiscuity: col.int('how many ask for all traffic     net_device.promiscuity', { hidden: true }),
    netns: col.int('number of the network namespace   net.ns.inum', { minor: true }),
    net_device: col.struct('net_device', 'the interface', { hidden: true }),
  },
  examples: [{ line: 'ifconfig' }],
  *collect(context) {
    const kernel = linuxOf(context);
    const options = { onFault: context.note };
    for (const net of untilAbsent('the list of network namespaces', () => netNamespaces(kernel, options), options)) {
      for (const device of untilAbsent('the list of interfaces', () => netDevices(kernel, net, options), options)) {
        const addresses: (InterfaceAddress | undefined)[] = [...untilAbsent('the addresses of an interface', () => deviceAddresses(kernel, device, options), options)];
        if (addresses.length === 0) addresses.push(undefined);
        for (const address of addresses) {
          yield {
            interface: () => device.name,
            ipv4: () => (address?.family === 'inet' ? address.text() : null),
            MAC: () => hardwareAddress(device) || null,
            flags: () => deviceFlags(device.flags),
            ipv6: () => (address?.family === 'inet6' ? address.text() : null),
            prefix: () => address?.prefix() ?? null,
            scope: () => address?.scope() ?? null,
            broadcast: () => address?.broadcast() ?? null,
            label: () => address?.label() ?? null,
            mtu: () => device.mtu,
            ifindex: () => device.ifindex,
            state: () => operationalState(device),
            type: () => hardwareType(device.type),
            promiscuity: () => device.promiscuity,
            netns: () => netNumber(net),
            net_device: device,
          };
        }
      }
    }
  },
});
