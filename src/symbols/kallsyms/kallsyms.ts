import type { PhysicalSpace } from '../../memory/physical.js';
import type { KernelSymbol, SymbolSource } from '../types.js';
import { readPhysical } from '../window.js';
import { AbsoluteAddresses, type KallsymsAddresses, PlaceAddresses, RelativeAddresses } from './addresses.js';
import { KallsymsError, type KallsymsTables, MARKED, MAX_SYMBOLS, walkNames } from './tables.js';
import { hashName, INDEX_BYTES, MAX_TOKEN_TABLE, Tokens, tokensProblem } from './tokens.js';

/** Names looked up by binary search before hashing all of them pays. */
const SEARCHES = 200;
/** Pairs of neighbours that show whether the kernel's order by name is the one we search by. */
const SAMPLES = 64;
/** Bytes of a name that are expanded; KSYM_NAME_LEN is 512 (since 6.1, b8a94bfb3395). */
const LONGEST_NAME = 1024;

/** The bytes of the tables. */
export interface KallsymsBytes {
  readonly bits: 32 | 64;
  readonly count: number;
  readonly names: Buffer;
  readonly markers: Buffer;
  readonly markerBytes: 4 | 8;
  /** through the NUL of the last token; more may follow */
  readonly tokenTable: Buffer;
  readonly tokenIndex: Buffer;
  /** offsets when there is a base or a place, otherwise pointers */
  readonly addresses: Buffer;
  readonly relativeBase?: bigint;
  /** virtual address of the offsets, each of which is relative to where it stands */
  readonly place?: bigint;
  readonly sequence?: Buffer;
}

/**
 * The kernel's own symbol table (kernel/kallsyms.c), decoded where it is asked: names stay compressed, a few lookups search
 * the kernel's order by name, many a hash table over the compressed names. Addresses are as in memory, that is relocated.
 */
export class Kallsyms implements SymbolSource {
  readonly size: number;
  private readonly names: Buffer;
  /** where the tokens of each name begin in `names` */
  private readonly starts: Uint32Array;
  private readonly tokens: Tokens;
  private readonly addresses: KallsymsAddresses;
  private sequence: Buffer | undefined;
  private searches = 0;
  private table: NameTable | undefined;
  /** the name expanded last, its letter first */
  private readonly scratch = Buffer.alloc(LONGEST_NAME);

  /** @throws {KallsymsError} when the tables do not fit each other */
  constructor(bytes: KallsymsBytes) {
    const { count, names, markers, markerBytes, sequence } = bytes;
    if (!(Number.isInteger(count) && count > 0 && count <= MAX_SYMBOLS))
      throw new KallsymsError(`kallsyms of ${count} symbols`);
    if (markers.length < Math.ceil(count / MARKED) * markerBytes)
      throw new KallsymsError('kallsyms markers are cut short');
    const problem = tokensProblem(bytes.tokenTable, bytes.tokenIndex);
    if (problem !== undefined) throw new KallsymsError(`kallsyms ${problem}`);
    this.starts = new Uint32Array(count);
    const used = walkNames(names, count, (block) => markers.readUInt32LE(block * markerBytes), this.starts);
    if (typeof used === 'string') throw new KallsymsError(`kallsyms ${used}`);
    this.size = count;
    this.names = names;
    this.tokens = new Tokens(bytes.tokenTable);
    this.addresses = addressesOf(bytes);
    this.sequence = sequence && sequence.length >= 3 * count ? sequence : undefined;
  }

  address(name: string): bigint | undefined {
    const index = this.index(name);
    return index < 0 ? undefined : this.addresses.at(index);
  }

  all(name: string): readonly bigint[] {
    const wanted = Buffer.from(name, 'latin1');
    const found: bigint[] = [];
    for (const index of this.hashed(wanted)) found.push(this.addresses.at(index));
    return found;
  }

  nearest(address: bigint): { readonly symbol: KernelSymbol; readonly distance: bigint } | undefined {
    let index = this.addresses.floor(address);
    if (index < 0) return undefined;
    const at = this.addresses.at(index);
    // Of several names for one address the first, as the kernel does (get_symbol_pos).
    while (index > 0 && this.addresses.at(index - 1) === at) index--;
    return { symbol: this.symbol(index), distance: address - at };
  }

  at(address: bigint): readonly KernelSymbol[] {
    const found: KernelSymbol[] = [];
    for (let index = this.addresses.floor(address); index >= 0 && this.addresses.at(index) === address; index--) found.unshift(this.symbol(index));
    return found;
  }

