import { Absent, orAbsent } from '../../../memory/absent.js';
import type { AddressSpace } from '../../../memory/space.js';
import type { Struct } from '../../../object/struct.js';
import type { StructType } from '../../../object/struct-type.js';
import type { WalkOptions } from './list.js';

/** More nodes than this are no tree of a kernel's, but a lie. */
const MOST_NODES = 1 << 22;
/** A red-black tree of n nodes is at most 2 log2(n + 1) deep: the largest here, with room. */
const DEEPEST = 64;

/**
 * The structs in a red-black tree in order (include/linux/rbtree.h: rb_node is { parent and colour, right, left }). A node that
 * is unreadable, or met before, costs its subtree and is told to `onFault`.
 * @param root the struct rb_root or rb_root_cached (its first member is the rb_root)
 * @param type the struct that the nodes are in
 * @param member the rb_node in that struct: `mnt_node`
 */
export function* walkRbTree<T extends Struct>(root: Struct, type: StructType<T>, member: string, options: WalkOptions = {}): Generator<T> {
  const space = root.$space;
  const width = BigInt(space.bits / 8);
  const offset = BigInt(type.offsetOf(member));
  const limit = options.limit ?? MOST_NODES;
  const seen = new Set<bigint>();
  const stack: bigint[] = [];
  const fault = (what: string): void => options.onFault?.(`tree of ${type.name}.${member}: ${what}`);
  /** Goes down to the left of a link, and remembers the way. */
  const descend = (link: bigint): void => {
    for (let node = link; node !== 0n; ) {
      if (seen.has(node) || stack.length >= DEEPEST || seen.size >= limit) {
        fault(seen.has(node) ? `node 0x${node.toString(16)} is met twice` : 'it is too large');
        return;
      }
      const left = pointerAt(space, node + 2n * width);
      if (left instanceof Absent) {
        fault(`node 0x${node.toString(16)} cannot be read: ${left.reason}`);
        return;
      }
      seen.add(node);
      stack.push(node);
      node = left;
    }
  };
  const top = pointerAt(space, root.$address);
  if (top instanceof Absent) {
    fault(`its root cannot be read: ${top.reason}`);
    return;
  }
  descend(top);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    yield type.at(space, node - offset);
    const right = pointerAt(space, node + width);
    if (right instanceof Absent) fault(`node 0x${node.toString(16)} cannot be read: ${right.reason}`);
    else descend(right);
  }
}

function pointerAt(space: AddressSpace, address: bigint): bigint | Absent {
  return orAbsent(() => space.readPointer(address));
}
