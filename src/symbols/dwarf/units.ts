import type { Bytes } from '../elf/bytes.js';
import { readAbbreviations, type Abbreviation } from './abbrev.js';
import { UnitType } from './constants.js';
import type { EntryUnits } from './entries.js';
import { damaged } from './error.js';
import type { UnitHeader } from './forms.js';
import type { DebugSections } from './sections.js';
import { Unit } from './unit.js';

/** Tables of abbreviations and units that are kept: neighbours share tables, and refer to each other after LTO or dwz. */
const KEPT = 8;
/** A unit has 50 kB to some MB. */
const LARGEST_UNIT = 512 * 1024 * 1024;

/** The units of .debug_info and .debug_types, read one at a time. */
export class Units implements EntryUnits {
  /** in the order of the file; offsets of .debug_types follow those of .debug_info */
  readonly headers: readonly UnitHeader[];
  private readonly signatures = new Map<bigint, number>();
  private readonly tables = new Map<number, ReadonlyMap<number, Abbreviation>>();
  private readonly kept = new Map<number, Unit>();

  /** @throws ProfileError where a unit runs beyond its section */
  constructor(private readonly sections: DebugSections) {
    this.headers = sections.parts.flatMap(({ bytes, start, types }) => [...readHeaders(bytes, start, types)]);
    for (const header of this.headers) {
      if (header.signature !== undefined) this.signatures.set(header.signature, header.start + (header.typeOffset ?? 0));
    }
  }

  open(header: UnitHeader): Unit {
    const known = this.kept.get(header.start);
    if (known) return known;
    const unit = new Unit(header, this.bytes(header), this.table(header.abbrevOffset), this.sections, (signature) => this.signatures.get(signature) ?? -1);
    remember(this.kept, header.start, unit);
    return unit;
  }

  /** The unit that holds an offset. @throws ProfileError */
  at(offset: number): Unit {
    let low = 0;
    let high = this.headers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.headers[middle] as UnitHeader).start <= offset) low = middle + 1;
      else high = middle;
    }
    const header = this.headers[low - 1];
    if (!header || offset < header.start + header.headerLength || offset >= header.start + header.length) {
      throw damaged(`a reference to offset 0x${offset.toString(16)}, where no unit has an entry`);
    }
    return this.open(header);
  }

  private bytes({ start, length }: UnitHeader): Buffer {
    const part = this.sections.parts.findLast((candidate) => candidate.start <= start);
    if (!part) throw damaged('a unit outside every section');
    return part.bytes.read(start - part.start, length);
  }

  private table(offset: number): ReadonlyMap<number, Abbreviation> {
    const known = this.tables.get(offset);
    if (known) return known;
    const table = readAbbreviations(this.sections.abbrev, offset);
    remember(this.tables, offset, table);
    return table;
  }
}

/** Keeps the last few. */
function remember<T>(map: Map<number, T>, key: number, value: T): void {
  if (map.size >= KEPT) for (const oldest of map.keys()) if (map.delete(oldest)) break;
  map.set(key, value);
}

/** The header of every unit of a section (DWARF 5, section 7.5.1; in versions 2 to 4 the abbreviations' offset comes first). */
function* readHeaders(section: Bytes, base: number, types: boolean): Generator<UnitHeader> {
  for (let at = 0; at + 11 <= section.size;) {
    const head = section.read(at, Math.min(48, section.size - at));
    const wide = head.readUInt32LE(0) === 0xffffffff;
    const offsetSize = wide ? 8 : 4;
    const lengthSize = wide ? 12 : 4;
    const length = lengthSize + (wide ? Number(head.readBigUInt64LE(4)) : head.readUInt32LE(0));
    const version = head.readUInt16LE(lengthSize);
    if (length === lengthSize) {
      // Padding between units.
      at += length;
      continue;
    }
    if (length > section.size - at || length > LARGEST_UNIT) throw damaged(`the unit at 0x${at.toString(16)} runs beyond its section`);
    if (version < 2 || version > 5) throw damaged(`the unit at 0x${at.toString(16)} is of DWARF version ${version}`);
    const padded = Buffer.alloc(64);
    head.copy(padded);
    const number = (from: number): number => (wide ? Number(padded.readBigUInt64LE(from)) : padded.readUInt32LE(from));
    let next = lengthSize + 2;
    let kind = types ? UnitType.Type : 0;
    if (version >= 5) kind = padded.readUInt8(next);
    const addressSize = padded.readUInt8(version >= 5 ? next + 1 : next + offsetSize);
    const abbrevOffset = number(version >= 5 ? next + 2 : next);
    next += offsetSize + (version >= 5 ? 2 : 1);
    const typed = kind === UnitType.Type || kind === UnitType.SplitType;
    const signature = typed ? padded.readBigUInt64LE(next) : undefined;
    const typeOffset = typed ? number(next + 8) : undefined;
    if (typed) next += 8 + offsetSize;
    else if (kind === UnitType.Skeleton || kind === UnitType.SplitCompile) next += 8;
    yield {
      start: base + at,
      length,
      headerLength: next,
      version,
      offsetSize,
      addressSize,
      abbrevOffset,
      ...(signature === undefined ? {} : { signature }),
      ...(typeOffset === undefined ? {} : { typeOffset }),
    };
    at += length;
  }
}
