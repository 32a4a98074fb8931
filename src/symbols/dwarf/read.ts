import { setImmediate } from 'node:timers/promises';
import type { ElfFile } from '../elf/elf.js';
import { Collector } from './collect.js';
import { debugSections } from './sections.js';
import { DwarfTypes } from './types.js';
import { Units } from './units.js';

/** After how many milliseconds others get a turn. */
const TURN = 50;

/**
 * The types and global variables of a file's DWARF (versions 2 to 5), or undefined where it has none. Units are read one at
 * a time; others get a turn between them.
 *
 * @throws ProfileError where the debug information contradicts itself
 */
export async function readDwarf(elf: ElfFile, progress?: (done: number, total: number) => void): Promise<DwarfTypes | undefined> {
  const sections = debugSections(elf);
  if (!sections) return undefined;
  const units = new Units(sections);
  const types = new DwarfTypes();
  const collector = new Collector(units, types);
  let turn = performance.now();
  let done = 0;
  for (const header of units.headers) {
    collector.collect(units.open(header));
    done++;
    if (performance.now() - turn < TURN) continue;
    progress?.(done, units.headers.length);
    await setImmediate();
    turn = performance.now();
  }
  return types;
}
