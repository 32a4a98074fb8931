import type { Place } from './efilter-tree.js';

/** How deep a tree may be, so that whoever walks it may recurse. A chain of operators is as deep as it is long. */
export const MAX_DEPTH = 1000;

interface Step {
  readonly value: object;
  readonly depth: number;
}

/** The place of a node that lies too deep in a tree, if there is one. Needs no stack for it. */
export function tooDeep(root: object): Place | undefined {
  const steps: Step[] = [{ value: root, depth: 0 }];
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    const { value, depth } = step;
    if (depth > MAX_DEPTH && 'start' in value) return value as Place;
    const inner = 'kind' in value ? depth + 1 : depth;
    for (const child of Object.values(value)) if (typeof child === 'object' && child !== null) steps.push({ value: child as object, depth: inner });
  }
  return undefined;
}
