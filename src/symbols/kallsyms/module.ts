import { Absent } from '../../memory/absent.js';
import type { AddressSpace } from '../../memory/space.js';
import type { KernelSymbol } from '../types.js';

/** Where a module's kallsyms are: struct mod_kallsyms (include/linux/module.h). */
export interface ModuleTables {
  readonly symtab: bigint;
  readonly strtab: bigint;
  readonly numSyms: number;
  /** one letter per symbol, since 5.2 (1c7651f43777); before it was written over st_info */
  readonly typetab?: bigint;
  readonly bits: 32 | 64;
}

/** No module has more symbols. */
const MOST = 1 << 20;
/** Symbol names are cut here (KSYM_NAME_LEN). */
const LONGEST = 512;

/** A module's symbols: an array of Elf64_Sym or Elf32_Sym. Unnamed, undefined and unreadable ones are left out. */
export function readModuleKallsyms(
  space: AddressSpace,
  { symtab, strtab, numSyms, typetab, bits }: ModuleTables,
): KernelSymbol[] {
  if (numSyms < 0 || numSyms > MOST) throw new Absent('corrupt', `a module with ${numSyms} symbols`, symtab);
  const size = bits === 64 ? 24 : 16;
  const { bytes } = space.readPartial(symtab, numSyms * size);
  const kinds = typetab === undefined ? undefined : space.readPartial(typetab, numSyms).bytes;
  const found: KernelSymbol[] = [];
  for (let i = 1; i < numSyms; i++) {
    const at = i * size;
    const nameOffset = bytes.readUInt32LE(at);
    const info = bytes[at + (bits === 64 ? 4 : 12)] as number;
    const section = bytes.readUInt16LE(at + (bits === 64 ? 6 : 14));
    const address = bits === 64 ? bytes.readBigUInt64LE(at + 8) : BigInt(bytes.readUInt32LE(at + 4));
    if (nameOffset === 0 || section === 0 || address === 0n) continue;
    const text = nameOf(space, strtab + BigInt(nameOffset));
    const letter = kinds?.[i] ?? info;
    if (text !== '')
      found.push({ name: text, address, kind: letter > 0x20 && letter < 0x7f ? String.fromCharCode(letter) : 't' });
  }
  return found;
}

function nameOf(space: AddressSpace, address: bigint): string {
  try {
    return space.readCString(address, LONGEST).toString('latin1');
  } catch (error) {
    if (error instanceof Absent) return '';
    throw error;
  }
}
