import { BtfError, Kind, LAST_KIND, splitBlob, typeWords } from './format.js';

const NAMED = (1 << Kind.Struct) | (1 << Kind.Union) | (1 << Kind.Enum) | (1 << Kind.Enum64) | (1 << Kind.Typedef);
/** Bytes of a name that are shown and hashed: the kernel's are shorter than 512 (KSYM_NAME_LEN). */
const LONGEST_NAME = 1024;

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
  /** types of this blob, by their place in `starts`, whose names are looked up */
  private readonly withNames: Uint32Array;
  private table: NameTable | undefined;

  /** @throws {BtfError} when the types do not fill their section */
  constructor(
    blob: Buffer,
    readonly base?: BtfBlob,
  ) {
    const { words, strings } = splitBlob(blob);
    // As long as they can be; the parts that stay empty are never touched and cost nothing.
    const starts = new Uint32Array(words.length / 3);
    const withNames = new Uint32Array(words.length / 3);
    let count = 0;
    let names = 0;
    let at = 0;
    while (at + 3 <= words.length) {
      const info = words[at + 1] as number;
      const kind = (info >>> 24) & 0x1f;
      if (kind === 0 || kind > LAST_KIND) throw new BtfError(`BTF is not sound: unknown kind ${kind} at word ${at}`);
      if ((NAMED >>> kind) & 1 && words[at] !== 0) withNames[names++] = count;
      starts[count++] = at;
      at += typeWords(info);
    }
    if (at !== words.length) throw new BtfError('BTF is not sound: its last type does not end with the type section');
    this.words = words;
    this.strings = strings;
    this.starts = starts.slice(0, count);
    this.withNames = withNames.slice(0, names);
    this.firstId = base ? base.endId : 1;
    this.endId = this.firstId + count;
    this.firstString = base ? base.stringEnd : 0;
    this.stringEnd = this.firstString + strings.length;
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

  /** The string at an offset, cut where it is longer than a name; empty where there is none. Bytes are shown as latin1. */
  text(offset: number): string {
    if (offset < this.firstString) return this.base ? this.base.text(offset) : '';
    const start = offset - this.firstString;
    const { strings } = this;
    let end = start;
    const limit = Math.min(strings.length, start + LONGEST_NAME);
    while (end < limit && strings[end] !== 0) end++;
    return strings.toString('latin1', start, end);
  }

  /** Ids of this blob (not its base) of the given kinds (a bit per kind) with a name, in order. */
  *named(name: string, kinds: number): Generator<number> {
    const { heads, next } = (this.table ??= this.hashNames());
    if (name.includes('\0')) return;
    const wanted = Buffer.from(name, 'latin1');
    const slot = hashBytes(wanted, 0) & (heads.length - 1);
    for (let entry = heads[slot] as number; entry !== 0; entry = next[entry - 1] as number) {
      const id = this.firstId + (this.withNames[entry - 1] as number);
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

  /** Chains, made from the last type to the first: types of one name are found in the order of their ids. */
  private hashNames(): NameTable {
    const { words, starts, strings, firstString, withNames } = this;
    let slots = 16;
    while (slots < withNames.length) slots *= 2;
    const heads = new Int32Array(slots);
    const next = new Int32Array(withNames.length);
    for (let entry = withNames.length; entry > 0; entry--) {
      const name = words[starts[withNames[entry - 1] as number] as number] as number;
      const hash =
        name >= firstString
          ? hashBytes(strings, name - firstString)
          : hashBytes(Buffer.from(this.text(name), 'latin1'), 0);
      const slot = hash & (slots - 1);
      next[entry - 1] = heads[slot] as number;
      heads[slot] = entry;
    }
    return { heads, next };
  }
}

/** Chains of named types, by their number in `withNames` plus one; 0 ends a chain. */
interface NameTable {
  readonly heads: Int32Array;
  readonly next: Int32Array;
}

/** FNV-1a up to a NUL or the end. */
function hashBytes(bytes: Buffer, start: number): number {
  const end = Math.min(bytes.length, start + LONGEST_NAME);
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === 0) break;
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash ^ (hash >>> 15);
}
