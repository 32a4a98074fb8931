import type { ElfFile } from './elf.js';
import { SHF, SHT, textAt } from './format.js';

/** st_info (System V ABI, chapter 4) */
const STT_FUNC = 2;
const STT_SECTION = 3;
const STT_FILE = 4;
const STT_TLS = 6;
const STB_LOCAL = 0;

export interface ElfSymbols {
  /** name → address as linked; where a name is both global and static, the global one, else the first */
  readonly addresses: ReadonlyMap<string, bigint>;
  readonly functions: ReadonlySet<string>;
}

/** The names of an executable's symbol table. Files, sections, undefined symbols and compilers' own labels are left out. */
export function elfSymbols(elf: ElfFile): ElfSymbols {
  const addresses = new Map<string, bigint>();
  const functions = new Set<string>();
  const table = elf.sections.find(({ type }) => type === SHT.SYMTAB);
  const strings = table && elf.sections[table.link];
  if (!table || !strings) return { addresses, functions };
  const symbols = elf.bytes.read(table.offset, table.size);
  const text = elf.bytes.read(strings.offset, strings.size);
  const globals = new Set<string>();
  const { wide } = elf;
  const entry = wide ? 24 : 16;
  for (let at = 0; at + entry <= symbols.length; at += entry) {
    const info = symbols.readUInt8(at + (wide ? 4 : 12));
    const type = info & 0xf;
    const home = symbols.readUInt16LE(at + (wide ? 6 : 14));
    if (home === 0 || type === STT_SECTION || type === STT_FILE || type === STT_TLS) continue;
    const name = textAt(text, symbols.readUInt32LE(at));
    if (name === '' || name.startsWith('.L') || name.startsWith('$')) continue;
    const global = info >> 4 !== STB_LOCAL;
    if (addresses.has(name) && (!global || globals.has(name))) continue;
    if (global) globals.add(name);
    addresses.set(name, wide ? symbols.readBigUInt64LE(at + 8) : BigInt(symbols.readUInt32LE(at + 4)));
    // Assembly leaves the type out.
    const executable = type === 0 && ((elf.sections[home]?.flags ?? 0) & SHF.EXECINSTR) !== 0;
    if (type === STT_FUNC || executable) functions.add(name);
    else functions.delete(name);
  }
  return { addresses, functions };
}
