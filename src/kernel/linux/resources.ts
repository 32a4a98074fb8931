import { Absent, unreadable } from '../../memory/absent.js';
import type { Pointer } from '../../object/pointer.js';
import type { Struct } from '../../object/struct.js';
import type { LinuxKernel } from './kernel.js';
import type { WalkOptions } from './lists/list.js';

/** include/linux/ioport.h */
export interface Resource extends Struct {
  readonly start: bigint | number;
  readonly end: bigint | number;
  readonly name: Pointer;
  readonly flags: bigint | number;
  readonly parent: Resource | null;
  readonly sibling: Resource | null;
  readonly child: Resource | null;
}

/** A resource and how many others it lies in. */
export interface PlacedResource {
  readonly resource: Resource;
  readonly depth: number;
}

const MOST = 1 << 18;
const DEEPEST = 64;

/** Flags by bit (include/linux/ioport.h: IORESOURCE_*); the lowest byte is the bus's own. */
const FLAGS: readonly (readonly [number, string])[] = [
  [0x100, 'IO'], [0x200, 'MEM'], [0x400, 'IRQ'], [0x800, 'DMA'], [0x1000, 'BUS'], [0x2000, 'PREFETCH'], [0x4000, 'READONLY'], [0x8000, 'CACHEABLE'],
  [0x10000, 'RANGELENGTH'], [0x20000, 'SHADOWABLE'], [0x40000, 'SIZEALIGN'], [0x80000, 'STARTALIGN'], [0x100000, 'MEM_64'], [0x200000, 'WINDOW'],
  [0x400000, 'MUXED'], [0x1000000, 'SYSRAM'], [0x8000000, 'EXCLUSIVE'], [0x10000000, 'DISABLED'], [0x20000000, 'UNSET'], [0x40000000, 'AUTO'], [0x80000000, 'BUSY'],
];

/** Names of the flags of a resource. */
export function resourceFlags(flags: bigint | number): string[] {
  const low = Number(BigInt.asUintN(32, BigInt(flags)));
  return FLAGS.filter(([bit]) => Math.floor(low / bit) % 2 === 1).map(([, name]) => name);
}

/**
 * The resources below iomem_resource or ioport_resource (kernel/resource.c), each before what lies in it, in the order of addresses: what
 * /proc/iomem and /proc/ioports print. A link that cannot be read costs what is behind it, and is told to `onFault`.
 */
export function* resources(kernel: LinuxKernel, root: 'iomem_resource' | 'ioport_resource', options: WalkOptions = {}): Generator<PlacedResource> {
  const top = kernel.global<Resource>(root, 'resource');
  const seen = new Set<bigint>([top.$address]);
  const waiting: PlacedResource[] = [];
  const push = (owner: Resource, member: 'child' | 'sibling', depth: number): void => {
    try {
      const next = owner[member];
      if (!next) return;
      if (!next.$valid) throw unreadable(next.$address);
      if (seen.has(next.$address)) options.onFault?.(`the tree of resources loops at 0x${next.$address.toString(16)}`);
      else if (seen.size >= MOST || depth > DEEPEST) options.onFault?.(`the tree of resources does not end at 0x${next.$address.toString(16)}`);
      else {
        seen.add(next.$address);
        waiting.push({ resource: next, depth });
      }
    } catch (error) {
      if (!(error instanceof Absent)) throw error;
      options.onFault?.(`resource.${member} at 0x${owner.$address.toString(16)} could not be read: ${error.reason}`);
    }
  };
  push(top, 'child', 0);
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    yield next;
    // Children come before siblings: what is pushed last is taken first.
    push(next.resource, 'sibling', next.depth);
    push(next.resource, 'child', next.depth + 1);
  }
}
