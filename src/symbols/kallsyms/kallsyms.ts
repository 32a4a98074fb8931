import type { PhysicalSpace } from '../../memory/physical.js';
import type { KernelSymbol, SymbolSource } from '../types.js';
import { readPhysical } from '../window.js';
import type { KallsymsTables } from './tables.js';
import { decodeTokens } from './tokens.js';

/** Tables that were found, but whose bytes no longer make sense. */
export class KallsymsError extends Error {
  override readonly name = 'KallsymsError';
}

const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * A kernel's own symbols. Names stay compressed: a lookup goes through a table of hashes, made in one pass over the
 * compressed bytes, and strings come into being only for what is asked.
 */
export class Kallsyms implements SymbolSource {
  readonly size: number;
  private readonly tokens: readonly string[];
  /** offset of each compressed name's length byte */
  private readonly starts: Uint32Array;
  private table: Int32Array | undefined;
  private hashes: Uint32Array | undefined;
  private sorted: { values: Float64Array; order: Uint32Array } | undefined;

  constructor(
    private readonly names: Buffer,
    tokenTable: Buffer,
    /** address of a symbol by its number */
    private readonly addressAt: (index: number) => bigint,
    count: number,
  ) {
    const tokens = decodeTokens(tokenTable);
    if (!tokens) throw new KallsymsError('the token table does not decode');
    this.tokens = tokens.texts;
    this.size = count;
    this.starts = new Uint32Array(count);
    let at = 0;
    for (let i = 0; i < count; i++) {
      if (at >= names.length) throw new KallsymsError(`the names end after ${i} of ${count}`);
      this.starts[i] = at;
      const length = names[at] as number;
      at += (length & 0x80) === 0 ? 1 + length : 2 + ((length & 0x7f) | ((names[at + 1] ?? 0) << 7));
    }
  }

  address(name: string): bigint | undefined {
    const index = this.indexOf(name, 0);
    return index < 0 ? undefined : this.addressAt(index);
  }

  all(name: string): readonly bigint[] {
    const found: bigint[] = [];
    for (let index = this.indexOf(name, 0); index >= 0; index = this.indexOf(name, index + 1)) found.push(this.addressAt(index));
    return found;
  }

  nearest(address: bigint): { symbol: KernelSymbol; distance: bigint } | undefined {
    const { values, order } = (this.sorted ??= this.sort());
    const wanted = rank(address);
    let low = 0;
    let high = values.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((values[middle] as number) <= wanted) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return undefined;
    // Of several names of one address the first, as the kernel does (kernel/kallsyms.c: get_symbol_pos).
    let first = low - 1;
    while (first > 0 && values[first - 1] === values[first]) first--;
    const symbol = this.symbol(order[first] as number);
    return { symbol, distance: address - symbol.address };
  }

  *symbols(): Generator<KernelSymbol> {
    for (let i = 0; i < this.size; i++) yield this.symbol(i);
  }

  private symbol(index: number): KernelSymbol {
    const text = this.text(index);
    return { name: text.slice(1), address: this.addressAt(index), kind: text[0] ?? '?' };
  }

  /** The letter of the symbol's kind, then its name. */
  private text(index: number): string {
    let at = this.starts[index] as number;
    let length = this.names[at++] as number;
    if ((length & 0x80) !== 0) length = (length & 0x7f) | ((this.names[at++] ?? 0) << 7);
    let text = '';
    for (const end = at + length; at < end; at++) text += this.tokens[this.names[at] ?? 0] ?? '';
    return text;
  }

  /** Number of the first symbol of a name at or after `from`; -1 when there is none. */
  private indexOf(name: string, from: number): number {
    const table = this.table ?? this.hash();
    const hashes = this.hashes as Uint32Array;
    const wanted = hashText(name);
    const mask = table.length - 1;
    let best = -1;
    for (let slot = wanted & mask; ; slot = (slot + 1) & mask) {
      const index = (table[slot] as number) - 1;
      if (index < 0) return best;
      if (hashes[index] !== wanted || index < from || (best >= 0 && index > best)) continue;
      if (this.text(index).slice(1) === name) best = index;
    }
  }

