import { PAGE_SIZE } from '../../../src/memory/page.js';
import type { Forge } from './forge.js';
import type { Objects } from './objects.js';
import { bind, laidOut, type Piece, type PieceSection } from './pe.js';
import { type Space, subsectionEntry, transitionEntry, validEntry } from './space.js';

/** Protection as `_MMVAD_FLAGS` and software entries state it (MM_PROTECTION_MASK). */
export const PROTECTION = { readOnly: 1, execute: 2, executeRead: 3, readWrite: 4, writeCopy: 5, executeReadWrite: 6, executeWriteCopy: 7, guard: 0x14, noAccess: 0x18 } as const;

/** A file that is mapped: its control area, and the prototype entries that all its mappings share. */
export interface MappedFile {
  /** path as the file object states it */
  readonly path: string;
  readonly fileObject: bigint;
  readonly segment: bigint;
  readonly controlArea: bigint;
  readonly subsection: bigint;
  readonly prototypes: bigint;
  readonly pages: number;
  readonly image: Piece | undefined;
  /** frame of each page that is in memory */
  readonly frames: readonly (number | undefined)[];
  readonly sectionOf: (page: number) => PieceSection | undefined;
  mappings: number;
}

/** What a file's pages are like. */
interface Content {
  readonly piece: Piece | undefined;
  readonly present: (page: number) => boolean;
  readonly standby: readonly number[];
  readonly sectionOf: MappedFile['sectionOf'];
  readonly places: ReadonlyMap<number, number>;
}

/** Sections: files that processes map, and memory that they share without one. */
export class Sections {
  readonly files: MappedFile[] = [];

  constructor(
    private readonly forge: Forge,
    private readonly objects: Objects,
    private readonly pieces: ReadonlyMap<string, Piece>,
    /** device of the files */
    readonly device: bigint,
  ) {}

  file(path: string): bigint {
    return this.objects.create('File', '_FILE_OBJECT', this.fileValues(path));
  }

  /** An executable. `standby`: pages that were cut from all processes and wait on the standby list; `places`: where pages shall lie. */
  image(path: string, piece: Piece, standby: readonly number[] = [], places: ReadonlyMap<number, number> = new Map()): MappedFile {
    const out = laidOut(piece);
    bind(piece, out, this.pieces, this.forge.pointer);
    const sectionOf = (page: number): PieceSection | undefined => piece.sections.find(({ rva, size }) => page * PAGE_SIZE >= rva && page * PAGE_SIZE < rva + Math.max(size, 1));
    // Relocations are read once at most: that page is still in the file.
    const present = (page: number): boolean => sectionOf(page)?.name !== '.reloc';
    return this.make(path, out, { piece, present, standby, sectionOf, places });
  }

  /** A file of data. */
  data(path: string, content: Buffer): MappedFile {
    return this.make(path, content, { piece: undefined, present: () => true, standby: [], sectionOf: () => undefined, places: new Map() });
  }

  /** Memory behind the page file, without a name. */
  shared(content: Buffer): MappedFile {
    return this.make('', content, { piece: undefined, present: () => true, standby: [], sectionOf: () => undefined, places: new Map() });
  }

  /** Maps a page of a file into a process: valid, or through its prototype. */
  mapPage(space: Space, address: bigint, file: MappedFile, page: number, way: 'valid' | 'prototype' | 'vad' | 'private'): void {
    const frame = file.frames[page];
    const section = file.sectionOf(page);
    const rights = { user: true, execute: section?.execute === true, write: false };
    const use = frame === undefined ? undefined : this.forge.machine.uses.get(frame);
    if (way === 'private') {
      const own = space.fresh(address, { ...rights, write: true });
      if (frame !== undefined) this.forge.machine.bytes(own).set(this.forge.machine.bytes(frame));
    } else if (way === 'valid' && frame !== undefined && use?.kind === 'prototype' && use.state === 'active') {
      space.map(address, frame, { ...rights, write: file.path === '', copy: section?.write === true }, false);
      use.share++;
    } else if (this.forge.plan.paging !== 'i386') space.prototype(address, way === 'vad' ? undefined : file.prototypes + BigInt(page * space.format.size));
  }

  private fileValues(path: string, pointers = 0n): Record<string, number | bigint | Record<string, number | bigint>> {
    return {
      Type: 5,
      Size: this.forge.size('_FILE_OBJECT'),
      DeviceObject: this.device,
      SectionObjectPointer: pointers,
      ReadAccess: 1,
      SharedRead: 1,
      SharedDelete: 1,
      Flags: 0x44042,
      FileName: this.forge.text(path) as Record<string, number | bigint>,
    };
  }

