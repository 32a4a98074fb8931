import { breathing } from '../memory/breathe.js';
import type { PhysicalSpace } from '../memory/physical.js';
import { occurrenceSteps } from '../symbols/window.js';

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
export async function otherSystem(physical: PhysicalSpace, signal?: AbortSignal): Promise<string | undefined> {
  for (const [needle, system] of signs) {
    const steps = occurrenceSteps(physical, Buffer.from(needle, 'latin1'), 0, Math.min(physical.end, REACH));
    for await (const _at of breathing(steps, signal)) return system;
  }
  return undefined;
}
