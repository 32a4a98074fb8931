import { PAGE_SIZE } from '../../../src/memory/page.js';
import type { Machine, Paging } from './machine.js';

/** How a page is mapped. */
export interface Rights {
  readonly user?: boolean;
  readonly write?: boolean;
  readonly execute?: boolean;
  /** written to: a copy is made first */
  readonly copy?: boolean;
}

interface Format {
  readonly size: 4 | 8;
  /** lowest bit of each level's index, and how many bits it has; top first */
  readonly levels: readonly (readonly [shift: bigint, bits: bigint])[];
  /** where the tables map themselves */
  readonly selfMap: bigint;
}

/** AMD64 and IA-32 manuals, volume 3; where Windows maps tables: "Windows Internals", part 2, "x64/x86 address space layout" (PTE_BASE). */
const FORMATS: Readonly<Record<Paging, Format>> = {
  amd64: { size: 8, levels: [[39n, 9n], [30n, 9n], [21n, 9n], [12n, 9n]], selfMap: 0xfffff68000000000n },
  'i386-pae': { size: 8, levels: [[30n, 2n], [21n, 9n], [12n, 9n]], selfMap: 0xc0000000n },
  i386: { size: 4, levels: [[22n, 10n], [12n, 10n]], selfMap: 0xc0000000n },
};
const SELF_AMD64 = 0x1ed;
const SESSION_AMD64 = 0x1f2;

const PRESENT = 1n;
const WRITE = 2n;
const USER = 4n;
const ACCESSED = 0x20n;
const DIRTY = 0x40n;
const LARGE = 0x80n;
const GLOBAL = 0x100n;
const COPY = 0x200n;
const PROTOTYPE = 0x400n;
const TRANSITION = 0x800n;
const NO_EXECUTE = 1n << 63n;

/** A system's or a process's virtual memory: tables in the machine's frames, and what is written through them. */
export class Space {
  readonly format: Format;
  readonly root: number;
  /** page number → frame */
  readonly pages = new Map<number, number>();
  private readonly tables = new Map<string, number>();

  /** @param kernel the system's space, whose upper half this one shares */
  constructor(
    readonly machine: Machine,
    readonly kernel?: Space,
    root?: number,
  ) {
    this.format = FORMATS[machine.paging];
    if (machine.paging === 'i386-pae') {
      // The four directories stand behind the top table, one after the other.
      this.root = root ?? machine.takeAbove(kernel?.root ?? 0);
      for (let index = 0; index < 4; index++) {
        const directory = root === undefined ? machine.take() : machine.claim(root + 1 + index);
        this.tables.set(`1:${index}`, directory);
        this.raw(this.root, index, this.entryOf(directory, PRESENT));
      }
      for (let index = 0; index < 4; index++) this.raw(this.directory(3), index, this.entryOf(this.directory(index), PRESENT | WRITE | ACCESSED | DIRTY));
    } else {
      this.root = root ?? machine.takeAbove(kernel?.root ?? 0);
      this.raw(this.root, machine.wide ? SELF_AMD64 : 0x300, this.entryOf(this.root, PRESENT | WRITE | ACCESSED | DIRTY));
    }
    machine.claim(this.root);
    this.tables.set('0:0', this.root);
    let self = 0n;
    for (let level = 0; level <= this.format.levels.length; level++) self = this.pteOf(self);
    machine.uses.set(this.root, { kind: 'page', pte: self, table: this.root });
  }

  /** Address at which the entry of an address is mapped. */
  pteOf(address: bigint): bigint {
    const { selfMap, size } = this.format;
    const bits = this.machine.wide ? 48 : 32;
    return selfMap + (BigInt.asUintN(bits, address) >> 12n) * BigInt(size);
  }

