import { BtfError, countTypes, Kind, splitBlob, typeWords } from './format.js';

const NAMED = (1 << Kind.Struct) | (1 << Kind.Union) | (1 << Kind.Enum) | (1 << Kind.Enum64) | (1 << Kind.Typedef);

/**
 * A BTF blob, indexed: where each type stands, and a hash table of the names of its structs, unions, enumerations and typedefs, made
 * when the first name is looked up. With a base, ids and string offsets continue the base's (Documentation/bpf/btf.rst, split BTF).
 */
export class BtfBlob {
  /** the id of the first type of this blob: 1, or one past the base's last */
  readonly firstId: number;
  /** one past the last id */
  readonly endId: number;
  /** string offsets below this are the base's */
  private readonly firstString: number;
  private readonly stringEnd: number;
  private readonly words: Uint32Array;
  private readonly strings: Buffer;
  /** word at which type `firstId + i` begins */
  private readonly starts: Uint32Array;
  private table: Int32Array | undefined;
  private mask = 0;

  /** @throws {BtfError} when the types do not fill their section */
  constructor(
    blob: Buffer,
    readonly base?: BtfBlob,
  ) {
    const { words, strings } = splitBlob(blob);
    const count = countTypes(words);
    if (typeof count === 'string') throw new BtfError(`BTF is not sound: ${count}`);
    this.words = words;
    this.strings = strings;
    this.firstId = base ? base.endId : 1;
    this.endId = this.firstId + count;
    this.firstString = base ? base.stringEnd : 0;
    this.stringEnd = this.firstString + strings.length;
    const starts = new Uint32Array(count);
    for (let i = 0, at = 0; i < count; i++) {
      starts[i] = at;
      at += typeWords(words[at + 1] as number);
    }
    this.starts = starts;
  }

  /** Sizes that a split BTF on this one continues, for {@link verifyBtf}. */
  get extent(): { types: number; strings: number } {
    return { types: this.endId, strings: this.stringEnd };
  }

  /** The blob, this or a base, that holds a type. @throws {BtfError} when there is no such type */
  holder(id: number): BtfBlob {
    if (id >= this.firstId) {
      if (id < this.endId) return this;
    } else if (this.base && id > 0) return this.base.holder(id);
    throw new BtfError(`BTF type ${id} does not exist`);
  }

  /** The word at `index` of a type: 0 name_off, 1 info, 2 size or type, then what the kind has. */
  word(id: number, index: number): number {
    return this.words[(this.starts[id - this.firstId] as number) + index] as number;
  }

  /** The string at an offset; empty where there is none. Names are bytes: shown as latin1. */
  text(offset: number): string {
    if (offset < this.firstString) return this.base ? this.base.text(offset) : '';
    const start = offset - this.firstString;
    if (start >= this.strings.length) return '';
    const end = this.strings.indexOf(0, start);
    return this.strings.toString('latin1', start, end < 0 ? this.strings.length : end);
  }

  /** Ids of this blob (not its base) of the given kinds (a bit per kind) with a name, in order. */
  *named(name: string, kinds: number): Generator<number> {
    const table = this.table ?? this.hashNames();
    if (name.includes('\0')) return;
    const wanted = Buffer.from(name, 'latin1');
    for (let slot = hashBytes(wanted, 0) & this.mask; table[slot] !== 0; slot = (slot + 1) & this.mask) {
      const id = table[slot] as number;
      if ((kinds >>> ((this.word(id, 1) >>> 24) & 0x1f)) & 1 && this.hasName(id, wanted)) yield id;
    }
  }

  /** The first of {@link named}, or 0. */
  first(name: string, kinds: number): number {
    for (const id of this.named(name, kinds)) return id;
    return 0;
  }

  private hasName(id: number, wanted: Buffer): boolean {
    const offset = this.word(id, 0);
    if (offset < this.firstString)
      return this.base !== undefined && this.base.text(offset) === wanted.toString('latin1');
    const { strings } = this;
    const start = offset - this.firstString;
    for (let i = 0; i < wanted.length; i++) if (strings[start + i] !== wanted[i]) return false;
    return strings[start + wanted.length] === 0;
  }

  /** Open addressing, never removed from: types of one name are found in the order of their ids. */
  private hashNames(): Int32Array {
    const { words, starts, strings, firstString } = this;
    let count = 0;
    for (let i = 0; i < starts.length; i++) {
      const at = starts[i] as number;
      if (words[at] !== 0 && (NAMED >>> (((words[at + 1] as number) >>> 24) & 0x1f)) & 1) count++;
    }
    let slots = 16;
    while (slots < count * 2) slots *= 2;
    const mask = slots - 1;
    const table = new Int32Array(slots);
    for (let i = 0; i < starts.length; i++) {
      const at = starts[i] as number;
      const name = words[at] as number;
      if (name === 0 || ((NAMED >>> (((words[at + 1] as number) >>> 24) & 0x1f)) & 1) === 0) continue;
      let slot =
        (name >= firstString
          ? hashBytes(strings, name - firstString)
          : hashBytes(Buffer.from(this.text(name), 'latin1'), 0)) & mask;
      while (table[slot] !== 0) slot = (slot + 1) & mask;
      table[slot] = this.firstId + i;
    }
    this.mask = mask;
    return (this.table = table);
  }
}

/** FNV-1a up to a NUL or the end. */
function hashBytes(bytes: Buffer, start: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (byte === 0) break;
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash ^ (hash >>> 15);
}
