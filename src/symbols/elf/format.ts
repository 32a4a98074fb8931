/** e_type (System V ABI, chapter 4) */
export const ET = { REL: 1, EXEC: 2, DYN: 3, CORE: 4 } as const;
/** e_machine */
export const EM = { I386: 3, X86_64: 62, AARCH64: 183 } as const;
/** sh_type */
export const SHT = { SYMTAB: 2, STRTAB: 3, RELA: 4, NOBITS: 8, REL: 9, SYMTAB_SHNDX: 18 } as const;
/** sh_flags */
export const SHF = { ALLOC: 2, EXECINSTR: 4, COMPRESSED: 0x800 } as const;

export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  /** virtual address as linked; 0 where the section is not loaded */
  readonly address: bigint;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly entrySize: number;
}

/** The text at an offset of a string table, up to its NUL; empty beyond the end. */
export function textAt(strings: Buffer, offset: number): string {
  if (offset >= strings.length) return '';
  const end = strings.indexOf(0, offset);
  return strings.toString('latin1', offset, end < 0 ? strings.length : end);
}
