import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LinuxKernel } from '../../src/kernel/linux/kernel.js';
import { PAGE_SIZE } from '../../src/memory/page.js';
import { createPagedSpace, type PagingKind } from '../../src/memory/paging/create.js';
import type { PagedSpace } from '../../src/memory/paging/paged.js';
import { PhysicalSpace } from '../../src/memory/physical.js';
import type { Struct } from '../../src/object/struct.js';
import { Profile } from '../../src/symbols/profile.js';
import type { KernelSymbol, SymbolSource } from '../../src/symbols/types.js';
import { temporary } from './folder.js';
import { Frames } from './frames.js';
import { encode, type FieldValue, type LiteralTypes, LiteralTypeSource } from './literal-types.js';
import { type MapFlags, PageTables } from './page-tables.js';

export type { FieldValue, LiteralTypes } from './literal-types.js';
export type { MapFlags } from './page-tables.js';

export interface FakeImageOptions {
  readonly paging?: PagingKind;
  /** structs, see {@link LiteralTypes}; list_head, hlist_*, llist_* and rb_* are there already */
  readonly types?: LiteralTypes;
}

/** Where {@link FakeImage.place} puts things: the direct map of a kernel without KASLR. */
const HEAPS: Readonly<Record<PagingKind, bigint>> = {
  amd64: 0xffff888000100000n,
  'amd64-la57': 0xff11000000100000n,
  i386: 0xc1000000n,
  'i386-pae': 0xc1000000n,
  arm64: 0xffff000000100000n,
};

/**
 * A memory image made by hand: physical frames, real page tables, and structs in them, so that a walker or a plugin is
 * tested without a dump.
 *
 *     const image = new FakeImage({ types: { task_struct: [64, { pid: [0, 'int'], comm: [8, ['array', 16, 'char']], tasks: [24, 'list_head'] }] } });
 *     const a = image.place('task_struct', { pid: 1, comm: 'init' });
 *     const b = image.place('task_struct', { pid: 7, comm: 'bash', tasks: { next: a + 24n, prev: a + 24n } });
 *     image.set('task_struct', a, { tasks: { next: b + 24n, prev: b + 24n } });
 *     image.symbol('init_task', a);
 *     const kernel = image.kernel();            // or image.space(), image.physical(), image.writeElf()
 *
 * What is written after `physical()`, `space()` or `kernel()` was called is not seen by what they returned.
 */
export class FakeImage {
  readonly paging: PagingKind;
  readonly frames = new Frames();
  readonly tables: PageTables;
  readonly types: LiteralTypeSource;
  private readonly symbols = new Map<string, bigint>();
  /** virtual page → physical address of its bytes */
  private readonly mapped = new Map<bigint, number>();
  private readonly large: { readonly virtual: bigint; readonly physical: number; readonly size: number }[] = [];
  private heap: bigint;

  constructor({ paging = 'amd64', types = {} }: FakeImageOptions = {}) {
    this.paging = paging;
    this.tables = new PageTables(paging, this.frames);
    this.types = new LiteralTypeSource(types, paging.startsWith('i386') ? 4 : 8);
    this.heap = HEAPS[paging];
  }

  /** Physical address of the top page table. */
  get dtb(): number {
    return this.tables.root;
  }

  /** Maps a page; without a physical address onto fresh frames. Returns the physical address. */
  map(virtual: bigint, physical?: number, flags: MapFlags = {}): number {
    const size = flags.pageSize ?? PAGE_SIZE;
    const pages = size / PAGE_SIZE;
    const first = physical === undefined ? this.frames.fresh(pages) : physical / PAGE_SIZE;
    this.frames.reserve(first, pages);
    this.tables.map(virtual, first * PAGE_SIZE, flags);
    if (pages === 1) this.mapped.set(virtual, first * PAGE_SIZE);
    else this.large.push({ virtual, physical: first * PAGE_SIZE, size });
    return first * PAGE_SIZE;
  }