  /** Hashes each name (FNV-1a) as its tokens unfold, without making a string; then an open-addressed table of their numbers. */
  private hash(): Int32Array {
    const tokens = this.tokens.map((text) => Buffer.from(text, 'latin1'));
    const hashes = new Uint32Array(this.size);
    const capacity = 2 ** Math.ceil(Math.log2(this.size * 2 + 2));
    const table = new Int32Array(capacity);
    const mask = capacity - 1;
    for (let i = 0; i < this.size; i++) {
      let at = this.starts[i] as number;
      let length = this.names[at++] as number;
      if ((length & 0x80) !== 0) length = (length & 0x7f) | ((this.names[at++] ?? 0) << 7);
      let hash = FNV_BASIS;
      // The first character is the symbol's kind.
      let skip = 1;
      for (const end = at + length; at < end; at++) {
        const token = tokens[this.names[at] ?? 0] as Buffer;
        for (let c = skip; c < token.length; c++) hash = Math.imul(hash ^ (token[c] as number), FNV_PRIME);
        skip = 0;
      }
      hash >>>= 0;
      hashes[i] = hash;
      let slot = hash & mask;
      while (table[slot] !== 0) slot = (slot + 1) & mask;
      table[slot] = i + 1;
    }
    this.hashes = hashes;
    return (this.table = table);
  }

  private sort(): { values: Float64Array; order: Uint32Array } {
    const all = new Float64Array(this.size);
    for (let i = 0; i < this.size; i++) all[i] = rank(this.addressAt(i));
    const order = Uint32Array.from(all.keys()).sort((a, b) => (all[a] as number) - (all[b] as number) || a - b);
    return { values: Float64Array.from(order, (index) => all[index] as number), order };
  }
}

/** Kernel addresses as numbers in the same order: the distance from the end of the address space is exact where kernels live. */
function rank(address: bigint): number {
  return address >> 63n === 1n ? -Number((1n << 64n) - address) : address < 1n << 53n ? Number(address) - 2 ** 64 : -(2 ** 63) - 1;
}

function hashText(name: string): number {
  let hash = FNV_BASIS;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ (name.charCodeAt(i) & 0xff), FNV_PRIME);
  return hash >>> 0;
}

/** Opens tables whose places are known. Throws KallsymsError where the image no longer holds them. */
export function openKallsyms(physical: PhysicalSpace, tables: KallsymsTables): Kallsyms {
  const names = readPhysical(physical, tables.names, tables.namesLength);
  const tokens = readPhysical(physical, tables.tokenTable, tables.tokenIndex - tables.tokenTable);
  const word = tables.form === 'absolute' ? tables.bits / 8 : 4;
  const addresses = readPhysical(physical, tables.addresses, tables.count * word);
  if (!names || !tokens || !addresses) throw new KallsymsError('the symbol tables are not all in the image');
  return new Kallsyms(names, tokens, tables.form === 'absolute' ? absolute(addresses, tables.bits) : relative(addresses, tables), tables.count);
}

function absolute(bytes: Buffer, bits: 32 | 64): (index: number) => bigint {
  return bits === 64 ? (index) => bytes.readBigUInt64LE(index * 8) : (index) => BigInt(bytes.readUInt32LE(index * 4));
}

/**
 * With CONFIG_KALLSYMS_ABSOLUTE_PERCPU (x86 with SMP) an offset that is not negative is an absolute value, and a negative one is
 * `base - 1 - offset`; without it all are unsigned and relative (kernel/kallsyms.c: kallsyms_sym_address).
 */
function relative(bytes: Buffer, { count, relativeBase, bits }: KallsymsTables): (index: number) => bigint {
  const base = BigInt(relativeBase);
  let negative = 0;
  for (let i = 0; i < count; i++) if (bytes.readInt32LE(i * 4) < 0) negative++;
  const wrap = (address: bigint): bigint => BigInt.asUintN(bits, address);
  if (negative * 2 < count) return (index) => wrap(base + BigInt(bytes.readUInt32LE(index * 4)));
  return (index) => {
    const offset = bytes.readInt32LE(index * 4);
    return offset >= 0 ? BigInt(offset) : wrap(base - 1n - BigInt(offset));
  };
}
