import { Absent, orAbsent } from '../../../memory/absent.js';
import { pageNumber, pageOffset } from '../../../memory/page.js';
import type { Struct } from '../../../object/struct.js';
import type { StructType } from '../../../object/struct-type.js';
import type { LinuxKernel } from '../kernel.js';
import type { WalkOptions } from './list.js';

/** Facts of include/linux/maple_tree.h and lib/maple_tree.c (since 54a611b60590, 6.1). */

/** Nodes are aligned to 256 bytes; the low bits of a link hold the kind of the node that it leads to. */
const NODE_MASK = 0xffn;
const KIND_SHIFT = 3n;
const KIND_MASK = 0xfn;
/** enum maple_type; maple_dense (0) is declared, but no kernel makes such nodes. */
const LEAF = 1;
const RANGE = 2;
const ARANGE = 3;
/** xa_is_internal: what is not a pointer of the tree's user; above 4096 it is a node (include/linux/xarray.h: xa_is_node). */
const INTERNAL_MASK = 3n;
const INTERNAL = 2n;
const LAST_INTERNAL_VALUE = 4096n;
/** A tree of 64-bit keys is at most this deep (MAPLE_HEIGHT_MAX is 31). */
const DEEPEST = 32;
/** More nodes than this no tree of a kernel's has. */
const MOST_NODES = 1 << 20;

/** What a maple tree holds for a range of keys. */
export interface MapleEntry {
  /** first key of the range */
  readonly first: bigint;
  /** last key of the range, inclusive */
  readonly last: bigint;
  /** the entry: mostly a pointer to a struct */
  readonly entry: bigint;
}

/** One kind of node: where its keys and links are. */
interface NodeShape {
  readonly leaf: boolean;
  readonly pivots: number;
  readonly slots: number;
  readonly pivotOffset: number;
  readonly slotOffset: number;
}

interface Position {
  readonly address: bigint;
  /** the page that the node is in, and where in it */
  readonly view: DataView;
  readonly at: number;
  readonly shape: NodeShape;
  /** last key of the node's range */
  readonly last: bigint;
  /** first key of the next slot's range */
  next: bigint;
  index: number;
}

/**
 * What a maple tree holds, ascending: ranges of keys with their entries; ranges without entry are passed over. A node that
 * is unreadable, freed, of an unknown kind or met before costs its subtree, and is told to `onFault`.
 * @param tree the struct maple_tree
 */
export function* walkMaple(kernel: LinuxKernel, tree: Struct, options: WalkOptions = {}): Generator<MapleEntry> {
  const root = orAbsent(() => tree.$pointer('ma_root'));
  if (root instanceof Absent) options.onFault?.(`maple tree at 0x${tree.$address.toString(16)} cannot be read: ${root.reason}`);
  if (root === 0n || root instanceof Absent) return;
  if (!isNode(root)) {
    // A tree of one entry, at key 0, has no node.
    if ((root & INTERNAL_MASK) !== INTERNAL) yield { first: 0n, last: 0n, entry: root };
    return;
  }
  const limit = options.limit ?? MOST_NODES * 16;
  const width = kernel.profile.pointerSize;
  const seen = new Set<bigint>();
  const stack: Position[] = [];
  let count = 0;
  const enter = (link: bigint, first: bigint, last: bigint): void => {
    const position = stack.length < DEEPEST && seen.size < MOST_NODES ? nodeAt(kernel, link, first, last, seen) : 'the tree is too large';
    if (typeof position === 'string') options.onFault?.(`maple tree at 0x${tree.$address.toString(16)}: ${position}`);
    else stack.push(position);
  };
  enter(root, 0n, width === 8 ? 0xffffffffffffffffn : 0xffffffffn);
  for (let position = stack.at(-1); position; position = stack.at(-1)) {
    const { view, at, shape } = position;
    if (position.index >= shape.slots || position.next > position.last) {
      stack.pop();
      continue;
    }
    const index = position.index++;
    const first = position.next;
    let last = index < shape.pivots ? word(view, at + shape.pivotOffset + index * width, width) : position.last;
    // Behind the last key that is used, keys are 0 and the slot reaches to the end of the node's range (mas_safe_pivot).
    if ((last === 0n && index > 0) || last > position.last) last = position.last;
    if (last < first) {
      options.onFault?.(`maple tree at 0x${tree.$address.toString(16)}: keys of node 0x${position.address.toString(16)} do not ascend`);
      stack.pop();
      continue;
    }
    position.next = last + 1n;
    const slot = word(view, at + shape.slotOffset + index * width, width);
    if (slot === 0n) continue;
    if (!shape.leaf) {
      enter(slot, first, last);
      continue;
    }
    // Reserved values (XA_ZERO_ENTRY) stand for nothing.
    if ((slot & INTERNAL_MASK) === INTERNAL) continue;
    if (++count > limit) {
      options.onFault?.(`maple tree at 0x${tree.$address.toString(16)} has more than ${limit} entries`);
      return;
    }
    yield { first, last, entry: slot };
  }
}

/** The structs that a maple tree of pointers holds, ascending; one that stands for several ranges is given once for each. */
export function* walkMapleOf<T extends Struct>(kernel: LinuxKernel, tree: Struct, type: StructType<T>, options: WalkOptions = {}): Generator<T> {
  for (const { entry } of walkMaple(kernel, tree, options)) yield type.at(kernel.space, entry);
}

function isNode(entry: bigint): boolean {
  return (entry & INTERNAL_MASK) === INTERNAL && entry > LAST_INTERNAL_VALUE;
}

/** The node behind a link, or what is wrong with it. */
function nodeAt(kernel: LinuxKernel, link: bigint, first: bigint, last: bigint, seen: Set<bigint>): Position | string {
  const address = link & ~NODE_MASK;
  const kind = Number((link >> KIND_SHIFT) & KIND_MASK);
  const name = `node 0x${address.toString(16)}`;
  const shape = shapes(kernel)[kind];
  if (!shape) return `${name} is of unknown kind ${kind}`;
  if (seen.has(address)) return `${name} is met twice`;
  seen.add(address);
  // Aligned as they are, nodes do not straddle pages.
  const page = kernel.space.pageAt(pageNumber(address));
  if (!page) return `${name} is unreadable: page not present`;
  const at = pageOffset(address);
  // A node that was taken out of the tree names itself as its parent (ma_dead_node).
  if ((word(page.view, at, kernel.profile.pointerSize) & ~NODE_MASK) === address) return `${name} is no longer in use`;
  return { address, view: page.view, at, shape, last, next: first, index: 0 };
}

function word(view: DataView, at: number, width: 4 | 8): bigint {
  return width === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true));
}

/** Shapes by enum maple_type. */
function shapes(kernel: LinuxKernel): readonly (NodeShape | undefined)[] {
  return kernel.memo('maple shapes', () => {
    const shape = (struct: string, leaf: boolean): NodeShape => {
      const type = kernel.struct(struct);
      const count = (member: string): number => {
        const descriptor = type.member(member).type;
        return descriptor.kind === 'array' ? descriptor.count : 0;
      };
      return { leaf, pivots: count('pivot'), slots: count('slot'), pivotOffset: type.offsetOf('pivot'), slotOffset: type.offsetOf('slot') };
    };
    const range = shape('maple_range_64', false);
    const found: (NodeShape | undefined)[] = [];
    found[LEAF] = { ...range, leaf: true };
    found[RANGE] = range;
    found[ARANGE] = shape('maple_arange_64', false);
    return found;
  });
}
