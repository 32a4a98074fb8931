import { due, turn } from '../../memory/breathe.js';
import type { ElfFile } from '../elf/elf.js';
import { Collector } from './collect.js';
import { debugSections } from './sections.js';
import { DwarfTypes } from './types.js';
import { Units } from './units.js';

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
  let done = 0;
  for (const header of units.headers) {
    collector.collect(units.open(header));
    done++;
    if (!due()) continue;
    progress?.(done, units.headers.length);
    await turn();
  }
  return types;
}
