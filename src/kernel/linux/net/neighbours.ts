import { Absent } from '../../../memory/absent.js';
import type { LinuxKernel } from '../kernel.js';
import { untilAbsent } from '../lists/guard.js';
import { type BucketArray, walkBuckets } from '../lists/hlist.js';
import type { WalkOptions } from '../lists/list.js';
import type { Neigh, NeighTable, Net, NetDevice, ProxyNeigh } from '../types-net.js';
import { formatMac, LONGEST_HARDWARE_ADDRESS, readInetAddress } from './address.js';
import { netBehind } from './namespaces.js';

/** An entry of a neighbour table: what the kernel knows of the link address behind an internet address. */
export interface NeighbourEntry {
  readonly family: 'inet' | 'inet6';
  /** an address that this machine answers for, not a neighbour */
  readonly proxy: boolean;
  readonly entry: Neigh | ProxyNeigh;
  readonly address: () => string;
  readonly device: () => NetDevice | null;
  readonly net: () => Net | null;
}

const AF_INET = 2;
const AF_INET6 = 10;
/** Buckets of proxy entries (net/core/neighbour.c: PNEIGH_HASHMASK). */
const PROXY_BUCKETS = 16;
/** More buckets than a table of neighbours can grow to (gc_thresh3 is far lower). */
const LARGEST_SHIFT = 24;
/** neigh_tables[] begins with NEIGH_ARP_TABLE and NEIGH_ND_TABLE (include/net/neighbour.h). */
const TABLES = 2;

/** States by bit of neighbour.nud_state (include/uapi/linux/neighbour.h: NUD_*). */
const STATES = ['INCOMPLETE', 'REACHABLE', 'STALE', 'DELAY', 'PROBE', 'FAILED', 'NOARP', 'PERMANENT'];
/** Flags by bit of neighbour.flags (include/uapi/linux/neighbour.h: NTF_*; from 16 on NTF_EXT_*). */
const FLAGS = ['USE', 'SELF', 'MASTER', 'PROXY', 'EXT_LEARNED', 'OFFLOADED', 'STICKY', 'ROUTER', 'MANAGED', 'LOCKED'];

/** Names of the bits that a neighbour's state has; one, but for the impossible. */
export function neighbourState(state: number): string {
  return STATES.filter((_, bit) => ((state >>> bit) & 1) === 1).join(' ') || 'NONE';
}

export function neighbourFlags(flags: number): string[] {
  return FLAGS.filter((_, bit) => ((flags >>> bit) & 1) === 1);
}

/** The link address of a neighbour. Throws Absent where none is known yet, or the device has none. */
export function neighbourMac(neighbour: Neigh, device: NetDevice | null): string {
  const length = device?.addr_len ?? 6;
  if (length > LONGEST_HARDWARE_ADDRESS) throw new Absent('corrupt', `a hardware address of ${length} bytes`, neighbour.$address);
  return formatMac(neighbour.$space.read(neighbour.$addressOf('ha'), length));
}

/** The neighbours of all interfaces in all network namespaces: ARP (arp_tbl) first, then neighbour discovery of IPv6 (nd_tbl). */
export function* neighbours(kernel: LinuxKernel, options: WalkOptions = {}): Generator<NeighbourEntry> {
  for (const address of tables(kernel)) {
    yield* untilAbsent(`the neighbour table at 0x${address.toString(16)}`, () => table(kernel, address, options), options);
  }
}

/** Addresses of the tables: by symbol, and (where IPv6 is a module) from neigh_tables[], which has all since 3.19. */
function tables(kernel: LinuxKernel): Set<bigint> {
  const found = new Set<bigint>();
  for (const symbol of ['arp_tbl', 'nd_tbl']) {
    const address = kernel.symbol(symbol);
    if (address !== undefined) found.add(address);
  }
  const array = kernel.symbol('neigh_tables');
  const width = kernel.profile.pointerSize;
  for (let i = 0; array !== undefined && i < TABLES; i++) {
    const address = kernel.space.readPointer(array + BigInt(i * width));
    if (address !== 0n) found.add(address);
  }
  return found;
}

function* table(kernel: LinuxKernel, address: bigint, options: WalkOptions): Generator<NeighbourEntry> {
  const neighTable = kernel.at<NeighTable>('neigh_table', address);
  const family = neighTable.family;
  // DECnet's, until 6.1.
  if (family !== AF_INET && family !== AF_INET6) return;
  const hash = neighTable.nht;
  if (hash) {
    const shift = hash.$get('hash_shift') as number;
    if (shift > LARGEST_SHIFT) throw new Absent('corrupt', `2^${shift} buckets of neighbours`, hash.$address);
    const type = kernel.struct<Neigh>('neighbour');
    // Chains of neighbour.next became hlists through neighbour.hash in 6.13 (kernel commit a01a67ab2fff).
    const hlist = hash.$has('hash_heads');
    const buckets: BucketArray = {
      space: kernel.space,
      address: hash.$pointer(hlist ? 'hash_heads' : 'hash_buckets'),
      count: 2 ** shift,
      stride: kernel.profile.pointerSize,
    };
    for (const entry of walkBuckets(buckets, type, hlist ? 'hash' : 'next', options)) {
      const device = (): NetDevice | null => entry.dev;
      yield {
        family: family === AF_INET ? 'inet' : 'inet6',
        proxy: false,
        entry,
        address: () => readInetAddress(entry.$space, entry.$addressOf('primary_key'), family),
        device,
        net: () => {
          const on = device();
          return on ? netBehind(on.nd_net) : null;
        },
      };
    }
  }
  yield* proxies(kernel, neighTable, family, options);
}

function* proxies(kernel: LinuxKernel, neighTable: NeighTable, family: number, options: WalkOptions): Generator<NeighbourEntry> {
  const address = neighTable.$pointer('phash_buckets');
  if (address === 0n) return;
  const buckets: BucketArray = { space: kernel.space, address, count: PROXY_BUCKETS, stride: kernel.profile.pointerSize };
  for (const entry of walkBuckets(buckets, kernel.struct<ProxyNeigh>('pneigh_entry'), 'next', options)) {
    yield {
      family: family === AF_INET ? 'inet' : 'inet6',
      proxy: true,
      entry,
      address: () => readInetAddress(entry.$space, entry.$addressOf('key'), family),
      device: () => entry.dev,
      net: () => netBehind(entry.net),
    };
  }
}
