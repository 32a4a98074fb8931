import { MemoryBytes, type Bytes } from '../elf/bytes.js';
import type { ElfFile } from '../elf/elf.js';

const EMPTY = Buffer.alloc(0);

/** The debug sections that types and variables need. The strings are in memory, the entries are read unit by unit. */
export interface DebugSections {
  readonly info: Bytes;
  /** .debug_types of DWARF 4 */
  readonly types: Bytes;
  readonly abbrev: Buffer;
  readonly str: Buffer;
  readonly lineStr: Buffer;
  readonly strOffsets: Buffer;
  readonly addr: Buffer;
}

/** The debug sections of a file, or undefined where it has no DWARF. */
export function debugSections(elf: ElfFile): DebugSections | undefined {
  const info = elf.named('.debug_info');
  const abbrev = elf.named('.debug_abbrev');
  if (!info || !abbrev || info.size === 0) return undefined;
  const whole = (name: string): Buffer => {
    const bytes = elf.named(name);
    return bytes ? bytes.read(0, bytes.size) : EMPTY;
  };
  return {
    info,
    types: elf.named('.debug_types') ?? new MemoryBytes(EMPTY),
    abbrev: abbrev.read(0, abbrev.size),
    str: whole('.debug_str'),
    lineStr: whole('.debug_line_str'),
    strOffsets: whole('.debug_str_offsets'),
    addr: whole('.debug_addr'),
  };
}