  *symbols(): Generator<KernelSymbol> {
    for (let index = 0; index < this.size; index++) yield this.symbol(index);
  }

  *below(address: bigint): Generator<KernelSymbol> {
    for (let index = 0; index < this.size && this.addresses.at(index) < address; index++) yield this.symbol(index);
  }

  /** All names, in the order of the table: pieces of one text, which is many times faster than to make each by itself. */
  allNames(): readonly string[] {
    const ends = new Uint32Array(this.size);
    let bytes = Buffer.allocUnsafe(this.size * 32);
    let end = 0;
    for (let index = 0; index < this.size; index++) {
      if (end + LONGEST_NAME > bytes.length) bytes = Buffer.concat([bytes], bytes.length * 2);
      const length = this.expand(index);
      this.scratch.copy(bytes, end, 1, length);
      end += Math.max(0, length - 1);
      ends[index] = end;
    }
    const text = bytes.toString('latin1', 0, end);
    return Array.from(ends, (stop, index) => text.slice(index === 0 ? 0 : ends[index - 1], stop));
  }

  /** A symbol by its place in the table, which is in the order of addresses. */
  symbol(index: number): KernelSymbol {
    const length = this.expand(index);
    return {
      name: this.scratch.toString('latin1', 1, length),
      address: this.addresses.at(index),
      kind: this.scratch.toString('latin1', 0, 1),
    };
  }

  private index(name: string): number {
    const wanted = Buffer.from(name, 'latin1');
    if (this.sequence && !this.table && this.searches < SEARCHES) {
      if (this.searches++ > 0 || this.isOrdered()) return this.search(wanted);
      this.sequence = undefined;
    }
    for (const index of this.hashed(wanted)) return index;
    return -1;
  }

  /** By the kernel's own order (kernel/kallsyms.c, kallsyms_lookup_names): the first symbol with the name, or -1. */
  private search(wanted: Buffer): number {
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(this.ranked(middle), wanted) < 0) low = middle + 1;
      else high = middle;
    }
    if (low === this.size) return -1;
    const index = this.ranked(low);
    return this.compare(index, wanted) === 0 ? index : -1;
  }

  /** The symbol at a rank of the order by name; kallsyms_seqs_of_names has big-endian numbers of 3 bytes. */
  private ranked(rank: number): number {
    const bytes = this.sequence as Buffer;
    const index = bytes.readUIntBE(3 * rank, 3);
    if (index >= this.size) throw new KallsymsError(`kallsyms order by name has symbol ${index} of ${this.size}`);
    return index;
  }

  private compare(index: number, wanted: Buffer): number {
    const length = this.expand(index);
    return this.scratch.compare(wanted, 0, wanted.length, 1, length);
  }

  /** Looks at some neighbours: the order is one by bytes (kernels built by clang leave suffixes out) and whole. */
  private isOrdered(): boolean {
    const bytes = this.sequence as Buffer;
    const step = Math.max(1, Math.floor((this.size - 1) / SAMPLES));
    for (let rank = 0; rank + 1 < this.size; rank += step) {
      const [one, other] = [bytes.readUIntBE(3 * rank, 3), bytes.readUIntBE(3 * rank + 3, 3)];
      if (one >= this.size || other >= this.size) return false;
      const length = this.expand(one);
      if (this.compare(other, Buffer.from(this.scratch.subarray(1, length))) < 0) return false;
    }
    return true;
  }

  /** Symbols with a name, in the order of the table. */
  private *hashed(wanted: Buffer): Generator<number> {
    const { heads, next, hashes } = (this.table ??= this.hashNames());
    const hash = hashName(wanted, 0, wanted.length);
    const slot = spread(hash) & (heads.length - 1);
    for (let entry = heads[slot] as number; entry !== 0; entry = next[entry - 1] as number) {
      const index = entry - 1;
      if (hashes[index] === hash && this.compare(index, wanted) === 0) yield index;
    }
  }

  /**
   * Hashes the names as they are compressed; the letter of the kind, with which the first token begins, is left out. Chains are made
   * from the last symbol to the first, so that symbols of one name are found in the order of the table.
   */
  private hashNames(): NameTable {
    const { names, starts, size } = this;
    const { hashes: tokenHashes, tailHashes, factors } = this.tokens;
    let slots = 16;
    while (slots < size) slots *= 2;
    const heads = new Int32Array(slots);
    const next = new Int32Array(size);
    const hashes = new Int32Array(size);
    for (let index = size - 1; index >= 0; index--) {
      let at = starts[index] as number;
      let length = names[at++] as number;
      if (length >= 0x80) length = (length & 0x7f) | ((names[at++] as number) << 7);
      const end = at + length;
      let hash = tailHashes[names[at++] as number] as number;
      while (at < end) {
        const token = names[at++] as number;
        hash = (Math.imul(hash, factors[token] as number) + (tokenHashes[token] as number)) | 0;
      }
      hashes[index] = hash;
      const slot = spread(hash) & (slots - 1);
      next[index] = heads[slot] as number;
      heads[slot] = index + 1;
    }
    return { heads, next, hashes };
  }

  /** The name with its letter, expanded into `scratch`; returns its bytes. */
  private expand(index: number): number {
    const { names, tokens, scratch } = this;
    let at = this.starts[index] as number;
    let count = names[at++] as number;
    if (count >= 0x80) count = (count & 0x7f) | ((names[at++] as number) << 7);
    const end = at + count;
    let length = 0;
    while (at < end && length < LONGEST_NAME) {
      const token = names[at++] as number;
      let from = tokens.starts[token] as number;
      const stop = Math.min(from + (tokens.lengths[token] as number), from + LONGEST_NAME - length);
      while (from < stop) scratch[length++] = tokens.bytes[from++] as number;
    }
    return length;
  }
}

