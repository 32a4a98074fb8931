import { corrupt } from '../../memory/absent.js';
import { type AddressSpace, type Gap } from '../../memory/space.js';
import type { KernelSymbol } from '../types.js';

/** Where a module's kallsyms are: struct mod_kallsyms (include/linux/module.h, since 4.5, 8244062ef1e5). */
export interface ModuleTables {
  readonly symtab: bigint;
  readonly strtab: bigint;
  readonly numSyms: number;
  /** one letter per symbol, since 5.2 (1c7651f43777); before, it was written over st_info */
  readonly typetab?: bigint;
  readonly bits: 32 | 64;
}

/** No module has more symbols. */
const MOST = 1 << 20;
/** Bytes of all names that are read; those of the largest modules (graphics drivers) have half a million. */
const MOST_TEXT = 16 * 1024 * 1024;
/** Symbol names are cut here (KSYM_NAME_LEN since 6.1, b8a94bfb3395). */
const LONGEST = 512;

/** Elf64_Sym and Elf32_Sym (include/uapi/linux/elf.h): bytes, and where info, section and value stand. */
const FORMS = {
  64: { size: 24, info: 4, section: 6, value: 8 },
  32: { size: 16, info: 12, section: 14, value: 4 },
} as const;

/**
 * A module's symbols, in the order of its table. Unnamed, undefined (SHN_UNDEF) and unreadable ones are left out.
 * Letters are lower case: which symbols are exported stands elsewhere.
 * @throws {Absent} `corrupt` when their number is impossible
 */
export function readModuleKallsyms(
  space: AddressSpace,
  { symtab, strtab, numSyms, typetab, bits }: ModuleTables,
): KernelSymbol[] {
  if (!(Number.isInteger(numSyms) && numSyms >= 0 && numSyms <= MOST))
    throw corrupt(`a module with ${numSyms} symbols`, symtab);
  const form = FORMS[bits];
  const table = space.readPartial(symtab, numSyms * form.size).bytes;
  const letters = typetab === undefined ? undefined : space.readPartial(typetab, numSyms).bytes;
  let furthest = 0;
  for (let at = 0; at < table.length; at += form.size) furthest = Math.max(furthest, table.readUInt32LE(at));
  const text = space.readPartial(strtab, Math.min(furthest + LONGEST, MOST_TEXT));
  const found: KernelSymbol[] = [];
  for (let i = 0; i < numSyms; i++) {
    const at = i * form.size;
    const nameOffset = table.readUInt32LE(at);
    const section = table.readUInt16LE(at + form.section);
    if (nameOffset === 0 || section === 0) continue;
    const name = nameAt(text.bytes, nameOffset);
    if (name === '' || inGap(text.gaps, strtab + BigInt(nameOffset))) continue;
    const value = at + form.value;
    const address = bits === 64 ? table.readBigUInt64LE(value) : BigInt(table.readUInt32LE(value));
    const letter = (letters?.[i] ?? 0) || (table[at + form.info] as number);
    found.push({ name, address, kind: letter > 0x20 && letter < 0x7f ? String.fromCharCode(letter) : '?' });
  }
  return found;
}

/** The name at an offset; empty where there is none. */
function nameAt(text: Buffer, offset: number): string {
  const nul = text.indexOf(0, offset);
  if (offset >= text.length) return '';
  return text.toString('latin1', offset, Math.min(nul < 0 ? text.length : nul, offset + LONGEST));
}

function inGap(gaps: readonly Gap[], address: bigint): boolean {
  return gaps.some(({ start, end }) => address >= start && address < end);
}
