import { Absent, orAbsent } from '../../../memory/absent.js';
import type { Struct } from '../../../object/struct.js';
import type { StructType } from '../../../object/struct-type.js';
import type { LinuxKernel } from '../kernel.js';
import type { WalkOptions } from './list.js';

/** More nodes than this no array of a kernel's has: 4 TiB of a file's pages. */
const MOST_NODES = 1 << 24;

/** The low two bits of an entry (include/linux/xarray.h, 4.20 and later): 10 is internal, 1 in the lowest a value. */
const ENTRY_MASK = 3n;
const INTERNAL = 2n;
/** xa_is_node: internal entries above this are nodes; those below are siblings (0 to 62), retry (256) and zero (257). */
const LAST_SPECIAL = 4096n;
/** xa_to_sibling: what is left of a sibling without its mark is the number of the slot that it belongs to. */
const SIBLING_SHIFT = 2n;
/** include/linux/radix-tree.h until 4.19: RADIX_TREE_INTERNAL_NODE, before 4.7 RADIX_TREE_INDIRECT_PTR */
const RADIX_INTERNAL = 1n;
/** RADIX_TREE_EXCEPTIONAL_ENTRY, the value entries of that time */
const RADIX_EXCEPTIONAL = 2n;

/** What an array holds for a range of indices: mostly one. */
export interface XarrayEntry {
  /** first index, and last (inclusive) where an entry stands for several */
  readonly first: bigint;
  readonly last: bigint;
  /** the entry as it is stored: a pointer, or a value (see {@link xarrayValue}), or a tagged pointer */
  readonly entry: bigint;
}

/** The three generations of this tree. */
type Generation =
  /** struct xarray and xa_node, since 4.20 (kernel commits f8d5d0cc145c; 3159f943aafd for values, 02c02bf12c5d for siblings) */
  | 'xarray'
  /** radix_tree_node.shift: 4.7 to 4.19 */
  | 'shift'
  /** radix_tree_root.height: until 4.6 */
  | 'height';

/** A node: its slots, and how many index bits a slot spans. */
interface Position {
  readonly address: bigint;
  readonly slots: Buffer;
  readonly slotsAddress: bigint;
  readonly shift: number;
  /** index of slot 0 */
  readonly base: bigint;
  index: number;
}

interface Shape {
  readonly generation: Generation;
  readonly node: StructType;
  /** slots of a node, and the bits that number them */
  readonly slots: number;
  readonly bits: number;
  readonly width: 4 | 8;
}

/**
 * What an XArray (since 4.20) or a radix tree (before) holds, ascending. Empty slots and reserved ones (retry, zero) are passed
 * over; an entry for several indices is given once. A node that is unreadable, met before or at the wrong height costs its
 * subtree, and is told to `onFault`.
 * @param array the struct xarray or radix_tree_root: `inode.i_mapping.i_pages`, `idr.idr_rt`
 */
export function* walkXarray(kernel: LinuxKernel, array: Struct, options: WalkOptions = {}): Generator<XarrayEntry> {
  const shape = shapeOf(kernel);
  const limit = options.limit ?? MOST_NODES;
  const fault = (what: string): void => options.onFault?.(`${array.$type} at 0x${array.$address.toString(16)}: ${what}`);
  const head = array.$pointer(array.$has('xa_head') ? 'xa_head' : 'rnode');
  if (head === 0n) return;
  const top = nodeBehind(shape, head, false);
  if (top === undefined) {
    // A tree of one entry, at index 0, has no node.
    if (!isReserved(shape, head)) yield { first: 0n, last: 0n, entry: head };
    return;
  }
  const seen = new Set<bigint>();
  const stack: Position[] = [];
  const enter = (address: bigint, base: bigint, shift: number | undefined): void => {
    const position = seen.size >= MOST_NODES ? 'it is too large' : open(kernel, shape, address, base, shift, seen);
    if (typeof position === 'string') fault(position);
    else stack.push(position);
  };
  enter(top, 0n, shape.generation === 'height' ? (Number(array.$get('height')) - 1) * shape.bits : undefined);
  let count = 0;
  for (let position = stack.at(-1); position; position = stack.at(-1)) {
    if (position.index >= shape.slots) {
      stack.pop();
      continue;
    }
    const index = position.index++;
    const slot = word(shape, position, index);
    if (slot === 0n) continue;
    const first = position.base + (BigInt(index) << BigInt(position.shift));
    if (siblingOf(shape, position, slot) !== undefined) {
      // Siblings follow the slot that they belong to, which has taken them along.
      fault(`a sibling without its entry in node 0x${position.address.toString(16)}, slot ${index}`);
      continue;
    }
    const child = nodeBehind(shape, slot, position.shift > 0);
    if (child !== undefined) {
      if (position.shift === 0) fault(`a node below the last level at index 0x${first.toString(16)}`);
      else enter(child, first, position.shift - shape.bits);
      continue;
    }
    while (position.index < shape.slots && siblingOf(shape, position, word(shape, position, position.index)) === index) position.index++;
    if (isReserved(shape, slot)) continue;
    if (count++ >= limit) {
      fault(`more than ${limit} entries`);
      return;
    }
    yield { first, last: position.base + (BigInt(position.index) << BigInt(position.shift)) - 1n, entry: slot };
  }
}

