/** Kallsyms tables that cannot be decoded: not there, or not what they should be. */
export class KallsymsError extends Error {
  override readonly name = 'KallsymsError';
}

/**
 * Where the tables of a kernel's kallsyms lie: physical addresses and lengths in bytes (they are in the kernel's image, which is
 * physically contiguous). Plain numbers, so that a session can remember them and decode without a search.
 *
 * Written by scripts/kallsyms.c: up to 6.3 addresses, base, count, names, markers, tokens; since 6.4 (404bad70fcf7) the addresses
 * and the base stand behind the tokens, so that the linker's relaxation does not move them. Since 7.0 there is no base.
 */
export interface KallsymsTables {
  /** width of the kernel's pointers; until 7.0 each table is aligned to one, since then to 4 bytes */
  readonly bits: 32 | 64;
  /** kallsyms_num_syms */
  readonly count: number;
  /** kallsyms_names */
  readonly names: number;
  readonly namesLength: number;
  /** kallsyms_markers: the offset of every 256th name */
  readonly markers: number;
  /** `unsigned int` since 4.20 (80ffbaa5b1bd), `unsigned long` before */
  readonly markerBytes: 4 | 8;
  readonly tokenTable: number;
  /** kallsyms_token_index; the token table ends at or before it */
  readonly tokenIndex: number;
  /** kallsyms_offsets (32 bits each), or kallsyms_addresses (pointers) of kernels before 4.6 and of odd configurations */
  readonly addresses: number;
  /** kallsyms_relative_base, what offsets are relative to */
  readonly relativeBase?: number;
  /**
   * The virtual address of kallsyms_offsets, in decimal, when each offset is relative to where it stands (since 7.0, a081b5789255). Without this
   * and without a base, addresses are absolute.
   */
  readonly place?: string;
  /** kallsyms_seqs_of_names (3 bytes each, since 6.2, 60443c88f3a8): symbol numbers in the order of their names */
  readonly sequence?: number;
}

/** Symbols between two markers. */
export const MARKED = 256;
/** Symbols that a kernel may have; distributions' have about 90,000 to 200,000. */
export const MAX_SYMBOLS = 4_000_000;

/**
 * Checks `count` compressed names (a length of 7 bits, or of 14 in two bytes since 6.1, 73bbb94466fd; then a byte per token)
 * against the markers.
 * @param offsets receives where each name begins, at its length
 * @returns the bytes that the names take, or why they are not sound
 */
export function walkNames(
  names: Buffer,
  count: number,
  marker: (block: number) => number,
  offsets?: Uint32Array,
): number | string {
  let at = 0;
  const { length } = names;
  for (let i = 0; i < count; i++) {
    if (i % MARKED === 0 && marker(i / MARKED) !== at) return `name ${i} is not where its marker says`;
    if (at + 2 > length) return `names end after ${i} of ${count}`;
    if (offsets) offsets[i] = at;
    let bytes = names[at] as number;
    at++;
    if (bytes >= 0x80) {
      bytes = (bytes & 0x7f) | ((names[at] as number) << 7);
      at++;
    }
    if (bytes === 0) return `name ${i} is empty`;
    at += bytes;
  }
  return at > length ? `names end after ${count - 1} of ${count}` : at;
}