  /** Writes bytes at a virtual address; pages that are not mapped yet are mapped onto fresh frames. */
  write(virtual: bigint, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const at = virtual + BigInt(done);
      const offset = Number(at & 0xfffn);
      const part = bytes.subarray(done, done + PAGE_SIZE - offset);
      const physical = this.behind(at - BigInt(offset)) ?? this.map(at - BigInt(offset));
      this.frames.write(physical + offset, part);
      done += part.length;
    }
  }

  /** Writes text and a NUL. */
  string(virtual: bigint, text: string): void {
    this.write(virtual, Buffer.from(`${text}\0`, 'utf8'));
  }

  /** Writes a pointer, of this architecture's width. */
  pointer(virtual: bigint, value: bigint): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
    this.write(virtual, bytes.subarray(0, this.types.pointerSize));
  }

  /** Takes room in the kernel's part of the address space and returns its address. */
  room(bytes: number, alignment = 16): bigint {
    const at = ((this.heap + BigInt(alignment) - 1n) / BigInt(alignment)) * BigInt(alignment);
    this.heap = at + BigInt(bytes);
    this.write(at, Buffer.alloc(bytes));
    return at;
  }

  /** Makes a struct in fresh room and returns its address. */
  place(struct: string, values: Readonly<Record<string, FieldValue>> = {}, alignment = 16): bigint {
    const at = this.room(this.sizeOf(struct), alignment);
    this.set(struct, at, values);
    return at;
  }

  /** Writes members of the struct at an address; the others stay as they are. */
  set(struct: string, virtual: bigint, values: Readonly<Record<string, FieldValue>>): void {
    const bytes = this.read(virtual, this.sizeOf(struct));
    encode(this.types, { kind: 'struct', name: struct }, values, bytes, 0);
    this.write(virtual, bytes);
  }

  /** Joins list_heads to a circle, in the order given. */
  link(...heads: readonly bigint[]): void {
    for (const [index, head] of heads.entries()) {
      const next = heads[(index + 1) % heads.length] as bigint;
      const prev = heads[(index + heads.length - 1) % heads.length] as bigint;
      this.set('list_head', head, { next, prev });
    }
  }

  symbol(name: string, address: bigint): void {
    this.symbols.set(name, address);
  }

  physical(blockSize = PAGE_SIZE): PhysicalSpace {
    return new PhysicalSpace(this.frames.image(blockSize));
  }

  /** The address space behind the tables, as Linux would see it. */
  space(physical = this.physical()): PagedSpace {
    return createPagedSpace(this.paging, physical, this.dtb, { name: 'fake', os: 'linux', userDtb: this.tables.userRoot });
  }

  profile(): Profile {
    const symbols: KernelSymbol[] = [...this.symbols].map(([name, address]) => ({ name, address, kind: 'D' }));
    symbols.sort((a, b) => (a.address < b.address ? -1 : 1));
    const source: SymbolSource = {
      address: (name) => this.symbols.get(name),
      all: (name) => symbols.filter((symbol) => symbol.name === name).map((symbol) => symbol.address),
      nearest: (address) => {
        const symbol = symbols.findLast((one) => one.address <= address);
        return symbol && { symbol, distance: address - symbol.address };
      },
      symbols: () => symbols,
      size: symbols.length,
    };
    const arch = this.paging === 'arm64' ? 'ARM64' : this.paging.startsWith('i386') ? 'I386' : 'AMD64';
    return new Profile(this.types, source, { os: 'linux', arch, source: 'test' });
  }

  /** A Linux kernel whose structs and symbols are those given. */
  kernel(): LinuxKernel {
    const location = { paging: this.paging, dtb: this.dtb, imageDelta: 0n, pageOffset: HEAPS[this.paging], virtualSlide: 0n, physicalSlide: 0 };
    return new LinuxKernel(this.physical(), this.profile(), location, 'Linux version 6.1.0-fake');
  }

  /** A typed view of a struct in {@link space}. */
  view<T extends Struct = Struct>(struct: string, virtual: bigint): T {
    return this.profile().struct<T>(struct).at(this.space(), virtual);
  }

  /** Writes a raw image (zeros where nothing is) into a fresh temporary folder, or the one given; returns its path. */
  writeRaw(folder = temporary()): string {
    const bytes = Buffer.alloc(this.frames.runs().at(-1)?.end ?? 0);
    for (const [number, page] of this.frames.pages) page.copy(bytes, number * PAGE_SIZE);
    const path = join(folder, 'fake.raw');
    writeFileSync(path, bytes);
    return path;
  }

  /** Writes an ELF64 core with one segment per run; returns its path. */
  writeElf(folder = temporary()): string {
    const runs = this.frames.runs();
    const header = Buffer.alloc(Math.ceil((64 + 56 * runs.length) / PAGE_SIZE) * PAGE_SIZE);
    header.write('\x7fELF\x02\x01\x01', 'latin1');
    header.writeUInt16LE(4, 16); // ET_CORE
    header.writeUInt16LE(this.paging === 'arm64' ? 183 : this.paging.startsWith('i386') ? 3 : 62, 18);
    header.writeUInt32LE(1, 20);
    header.writeBigUInt64LE(64n, 32); // e_phoff
    header.writeUInt16LE(64, 52);
    header.writeUInt16LE(56, 54);
    header.writeUInt16LE(runs.length, 56);
    const parts: Buffer[] = [header];
    let offset = header.length;
    for (const [index, { start, end }] of runs.entries()) {
      const at = 64 + 56 * index;
      header.writeUInt32LE(1, at); // PT_LOAD
      header.writeBigUInt64LE(BigInt(offset), at + 8);
      header.writeBigUInt64LE(BigInt(start), at + 24); // p_paddr
      header.writeBigUInt64LE(BigInt(end - start), at + 32);
      header.writeBigUInt64LE(BigInt(end - start), at + 40);
      for (let at = start; at < end; at += PAGE_SIZE) parts.push(this.frames.frame(at / PAGE_SIZE));
      offset += end - start;
    }
    const path = join(folder, 'fake.elf');
    writeFileSync(path, Buffer.concat(parts));
    return path;
  }

  /** Physical address behind a virtual page. */
  private behind(page: bigint): number | undefined {
    const large = this.large.find(({ virtual, size }) => page >= virtual && page < virtual + BigInt(size));
    return large ? large.physical + Number(page - large.virtual) : this.mapped.get(page);
  }

  private sizeOf(struct: string): number {
    const size = this.types.struct(struct)?.size;
    if (size === undefined) throw new RangeError(`no struct ${struct}`);
    return size;
  }

  /** What was written, zeros elsewhere. */
  read(virtual: bigint, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let done = 0; done < length; ) {
      const at = virtual + BigInt(done);
      const offset = Number(at & 0xfffn);
      const count = Math.min(PAGE_SIZE - offset, length - done);
      const physical = this.behind(at - BigInt(offset));
      if (physical !== undefined) this.frames.frame(physical / PAGE_SIZE).copy(bytes, done, offset, offset + count);
      done += count;
    }
    return bytes;
  }
}
