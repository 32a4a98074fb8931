import { untilAbsent } from '../../src/kernel/linux/lists/guard.js';
import { hardwareType } from '../../src/kernel/linux/net/devices.js';
import { neighbourFlags, neighbourMac, neighbours, neighbourState } from '../../src/kernel/linux/net/neighbours.js';
import { netNumber } from '../../src/kernel/linux/net/namespaces.js';
import type { Neigh } from '../../src/kernel/linux/types-net.js';
import { col } from '../../src/plugin/columns.js';
import { linuxOf } from '../../src/plugin/context.js';
import { definePlugin } from '../../src/plugin/plugin.js';

/** NUD_INCOMPLETE and NUD_FAILED (include/uapi/linux/neighbour.h): no link address is known. */
const NO_ADDRESS = 0x21;

export const arp = definePlugin({
  name: 'arp',
  needs: ['linux'],
  topic: 'network',
  summary: 'neighbours: which link address is behind which internet address, IPv4 (ARP) and IPv6',
  notes:
    'Walks the hash tables of arp_tbl and nd_tbl, which hold the neighbours of all network namespaces, and the addresses that this machine answers for (state PROXY). ' +
    'State NOARP is what needs no asking: broadcast, multicast and loopback; /proc/net/arp leaves it out.',
  args: {},
  columns: {
    ip: col.string('internet address               neighbour.primary_key'),
    mac: col.string('link address                   neighbour.ha', { whole: true }),
    dev: col.string('interface                      neighbour.dev'),
    state: col.string('REACHABLE, STALE, PERMANENT …  neighbour.nud_state'),
    flags: col.list('ROUTER, PROXY …                  neighbour.flags'),
    family: col.string('inet or inet6                  neigh_table.family'),
    type: col.string('kind of link                   net_device.type', { hidden: true }),
    netns: col.int('number of the network namespace   net.ns.inum'),
    neighbour: col.struct('neighbour', 'the entry', { hidden: true }),
  },
  examples: [{ line: 'arp' }],
  *collect(context) {
    const kernel = linuxOf(context);
    const options = { onFault: context.note };
    if (kernel.symbol('arp_tbl') === undefined) context.note('This kernel has no symbol arp_tbl: a profile with data symbols would find it.');
    for (const { family, proxy, entry, address, device, net } of untilAbsent('the neighbour tables', () => neighbours(kernel, options), options)) {
      const neighbour = entry as Neigh;
      yield {
        ip: address,
        mac: () => (proxy || (neighbour.nud_state & NO_ADDRESS) !== 0 ? null : neighbourMac(neighbour, device()) || null),
        dev: () => device()?.name ?? null,
        state: () => (proxy ? 'PROXY' : neighbourState(neighbour.nud_state)),
        flags: () => neighbourFlags(entry.flags),
        family,
        type: () => {
          const on = device();
          return on ? hardwareType(on.type) : null;
        },
        netns: () => {
          const of = net();
          return of ? netNumber(of) : null;
        },
        neighbour: entry,
      };
    }
  },
});