  /** Maps a frame. */
  map(address: bigint, frame: number, { user, write, execute, copy }: Rights, note = true): void {
    let entry = PRESENT | ACCESSED;
    if (user === true) entry |= USER;
    else entry |= GLOBAL;
    if (write === true) entry |= WRITE | DIRTY | (this.format.size === 8 ? 0x800n : 0n);
    if (copy === true) entry |= COPY;
    if (execute !== true && this.format.size === 8) entry |= NO_EXECUTE;
    this.entry(address, this.entryOf(frame, entry));
    this.pages.set(Number(address >> 12n), frame);
    if (note) this.machine.uses.set(frame, { kind: 'page', pte: this.pteOf(address), table: this.tableOf(address) });
  }

  /** A fresh page at an address. */
  fresh(address: bigint, rights: Rights): number {
    const frame = this.machine.take();
    this.map(address, frame, rights);
    return frame;
  }

  /** Maps frames from `first` on with one large page; `note` says which of them are used. */
  mapLarge(address: bigint, first: number): void {
    const level = this.format.levels.length - 2;
    const count = 1 << Number((this.format.levels[level + 1] as readonly [bigint, bigint])[1]);
    this.set(address, level, this.entryOf(first, PRESENT | WRITE | ACCESSED | DIRTY | GLOBAL | LARGE) | (this.format.size === 8 ? NO_EXECUTE : 0n));
    for (let index = 0; index < count; index++) {
      this.pages.set(Number(address >> 12n) + index, first + index);
      this.machine.uses.set(first + index, { kind: 'page', pte: this.pteOf(this.pteOf(address)), table: this.tableAt(address, level) });
    }
  }

  /** Writes the entry of a page as it is. */
  entry(address: bigint, value: bigint): void {
    this.set(address, this.format.levels.length - 1, value);
  }

  demandZero(address: bigint, protection: number): void {
    this.entry(address, BigInt(protection) << 5n);
  }

  inPageFile(address: bigint, protection: number, file: number, page: number): void {
    this.entry(address, softwareEntry(this.format.size, protection, file, page));
  }

  /** A page that was taken from its process, and is still in memory. */
  transition(address: bigint, frame: number, protection: number): void {
    this.entry(address, transitionEntry(frame, protection));
    this.pages.delete(Number(address >> 12n));
    this.machine.uses.set(frame, { kind: 'transition', pte: this.pteOf(address), table: this.tableOf(address), original: BigInt(protection) << 5n });
  }

  /** A page that leads to a prototype; undefined: to the one its VAD names. */
  prototype(address: bigint, prototype: bigint | undefined): void {
    if (this.machine.wide) this.entry(address, BigInt.asUintN(64, (prototype ?? 0xffffffff0000n) << 16n) | PROTOTYPE);
    else this.entry(address, ((prototype ?? 0xffffffffn) << 32n) | PROTOTYPE);
  }