/** The integer that an entry holds in place of a pointer (xa_mk_value; before 4.20 an exceptional entry), or undefined. */
export function xarrayValue(kernel: LinuxKernel, entry: bigint): bigint | undefined {
  if (shapeOf(kernel).generation === 'xarray') return (entry & 1n) !== 0n ? entry >> 1n : undefined;
  return (entry & RADIX_EXCEPTIONAL) !== 0n ? entry >> 2n : undefined;
}

/** The node that an entry leads to, or undefined where it is no link. */
function nodeBehind(shape: Shape, entry: bigint, inner: boolean): bigint | undefined {
  switch (shape.generation) {
    case 'xarray':
      return (entry & ENTRY_MASK) === INTERNAL && entry > LAST_SPECIAL ? entry - INTERNAL : undefined;
    case 'shift':
      return (entry & ENTRY_MASK) === RADIX_INTERNAL && entry !== RADIX_INTERNAL ? entry - RADIX_INTERNAL : undefined;
    case 'height':
      // Only the root's link was marked then; between nodes the height tells.
      if (inner) return (entry & RADIX_EXCEPTIONAL) === 0n ? entry & ~RADIX_INTERNAL : undefined;
      return (entry & ENTRY_MASK) === RADIX_INTERNAL && entry !== RADIX_INTERNAL ? entry - RADIX_INTERNAL : undefined;
  }
}

/** Retry, zero and error entries: nothing that the tree's user stored. */
function isReserved(shape: Shape, entry: bigint): boolean {
  return (entry & ENTRY_MASK) === (shape.generation === 'xarray' ? INTERNAL : RADIX_INTERNAL);
}

/** The slot that a sibling belongs to; undefined where the entry is no sibling. */
function siblingOf(shape: Shape, position: Position, entry: bigint): number | undefined {
  if (shape.generation === 'xarray') {
    const slot = entry >> SIBLING_SHIFT;
    return (entry & ENTRY_MASK) === INTERNAL && slot < BigInt(shape.slots - 1) ? Number(slot) : undefined;
  }
  if (shape.generation === 'height' || (entry & ENTRY_MASK) !== RADIX_INTERNAL) return undefined;
  // A marked pointer to the slot itself, inside of the same node (lib/radix-tree.c: is_sibling_entry).
  const distance = entry - RADIX_INTERNAL - position.slotsAddress;
  return distance >= 0n && distance < BigInt(shape.slots * shape.width) ? Number(distance) / shape.width : undefined;
}

function word(shape: Shape, position: Position, index: number): bigint {
  return shape.width === 8 ? position.slots.readBigUInt64LE(index * 8) : BigInt(position.slots.readUInt32LE(index * 4));
}

/** The node at an address, or what is wrong with it. A node spans as many bits less than its parent as its parent has slots for. */
function open(kernel: LinuxKernel, shape: Shape, address: bigint, base: bigint, expected: number | undefined, seen: Set<bigint>): Position | string {
  const name = `node 0x${address.toString(16)}`;
  if (seen.has(address)) return `${name} is met twice`;
  seen.add(address);
  const node = shape.node.at(kernel.space, address);
  const read = orAbsent(() => {
    const slotsAddress = node.$addressOf('slots');
    return { slotsAddress, shift: shape.generation === 'height' ? (expected ?? 0) : Number(node.$get('shift')), slots: kernel.space.read(slotsAddress, shape.slots * shape.width) };
  });
  if (read instanceof Absent) return `${name} is unreadable: ${read.reason}`;
  const { shift } = read;
  if (shift < 0 || shift >= shape.width * 8 || shift % shape.bits !== 0 || (expected !== undefined && shift !== expected)) {
    return `${name} spans ${shift} bits${expected === undefined ? '' : `, not ${expected}`}`;
  }
  return { address, base, index: 0, ...read };
}

function shapeOf(kernel: LinuxKernel): Shape {
  return kernel.memo('xarray shape', () => {
    const xarray = kernel.profile.has('xa_node');
    const node = kernel.struct(xarray ? 'xa_node' : 'radix_tree_node');
    const slots = node.member('slots').type;
    const count = slots.kind === 'array' ? slots.count : 0;
    const bits = Math.log2(count);
    if (!Number.isInteger(bits) || bits < 1) throw new Absent('corrupt', `${node.name} has ${count} slots`);
    const generation = xarray ? 'xarray' : node.has('shift') ? 'shift' : 'height';
    return { generation, node, slots: count, bits, width: kernel.profile.pointerSize };
  });
}
