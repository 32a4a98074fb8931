/**
 * Where the tables of a kernel's kallsyms lie, as physical addresses (the kernel image is physically contiguous), so that they
 * can be kept and opened again without a search. Written by scripts/kallsyms.c, read by kernel/kallsyms.c.
 */
export interface KallsymsTables {
  /** width of a kernel pointer */
  readonly bits: 32 | 64;
  readonly count: number;
  /** compressed names: length (one byte, or two where the first has bit 7 set: 73bbb94466fd, 6.1), then token numbers */
  readonly names: number;
  /** bytes of the names table */
  readonly namesLength: number;
  readonly tokenTable: number;
  readonly tokenIndex: number;
  /**
   * 32-bit offsets from `relativeBase` (2213e9a66bb8, 4.6), or pointer-sized addresses (before, and on demand).
   * The offsets stand before the names until 6.3, behind the token index since 6.4 (404bad70fcf7).
   */
  readonly addresses: number;
  readonly form: 'relative' | 'absolute';
  /** value of kallsyms_relative_base, which the kernel has relocated; decimal; '0' for absolute tables */
  readonly relativeBase: string;
}
