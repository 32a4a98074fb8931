import type { Bytes } from '../elf/bytes.js';
import type { ElfFile } from '../elf/elf.js';

const EMPTY = Buffer.alloc(0);

/** The debug sections that types and variables need. The strings are in memory, the entries are read unit by unit. */
export interface DebugSections {
  /** every .debug_info, then every .debug_types (DWARF 4). Offsets count over them one behind the other. */
  readonly parts: readonly { readonly bytes: Bytes; readonly start: number; readonly types: boolean }[];
  readonly abbrev: Buffer;
  readonly str: Buffer;
  readonly lineStr: Buffer;
  readonly strOffsets: Buffer;
  readonly addr: Buffer;
}

/** The debug sections of a file, or undefined where it has no DWARF. */
export function debugSections(elf: ElfFile): DebugSections | undefined {
  const info = elf.allNamed('.debug_info').filter(({ size }) => size > 0);
  const abbrev = elf.named('.debug_abbrev');
  if (info.length === 0 || !abbrev) return undefined;
  const whole = (name: string): Buffer => {
    const bytes = elf.named(name);
    return bytes ? bytes.read(0, bytes.size) : EMPTY;
  };
  let start = 0;
  const part = (bytes: Bytes, types: boolean): DebugSections['parts'][number] => {
    start += bytes.size;
    return { bytes, start: start - bytes.size, types };
  };
  return {
    parts: [...info.map((bytes) => part(bytes, false)), ...elf.allNamed('.debug_types').map((bytes) => part(bytes, true))],
    abbrev: abbrev.read(0, abbrev.size),
    str: whole('.debug_str'),
    lineStr: whole('.debug_line_str'),
    strOffsets: whole('.debug_str_offsets'),
    addr: whole('.debug_addr'),
  };
}