  write(address: bigint, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const at = address + BigInt(done);
      const offset = Number(at & 0xfffn);
      const part = bytes.subarray(done, done + PAGE_SIZE - offset);
      this.page(at).set(part, offset);
      done += part.length;
    }
  }

  read(address: bigint, length: number): Buffer {
    const parts: Buffer[] = [];
    for (let done = 0; done < length; ) {
      const at = address + BigInt(done);
      const offset = Number(at & 0xfffn);
      const part = this.page(at).subarray(offset, offset + length - done);
      parts.push(part);
      done += part.length;
    }
    return Buffer.concat(parts);
  }

  /** The frame of an address. */
  frameOf(address: bigint): number | undefined {
    const page = Number(address >> 12n);
    return this.pages.get(page) ?? this.kernel?.pages.get(page);
  }

  /** Makes the upper half the system's, but for what is this process's own: its tables and its session. */
  share(session?: Space): void {
    const { kernel } = this;
    if (!kernel) return;
    const copy = (from: number, to: number, index: number): void => {
      const value = this.get(from, index);
      if (value !== 0n) this.raw(to, index, value);
    };
    switch (this.machine.paging) {
      case 'amd64':
        for (let index = 0x100; index < 0x200; index++) if (index !== SELF_AMD64 && index !== SESSION_AMD64) copy(kernel.root, this.root, index);
        if (session && session !== this) copy(session.root, this.root, SESSION_AMD64);
        break;
      case 'i386':
        for (let index = 0x200; index < 0x400; index++) if (index !== 0x300) copy(kernel.root, this.root, index);
        break;
      case 'i386-pae':
        for (const directory of [2, 3]) for (let index = directory === 3 ? 4 : 0; index < 512; index++) copy(kernel.directory(directory), this.directory(directory), index);
    }
  }

  private directory(index: number): number {
    return this.tables.get(`1:${index}`) ?? 0;
  }

  private page(address: bigint): Buffer {
    const frame = this.frameOf(address);
    if (frame === undefined) throw new Error(`0x${address.toString(16)} is not mapped`);
    return this.machine.bytes(frame);
  }

  private entryOf(frame: number, flags: bigint): bigint {
    return (BigInt(frame) << 12n) | flags;
  }

  private set(address: bigint, level: number, value: bigint): void {
    this.raw(this.tableAt(address, level), this.index(address, level), value);
  }

  private tableOf(address: bigint): number {
    return this.tableAt(address, this.format.levels.length - 1);
  }

  private index(address: bigint, level: number): number {
    const [shift, bits] = this.format.levels[level] as readonly [bigint, bigint];
    return Number((address >> shift) & ((1n << bits) - 1n));
  }

  /** The table of a level through which an address goes, made where there is none. */
  private tableAt(address: bigint, level: number): number {
    if (level === 0) return this.root;
    const [shift] = this.format.levels[level - 1] as readonly [bigint, bigint];
    const prefix = this.machine.wide ? BigInt.asUintN(48, address) : address;
    const key = `${level}:${prefix >> shift}`;
    const known = this.tables.get(key);
    if (known !== undefined) return known;
    const above = this.tableAt(address, level - 1);
    const frame = this.machine.take();
    this.tables.set(key, frame);
    this.raw(above, this.index(address, level - 1), this.entryOf(frame, PRESENT | WRITE | USER | ACCESSED | DIRTY));
    let pte = address;
    for (let up = this.format.levels.length; up >= level; up--) pte = this.pteOf(pte);
    this.machine.uses.set(frame, { kind: 'page', pte, table: above });
    return frame;
  }

  private raw(frame: number, index: number, value: bigint): void {
    const bytes = this.machine.frames.get(frame) ?? this.machine.bytes(this.machine.claim(frame));
    if (this.format.size === 8) bytes.writeBigUInt64LE(value, index * 8);
    else bytes.writeUInt32LE(Number(value), index * 4);
  }

  private get(frame: number, index: number): bigint {
    const bytes = this.machine.bytes(frame);
    return this.format.size === 8 ? bytes.readBigUInt64LE(index * 8) : BigInt(bytes.readUInt32LE(index * 4));
  }
}

/** `_MMPTE_SOFTWARE`: a page in a page file; page 0 stands for none. */
export function softwareEntry(size: 4 | 8, protection: number, file: number, page: number): bigint {
  return (BigInt(file) << 1n) | (BigInt(protection) << 5n) | (BigInt(page) << (size === 8 ? 32n : 12n));
}

/** `_MMPTE_TRANSITION` */
export function transitionEntry(frame: number, protection: number): bigint {
  return (BigInt(frame) << 12n) | TRANSITION | (BigInt(protection) << 5n);
}

/** A valid prototype entry. */
export function validEntry(frame: number, write: boolean, execute: boolean, wide: boolean): bigint {
  return (BigInt(frame) << 12n) | PRESENT | ACCESSED | (write ? WRITE | COPY : 0n) | (execute || !wide ? 0n : NO_EXECUTE);
}

/** `_MMPTE_SUBSECTION`: a page that is still in its file. */
export function subsectionEntry(wide: boolean, subsection: bigint, protection: number): bigint {
  return (wide ? BigInt.asUintN(64, subsection << 16n) : subsection << 32n) | PROTOTYPE | (BigInt(protection) << 5n);
}
