import { NameIn, type Die } from '../dwarf/die.js';
import type { EntryUnit } from '../dwarf/entries.js';
import { damaged } from '../dwarf/error.js';

/** What text says of an entry. */
export interface TextAttributes {
  name?: string | undefined;
  /** ids of other entries */
  type?: number | undefined;
  specification?: number | undefined;
  byteSize?: number | undefined;
  memberLocation?: number | undefined;
  bitSize?: number | undefined;
  bitOffset?: number | undefined;
  dataBitOffset?: number | undefined;
  upperBound?: number | undefined;
  count?: number | undefined;
  encoding?: number | undefined;
  constant?: bigint | undefined;
  declaration?: boolean;
  external?: boolean;
  location?: bigint | undefined;
}

interface TextEntry extends TextAttributes {
  /** 0: the end of a list of siblings */
  readonly tag: number;
  children: boolean;
  /** position behind all that is below */
  behind: number;
}

/** A unit as a dwarfdump program prints it: entries with the level they stand at. Positions count entries. */
export class TextUnit implements EntryUnit {
  readonly header: EntryUnit['header'];
  private readonly entries: TextEntry[] = [];
  private readonly positions = new Map<number, number>();
  /** positions of the entries that the next one may be below of */
  private readonly open: number[] = [];

  constructor(addressSize: number) {
    this.header = { start: 0, headerLength: 0, addressSize };
  }

  get end(): number {
    return this.entries.length;
  }

  /** Adds the next entry. Attributes may be put into it until the next one comes. */
  add(level: number, id: number, tag: number): TextAttributes {
    while (this.open.length > Math.max(level, 0)) this.closeLast();
    const above = this.open.at(-1);
    if (above !== undefined) (this.entries[above] as TextEntry).children = true;
    const position = this.entries.length;
    const entry: TextEntry = { tag, children: false, behind: position + 1 };
    this.entries.push(entry);
    this.positions.set(id, position);
    this.open.push(position);
    return entry;
  }

  /** No more entries come. @returns whether there are any */
  close(): boolean {
    while (this.open.length > 0) this.closeLast();
    return this.entries.length > 0;
  }

  decode(position: number, die: Die): void {
    const entry = this.entries[position];
    if (!entry) throw damaged('a reference to an entry that is not there');
    die.clear();
    die.tag = entry.tag;
    die.children = entry.children;
    die.next = position + 1;
    die.sibling = entry.behind;
    // Text, numbers and addresses stand at the entry's own position.
    if (entry.name !== undefined) {
      die.nameIn = NameIn.Unit;
      die.nameAt = position;
    }
    if (entry.constant !== undefined) die.constForm = 1;
    die.constAt = position;
    if (entry.location !== undefined) die.locationAt = position;
    die.type = this.positionOf(entry.type);
    die.specification = this.positionOf(entry.specification);
    die.byteSize = entry.byteSize ?? -1;
    die.memberLocation = entry.memberLocation ?? -1;
    die.bitSize = entry.bitSize ?? -1;
    die.hasBitOffset = entry.bitOffset !== undefined;
    die.bitOffset = entry.bitOffset ?? 0;
    die.dataBitOffset = entry.dataBitOffset ?? -1;
    die.upperBound = entry.upperBound ?? -1;
    die.count = entry.count ?? -1;
    die.encoding = entry.encoding ?? 0;
    die.declaration = entry.declaration ?? false;
    die.external = entry.external ?? false;
  }

  behind(die: Die): number {
    return die.children ? die.sibling : die.next;
  }

  name(die: Die): string {
    return die.nameIn === NameIn.Nowhere ? '' : (this.entries[die.nameAt]?.name ?? '');
  }

  constant(die: Die): bigint | undefined {
    return die.constForm === 0 ? undefined : this.entries[die.constAt]?.constant;
  }

  address(die: Die): bigint | undefined {
    return die.locationAt < 0 ? undefined : this.entries[die.locationAt]?.location;
  }

  private positionOf(id: number | undefined): number {
    return id === undefined ? -1 : (this.positions.get(id) ?? -1);
  }

  private closeLast(): void {
    const entry = this.entries[this.open.pop() as number] as TextEntry;
    if (entry.children) this.entries.push({ tag: 0, children: false, behind: this.entries.length + 1 });
    entry.behind = this.entries.length;
  }
}
