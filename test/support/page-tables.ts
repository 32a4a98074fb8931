import { PAGE_SIZE } from '../../src/memory/page.js';
import type { PagingKind } from '../../src/memory/paging/create.js';
import type { Frames } from './frames.js';

/** How a page is mapped. What is left out is true for `present` and `writable`, false otherwise. */
export interface MapFlags {
  readonly present?: boolean;
  readonly writable?: boolean;
  readonly user?: boolean;
  readonly global?: boolean;
  readonly noExecute?: boolean;
  readonly accessed?: boolean;
  readonly dirty?: boolean;
  /** bytes: 4096, or a size that the architecture has */
  readonly pageSize?: number;
}

/** Written from the manuals and apart from src/memory/paging, so that tests compare two readings of them. */
interface Format {
  readonly entrySize: 4 | 8;
  /** lowest address bit of each level's index, top first, and how many bits the index has */
  readonly shifts: readonly (readonly [shift: bigint, bits: bigint])[];
  readonly top: number;
  table(physical: number, level: number): bigint;
  leaf(physical: number, flags: MapFlags, size: number, upper: boolean): bigint;
}

const bit = (set: boolean | undefined, position: bigint): bigint => (set === true ? 1n << position : 0n);

function x86Leaf(physical: number, flags: MapFlags, size: number): bigint {
  return (
    BigInt(physical) |
    bit(flags.present ?? true, 0n) |
    bit(flags.writable ?? true, 1n) |
    bit(flags.user, 2n) |
    bit(flags.accessed, 5n) |
    bit(flags.dirty, 6n) |
    bit(size > PAGE_SIZE, 7n) |
    bit(flags.global, 8n) |
    bit(flags.noExecute, 63n)
  );
}

const nine = (...shifts: bigint[]): [bigint, bigint][] => shifts.map((shift) => [shift, 9n]);
/** present, writable, user: leaves decide */
const x86Table = (physical: number): bigint => BigInt(physical) | 7n;

const formats: Readonly<Record<PagingKind, Format>> = {
  amd64: { entrySize: 8, shifts: nine(39n, 30n, 21n, 12n), top: PAGE_SIZE, table: x86Table, leaf: x86Leaf },
  'amd64-la57': { entrySize: 8, shifts: nine(48n, 39n, 30n, 21n, 12n), top: PAGE_SIZE, table: x86Table, leaf: x86Leaf },
  i386: {
    entrySize: 4,
    shifts: [[22n, 10n], [12n, 10n]],
    top: PAGE_SIZE,
    table: x86Table,
    // PSE-36: address bits 32 to 39 of a 4 MiB page stand in bits 13 to 20.
    leaf: (physical, flags, size) => x86Leaf(physical % 2 ** 32, { ...flags, noExecute: false }, size) | (BigInt(Math.floor(physical / 2 ** 32)) << 13n),
  },
  'i386-pae': {
    entrySize: 8,
    shifts: [[30n, 2n], [21n, 9n], [12n, 9n]],
    top: 32,
    // The four entries of the top level have no rights: only the present bit.
    table: (physical, level) => BigInt(physical) | (level === 0 ? 1n : 7n),
    leaf: x86Leaf,
  },
  arm64: {
    entrySize: 8,
    shifts: nine(39n, 30n, 21n, 12n),
    top: PAGE_SIZE,
    table: (physical) => BigInt(physical) | 3n,
    leaf: (physical, flags, size, upper) =>
      BigInt(physical) |
      bit(flags.present ?? true, 0n) |
      bit(size === PAGE_SIZE, 1n) |
      bit(flags.user, 6n) |
      bit(!(flags.writable ?? true), 7n) |
      bit(flags.accessed ?? true, 10n) |
      bit(!(flags.global ?? false), 11n) |
      // UXN; PXN: what user code may run the kernel may not, and the other way round
      bit(flags.noExecute === true || upper, 54n) |
      bit(flags.noExecute === true || !upper, 53n),
  },
};

/** Page tables that grow as pages are mapped. */
export class PageTables {
  private readonly format: Format;
  /** physical address of the top table */
  readonly root: number;
  /** arm64: of the user half's (TTBR0); otherwise the same */
  readonly userRoot: number;

  constructor(
    readonly kind: PagingKind,
    private readonly frames: Frames,
  ) {
    this.format = formats[kind];
    // PAE's top table is 32 bytes long and seldom at the start of a page.
    this.root = this.newTable() + (this.format.top === 32 ? 0xa40 : 0);
    this.userRoot = kind === 'arm64' ? this.newTable() : this.root;
  }

  /** Maps one page of the size that the flags state; both addresses aligned to it. */
  map(virtual: bigint, physical: number, flags: MapFlags = {}): void {
    const size = flags.pageSize ?? PAGE_SIZE;
    const level = this.format.shifts.findIndex(([shift]) => 1n << shift === BigInt(size));
    if (level < 0) throw new RangeError(`${this.kind} has no pages of ${size} bytes`);
    if (virtual % BigInt(size) !== 0n || physical % size !== 0) throw new RangeError('not aligned to its size');
    this.setEntry(virtual, level, this.format.leaf(physical, flags, size, this.upper(virtual)));
  }

  /** Writes an entry as it is, with tables above it as needed. Levels count from 0, the top. */
  setEntry(virtual: bigint, level: number, entry: bigint): void {
    this.writeEntry(this.entryAddress(virtual, level), entry);
  }

  /** Physical address of the entry of an address at a level; makes the tables above it. */
  entryAddress(virtual: bigint, level: number): number {
    let table = this.upper(virtual) ? this.root : this.userRoot;
    for (let above = 0; ; above++) {
      const [shift, bits] = this.format.shifts[above] as readonly [bigint, bigint];
      const at = table + Number((BigInt.asUintN(64, virtual) >> shift) & ((1n << bits) - 1n)) * this.format.entrySize;
      if (above === level) return at;
      const entry = this.readEntry(at);
      if ((entry & 1n) !== 0n) table = Number(entry & 0xffffffffff000n);
      else {
        table = this.newTable();
        this.writeEntry(at, this.format.table(table, above));
      }
    }
  }

  private upper(virtual: bigint): boolean {
    return virtual >= 1n << 63n || this.kind !== 'arm64';
  }

  private newTable(): number {
    const number = this.frames.fresh();
    this.frames.frame(number);
    return number * PAGE_SIZE;
  }

  private readEntry(at: number): bigint {
    const bytes = this.frames.frame(Math.floor(at / PAGE_SIZE));
    return this.format.entrySize === 8 ? bytes.readBigUInt64LE(at % PAGE_SIZE) : BigInt(bytes.readUInt32LE(at % PAGE_SIZE));
  }

  private writeEntry(at: number, entry: bigint): void {
    const bytes = this.frames.frame(Math.floor(at / PAGE_SIZE));
    if (this.format.entrySize === 8) bytes.writeBigUInt64LE(BigInt.asUintN(64, entry), at % PAGE_SIZE);
    else bytes.writeUInt32LE(Number(BigInt.asUintN(32, entry)), at % PAGE_SIZE);
  }
}