/** Chains of symbols, by their number plus one; 0 ends a chain. */
interface NameTable {
  readonly heads: Int32Array;
  readonly next: Int32Array;
  readonly hashes: Int32Array;
}

/** Multiplied, since similar names have similar polynomials. */
function spread(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13);
}

function addressesOf({ addresses, count, bits, relativeBase, place }: KallsymsBytes): KallsymsAddresses {
  const offsets = relativeBase !== undefined || place !== undefined;
  const needed = offsets ? count * 4 : (count * bits) / 8;
  if (addresses.length < needed) throw new KallsymsError('kallsyms addresses are cut short');
  if (!offsets) return new AbsoluteAddresses(addresses.subarray(0, needed), bits);
  const { buffer, byteOffset } = addresses.byteOffset % 4 === 0 ? addresses : new Uint8Array(addresses);
  const numbers = new Int32Array(buffer, byteOffset, count);
  return place === undefined
    ? new RelativeAddresses(numbers, relativeBase as bigint, bits)
    : new PlaceAddresses(numbers, place, bits);
}

/**
 * Decodes tables whose place is known: found by `findKallsyms`, now or in a session before.
 * @throws {KallsymsError} when what is there is no kallsyms, or not all of it is in the image
 */
export function openKallsyms(physical: PhysicalSpace, tables: KallsymsTables): Kallsyms {
  const { bits, count, markerBytes, relativeBase, place, sequence } = tables;
  if (!(Number.isInteger(count) && count > 0 && count <= MAX_SYMBOLS))
    throw new KallsymsError(`kallsyms of ${count} symbols`);
  const read = (what: string, at: number, length: number): Buffer => {
    const bytes = length <= 64 * MAX_SYMBOLS ? readPhysical(physical, at, length) : undefined;
    if (!bytes)
      throw new KallsymsError(
        `kallsyms ${what}: ${length} bytes at physical 0x${at.toString(16)} are not in the image`,
      );
    return bytes;
  };
  const base = relativeBase === undefined ? undefined : read('base', relativeBase, bits / 8);
  return new Kallsyms({
    bits,
    count,
    names: read('names', tables.names, tables.namesLength),
    markers: read('markers', tables.markers, Math.ceil(count / MARKED) * markerBytes),
    markerBytes,
    tokenTable: read('tokens', tables.tokenTable, Math.min(MAX_TOKEN_TABLE * 2, tables.tokenIndex - tables.tokenTable)),
    tokenIndex: read('token index', tables.tokenIndex, INDEX_BYTES),
    addresses: read('addresses', tables.addresses, base || place !== undefined ? count * 4 : (count * bits) / 8),
    ...(base && { relativeBase: bits === 64 ? base.readBigUInt64LE(0) : BigInt(base.readUInt32LE(0)) }),
    ...(place !== undefined && { place: BigInt(place) }),
    ...(sequence !== undefined && { sequence: read('order', sequence, 3 * count) }),
  });
}
