/** Nodes of a tree at most, and levels: an AVL tree of a million has 28. */
const MOST = 1 << 20;
const DEEPEST = 64;

/** A node of a binary tree; the root's level is 1. */
export interface TreeNode {
  readonly address: bigint;
  readonly level: number;
}

/**
 * The nodes of a binary tree in order. A node is given once: a tree that comes back to one, or does not end, is told.
 * @param follow address of the node on one side of another, 0 where there is none or it cannot be read
 */
export function* inOrder(root: bigint, follow: (address: bigint, side: 'left' | 'right') => bigint, fault: (what: string) => void): Generator<TreeNode> {
  const seen = new Set<bigint>();
  // The nodes whose left side is being walked.
  const stack: TreeNode[] = [];
  let at = root;
  let level = 1;
  for (;;) {
    while (at !== 0n) {
      if (seen.has(at)) {
        fault(`the tree comes back to 0x${at.toString(16)}`);
        break;
      }
      if (seen.size >= MOST || stack.length >= DEEPEST) {
        fault('the tree does not end');
        return;
      }
      seen.add(at);
      stack.push({ address: at, level });
      at = follow(at, 'left');
      level++;
    }
    const here = stack.pop();
    if (!here) return;
    yield here;
    at = follow(here.address, 'right');
    level = here.level + 1;
  }
}
