import type { PhysicalSpace } from '../memory/physical.js';
import { occurrences } from '../symbols/window.js';

/** How far is looked for signs of other systems: they stand low in memory, and the answer only helps a message. */
const REACH = 4 * 1024 * 1024 * 1024;

/** Texts that only a kernel of that system has in memory, with a rare first byte for speed. */
const signs: readonly (readonly [needle: string, system: string])[] = [
  ['krnlmp.', 'Windows'],
  ['krnlpa.', 'Windows'],
  ['oskrnl.', 'Windows'],
  ['Catfish', 'macOS'],
];

/** What else an image may be of, by texts in it; undefined when nothing is recognised. */
export function otherSystem(physical: PhysicalSpace): string | undefined {
  for (const [needle, system] of signs) {
    for (const _at of occurrences(physical, Buffer.from(needle, 'latin1'), 0, Math.min(physical.end, REACH))) return system;
  }
  return undefined;
}