  private make(
    path: string,
    content: Buffer,
    { piece, present, standby, sectionOf, places }: Content,
  ): MappedFile {
    const { forge } = this;
    const { machine, system } = forge;
    const size = system.format.size;
    const pages = Math.ceil(content.length / PAGE_SIZE);
    const parts = piece ? [undefined, ...piece.sections] : [undefined];
    const controlSize = forge.size('_CONTROL_AREA');
    const subsectionSize = forge.size('_SUBSECTION');
    const controlArea = forge.nonPaged.allocate(controlSize + parts.length * subsectionSize, piece ? 'MmCi' : 'MmCa');
    const subsection = controlArea + BigInt(controlSize);
    const segment = forge.paged.allocate(forge.size('_SEGMENT'), 'MmSm');
    const prototypes = forge.paged.allocate(pages * size, 'MmSt');
    const pointers = forge.nonPaged.allocate(forge.size('_SECTION_OBJECT_POINTERS'), 'MmSp');
    const fileObject = path === '' ? 0n : this.objects.create('File', '_FILE_OBJECT', this.fileValues(path, pointers));
    const frames: (number | undefined)[] = [];
    const part = (page: number): number => {
      const section = sectionOf(page);
      return section && piece ? piece.sections.indexOf(section) + 1 : 0;
    };
    for (let page = 0; page < pages; page++) {
      const at = prototypes + BigInt(page * size);
      const section = sectionOf(page);
      const protection = piece ? protectionOf(section) : path === '' ? PROTECTION.readWrite : PROTECTION.readOnly;
      const owner = subsection + BigInt(part(page) * subsectionSize);
      const original = path === '' ? BigInt(protection) << 5n : subsectionEntry(machine.wide, owner, protection);
      if (!present(page)) {
        this.entry(at, original);
        frames.push(undefined);
        continue;
      }
      const place = places.get(page);
      const frame = place === undefined ? machine.take() : machine.claim(place);
      machine.bytes(frame).set(content.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE));
      const state = standby.includes(page) ? 'standby' : 'active';
      this.entry(at, state === 'standby' ? transitionEntry(frame, protection) : validEntry(frame, section?.write === true || path === '', section?.execute === true, size === 8));
      machine.uses.set(frame, { kind: 'prototype', pte: at, table: system.frameOf(at) ?? 0, share: 0, original, state });
      frames.push(frame);
    }
    for (const [index, section] of parts.entries()) {
      const first = index === 0 ? 0 : (section as PieceSection).rva / PAGE_SIZE;
      const count = piece ? (index === 0 ? 1 : Math.ceil(Math.max((section as PieceSection).size, 1) / PAGE_SIZE)) : pages;
      forge.put('_SUBSECTION', subsection + BigInt(index * subsectionSize), {
        ControlArea: controlArea,
        SubsectionBase: prototypes + BigInt(first * size),
        NextSubsection: index + 1 < parts.length ? subsection + BigInt((index + 1) * subsectionSize) : 0,
        PtesInSubsection: count,
        StartingSector: Math.floor((section?.file ?? 0) / 512),
        NumberOfFullSectors: Math.floor((section?.fileSize ?? content.length) / 512),
        u: { SubsectionFlags: { Protection: piece ? protectionOf(section) : PROTECTION.readOnly } },
      });
    }
    forge.put('_SEGMENT', segment, { ControlArea: controlArea, TotalNumberOfPtes: pages, SizeOfSegment: pages * PAGE_SIZE, PrototypePte: prototypes, BasedAddress: piece?.base ?? 0 });
    forge.put('_CONTROL_AREA', controlArea, {
      Segment: segment,
      NumberOfSectionReferences: 1,
      NumberOfPfnReferences: frames.filter((frame) => frame !== undefined).length,
      FilePointer: { Value: fileObject === 0n ? 0 : fileObject | (forge.pointer === 8 ? 15n : 7n) },
      u: { Flags: { Image: piece ? 1 : 0, File: path === '' ? 0 : 1, Commit: path === '' ? 1 : 0 } },
    });
    forge.put('_SECTION_OBJECT_POINTERS', pointers, piece ? { ImageSectionObject: controlArea } : { DataSectionObject: controlArea });
    const file: MappedFile = { path, fileObject, segment, controlArea, subsection, prototypes, pages, image: piece, frames, sectionOf, mappings: 0 };
    this.files.push(file);
    return file;
  }

  private entry(at: bigint, value: bigint): void {
    const bytes = Buffer.alloc(this.forge.system.format.size);
    if (bytes.length === 8) bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
    else bytes.writeUInt32LE(Number(BigInt.asUintN(32, value)));
    this.forge.system.write(at, bytes);
  }

  /** How often each file is mapped, at last. */
  finish(): void {
    for (const { controlArea, mappings } of this.files) this.forge.put('_CONTROL_AREA', controlArea, { NumberOfMappedViews: mappings, NumberOfUserReferences: mappings });
  }
}

function protectionOf(section: PieceSection | undefined): number {
  if (!section) return PROTECTION.readOnly;
  if (section.execute) return PROTECTION.executeRead;
  return section.write ? PROTECTION.writeCopy : PROTECTION.readOnly;
}
