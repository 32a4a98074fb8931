import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { WindowsKernel } from '../../../src/kernel/windows/kernel.js';
import { pfnFacts } from '../../../src/kernel/windows/memory/pfn-facts.js';
import { pageUses } from '../../../src/kernel/windows/memory/page-use.js';
import { pageFiles } from '../../../src/kernel/windows/memory/pagefiles.js';
import type { Eprocess } from '../../../src/kernel/windows/types.js';
import { found } from '../../../src/memory/breathe.js';
import type { PagingKind } from '../../../src/memory/paging/create.js';
import { openProfileFile } from '../../../src/symbols/open.js';
import type { ProfileSource } from '../../../src/symbols/source.js';
import { bootableWindows } from '../../support/bootable-windows.js';
import { encode, type FieldValue } from '../../support/literal-types.js';
import { sharedData } from '../../support/shared.js';
import type { ForgedWindows } from '../../support/windows-kernel.js';

const official = sharedData('profiles', 'v1.0', 'nt', 'GUID');
const isf = sharedData('windows', 'isf', 'ntkrnlmp.pdb');
const skip = official.skip || isf.skip;

/** Builds between which page tables' software entries, the page database, regions or sections changed. */
const BUILDS: readonly (readonly [what: string, file: string, paging: PagingKind, major: number, minor: number])[] = [
  ['XP', 'DA37FCA1', 'i386', 5, 1],
  ['XP SP3', '30B5FB31', 'i386-pae', 5, 1],
  ['Server 2003', '23D97A55', 'i386', 5, 2],
  ['Server 2003', '80A87123', 'i386-pae', 5, 2],
  ['Server 2003 x64', '82DCF67A', 'amd64', 5, 2],
  ['Vista', '22FA3051', 'i386', 6, 0],
  ['Vista x64', '197D68CC', 'amd64', 6, 0],
  ['7', '05D170AA', 'i386', 6, 1],
  ['7', '5B308B4E', 'i386-pae', 6, 1],
  ['7 x64', 'F8E2A8B5', 'amd64', 6, 1],
  ['8 x64', '5A722668', 'amd64', 6, 2],
  ['8.1 x64', '2BCBB42C', 'amd64', 6, 3],
  ['10 1607', '925ACA3E', 'amd64', 10, 0],
  ['10 1809', '105E35CD', 'amd64', 10, 0],
  ['10 1903', 'DCA4AD4B', 'amd64', 10, 0],
  ['10 20H1', '5278AFF8', 'amd64', 10, 0],
  ['11', '11801895', 'amd64', 10, 0],
];

/** What builds add to entries that are not present since August 2018: a bit above all memory of the machine. */
const MASK = 1n << 45n;
const NAME = '\\Windows\\forged.dat';

/** Memory of a build in which pages are known in every way: through page tables, a section's prototypes, the region alone, a page file. */
class Pages {
  readonly forged: ForgedWindows;
  readonly kernel: WindowsKernel;
  readonly process: bigint;
  readonly database: bigint;
  readonly window: bigint;
  readonly entry: 4 | 8;
  readonly prototypes: bigint;
  readonly subsection: bigint;
  readonly grown: bigint;
  /** the page that a table maps, and those that prototypes lead to: valid, in transition */
  readonly frames: { readonly own: number; readonly valid: number; readonly transition: number; readonly grown: number };

  constructor(
    private readonly source: ProfileSource,
    private readonly paging: PagingKind,
    major: number,
    minor: number,
  ) {
    this.forged = bootableWindows(source, { paging, version: { major, minor }, banner: '2600.forged', guid: '0'.repeat(32), age: 1, pdb: 'ntkrnlmp.pdb', selfMap: true });
    const { image } = this.forged;
    const narrow = image.types.pointerSize === 4;
    this.entry = paging === 'i386' ? 4 : 8;
    this.window = narrow ? 0xc0000000n : 0xfffff68000000000n;
    this.database = narrow ? 0x84000000n : 0xfffffa8000000000n;
    this.pointer('MmPfnDatabase', this.database);
    if (this.forged.has('_MI_HARDWARE_STATE', 'InvalidPteMask')) this.forged.put(this.forged.member('_MI_SYSTEM_INFORMATION', this.forged.at('MiState'), 'Hardware.InvalidPteMask'), 8, MASK);
    // Prototypes and subsections in the "pool", which begins below them.
    const pool = image.room(0x3000, 0x1000);
    for (const symbol of ['MmPagedPoolStart', 'MmSubsectionBase']) this.pointer(symbol, pool - 0x10000n);
    this.pointer('MmNonPagedPoolEnd', pool + 0x10000n);
    this.prototypes = pool + 0x120n;
    this.subsection = pool + 0x1000n + 0x200n + BigInt(this.forged.size('_CONTROL_AREA'));
    this.grown = pool + 0x2000n;
    this.process = image.room(0x1000, 0x1000);
    this.frames = { own: image.map(0x10000n, undefined, { user: true }) / 4096, valid: image.map(0x7000000n) / 4096, transition: image.map(0x7001000n) / 4096, grown: image.map(0x7002000n) / 4096 };
    this.regions();
    this.section();
    this.tables();
    this.records();
    this.pageFile();
    this.kernel = this.forged.kernel();
  }

  private pointer(symbol: string, value: bigint): void {
    if (this.source.constants.get(symbol) !== undefined) this.forged.image.pointer(this.forged.at(symbol), value);
  }

  private put(struct: string, address: bigint, values: Readonly<Record<string, FieldValue>>): void {
    const bytes = Buffer.alloc(this.forged.size(struct));
    encode({ struct: (name) => this.source.types.struct(name), pointerSize: this.forged.image.types.pointerSize }, { kind: 'struct', name: struct }, values, bytes, 0);
    this.forged.image.write(address, bytes);
  }

  /** A process, with the region 0x20000 to 0x25fff. */
  private regions(): void {
    const { forged } = this;
    const { image } = forged;
    const vad = image.room(0x200, 0x100) + 0x40n;
    image.pointer(forged.member('_EPROCESS', this.process, 'UniqueProcessId'), 4n);
    image.write(forged.member('_EPROCESS', this.process, 'ImageFileName'), Buffer.from('System\0', 'latin1'));
    image.pointer(forged.member('_EPROCESS', this.process, 'Pcb') + BigInt(this.offset('_KPROCESS', 'DirectoryTableBase')), BigInt(image.dtb));
    image.pointer(forged.at('PsInitialSystemProcess'), this.process);
    forged.link(forged.at('PsActiveProcessHead'), forged.member('_EPROCESS', this.process, 'ActiveProcessLinks'));
    const root = forged.member('_EPROCESS', this.process, 'VadRoot');
    image.pointer(forged.has('_MM_AVL_TABLE', 'BalancedRoot') ? root + BigInt(this.offset('_MM_AVL_TABLE', 'BalancedRoot') + this.offset(forged.has('_MMVAD', 'Core') ? '_MM_AVL_NODE' : '_MMADDRESS_NODE', 'RightChild')) : root, vad);
    image.write(vad - (image.types.pointerSize === 8 ? 12n : 4n), Buffer.from('Vad ', 'latin1'));
    const range: FieldValue = { StartingVpn: 0x20, EndingVpn: 0x25, u: { VadFlags: { Protection: 4 } } };
    const way: Readonly<Record<string, FieldValue>> = forged.has('_MMVAD', 'ControlArea') ? { ControlArea: this.subsection - BigInt(forged.size('_CONTROL_AREA')) } : { Subsection: this.subsection };
    this.put('_MMVAD', vad, { ...(forged.has('_MMVAD', 'Core') ? { Core: range } : range), ...way, FirstPrototypePte: this.prototypes, LastContiguousPte: this.prototypes + BigInt(3 * this.entry) });
  }

  /** A data file of four pages, from its fourth page on; it grew by two, which have prototypes of their own. */
  private section(): void {
    const { forged } = this;
    const area = this.subsection - BigInt(forged.size('_CONTROL_AREA'));
    const file = forged.image.room(0x200, 16);
    const text = forged.image.room(0x100, 16);
    forged.image.write(text, Buffer.from(NAME, 'utf16le'));
    this.put('_FILE_OBJECT', file, { FileName: { Length: NAME.length * 2, MaximumLength: NAME.length * 2, Buffer: text } });
    this.put('_CONTROL_AREA', area, { FilePointer: forged.has('_CONTROL_AREA', 'LockedPages') ? { Value: file } : file, u: { Flags: { File: 1 } } });
    this.put('_SUBSECTION', this.subsection, { ControlArea: area, SubsectionBase: this.prototypes, PtesInSubsection: 4, StartingSector: 3, NextSubsection: this.grown });
    this.put('_SUBSECTION', this.grown, { ControlArea: area, SubsectionBase: this.prototypes + 0x800n, PtesInSubsection: 2, StartingSector: 7 });
    forged.put(this.prototypes + 0x800n, this.entry, this.hardware(this.frames.grown));
    const entries = [this.hardware(this.frames.valid), this.software(BigInt(this.frames.transition) * 4096n | (4n << 5n) | 0x800n), this.toSubsection(), 0n];
    for (const [index, entry] of entries.entries()) forged.put(this.prototypes + BigInt(index * this.entry), this.entry, entry);
  }

  private hardware(frame: number): bigint {
    return BigInt(frame) * 4096n | 0x21n;
  }

  /** An entry that is not present, as the build stores it. */
  private software(entry: bigint): bigint {
    const swizzled = this.forged.has('_MMPTE_SOFTWARE', 'SwizzleBit');
    if (!swizzled || entry === 0n) return entry;
    return (entry & MASK) !== 0n ? entry | 0x10n : entry | MASK;
  }

  /** `_MMPTE_SUBSECTION` (ntos/mm: MiGetSubsectionAddressForPte). */
  private toSubsection(): bigint {
    const at = this.subsection;
    if (this.entry === 8) return this.paging === 'amd64' ? this.software(BigInt.asUintN(64, at << 16n) | 0x480n) : (at << 32n) | 0x480n;
    if (!this.forged.has('_MMPTE_SUBSECTION', 'WhichPool')) return (at & ~0x7ffn) | ((at & 0x7fcn) >> 1n) | 0x400n;
    const distance = at - this.forged.kernel().variable('MmSubsectionBase');
    return 0x80000000n | ((distance >> 7n) << 11n) | (((distance >> 3n) & 0xfn) << 1n) | 0x400n;
  }

  /** `_MMPTE_PROTOTYPE` (MiProtoAddressForPte). */
  private toPrototype(at: bigint): bigint {
    if (this.entry === 8) return this.paging === 'amd64' ? this.software(BigInt.asUintN(64, at << 16n) | 0x400n) : (at << 32n) | 0x400n;
    if (!this.forged.has('_MMPTE_PROTOTYPE', 'WhichPool')) return (((at - 0x80000000n) >> 10n) << 11n) | (((at >> 2n) & 0xffn) << 1n) | 0x400n;
    const distance = at - this.forged.kernel().variable('MmPagedPoolStart');
    return ((distance >> 9n) << 11n) | (((distance >> 2n) & 0x7fn) << 1n) | 0x400n;
  }

  /** Entries of the process: a prototype, the region's, none; a page in page file 2, one in transition, one never touched. */
  private tables(): void {
    const { tables } = this.forged.image;
    const last = { i386: 1, 'i386-pae': 2, amd64: 3, 'amd64-la57': 4, arm64: 3 }[this.paging];
    const lookup = this.entry === 4 ? 0xfffff480n : this.software(0xffffffff00000480n);
    const low = this.forged.has('_MMPTE_SOFTWARE', 'SwizzleBit') ? 12n : 1n;
    const paged = this.software((0x123n << (this.entry === 4 ? 12n : 32n)) | (2n << low) | (4n << 5n));
    const entries = [this.toPrototype(this.prototypes), lookup, 0n, lookup];
    for (const [index, entry] of entries.entries()) tables.setEntry(0x20000n + BigInt(index) * 0x1000n, last, entry);
    tables.setEntry(0x30000n, last, paged);
    tables.setEntry(0x31000n, last, this.software(BigInt(this.frames.transition) * 4096n | (4n << 5n) | 0x800n));
    tables.setEntry(0x32000n, last, 4n << 5n);
  }

  /** Records of the pages, and of the tables above the first. */
  private records(): void {
    const { tables } = this.forged.image;
    const last = { i386: 1, 'i386-pae': 2, amd64: 3, 'amd64-la57': 4, arm64: 3 }[this.paging];
    let frame = this.frames.own;
    let pte = this.pteOf(0x10000n);
    for (let level = last; level >= (this.paging === 'i386-pae' ? 1 : 0); level--) {
      const table = Math.floor(tables.entryAddress(0x10000n, level) / 4096);
      this.record(frame, pte, table);
      frame = table;
      pte = this.pteOf(pte);
    }
    // With PAE the four directories are named by entries of the fourth; elsewhere a root names itself.
    this.record(frame, pte, this.paging === 'i386-pae' ? Math.floor(tables.entryAddress(0xc0000000n, 1) / 4096) : frame);
    this.record(this.frames.valid, this.prototypes, 1, { prototype: true, original: this.toSubsection() });
    this.record(this.frames.grown, this.prototypes + 0x800n, 1, { prototype: true });
    this.record(this.frames.transition, this.prototypes + BigInt(this.entry), 1, { prototype: true, list: 2, original: this.toSubsection() });
  }

  /** Where the window has the entry of an address; those of the window's own addresses lie in the window, too. */
  private pteOf(address: bigint): bigint {
    const pages = this.paging === 'amd64' ? 36n : 20n;
    return this.window + ((address >> 12n) & ((1n << pages) - 1n)) * BigInt(this.entry);
  }

  private record(frame: number, pte: bigint, pteFrame: number, { prototype = false, list = 6, original = 0x80n }: { prototype?: boolean; list?: number; original?: bigint } = {}): void {
    const has = (struct: string, member: string): boolean => this.forged.has(struct, member);
    // The lowest bit is a lock where the address has a name of its own as a number.
    const marks = has('_MMPFN', 'PteLong') ? 1n : 0n;
    const old = has('_MMPFNENTRY', 'PrototypePte');
    const bits: FieldValue = old ? { PageLocation: list, PrototypePte: prototype ? 1 : 0 } : { PageLocation: list };
    this.put('_MMPFN', this.database + BigInt(frame * this.forged.size('_MMPFN')), {
      PteAddress: pte + marks,
      OriginalPte: { u: { Long: original } },
      // A page on a list has its neighbours there, one in use a count.
      ...(list < 6 ? { u1: { Flink: 0x77 }, u2: { Blink: 0x88 } } : { u2: { ShareCount: 3 } }),
      u3: { e1: bits, ...(has('_MMPFNENTRY3', 'Priority') ? { e3: { Priority: 5 } } : {}) },
      u4: { PteFrame: pteFrame, ...(old ? {} : { PrototypePte: prototype ? 1 : 0 }) },
    });
  }

  private pageFile(): void {
    const { forged } = this;
    const { image } = forged;
    const file = image.room(forged.size('_MMPAGING_FILE'), 16);
    const text = image.room(0x100, 16);
    const name = '\\??\\C:\\pagefile.sys';
    image.write(text, Buffer.from(name, 'utf16le'));
    this.put('_MMPAGING_FILE', file, { Size: 0x1000, FreeSpace: 0x800, PageFileNumber: 2, PageFileName: { Length: name.length * 2, MaximumLength: name.length * 2, Buffer: text } });
    const table = this.source.constants.get('MmPagingFile') === undefined ? forged.member('_MI_PARTITION', forged.at('MiSystemPartition'), 'Vp.PagingFile') : forged.at('MmPagingFile');
    image.write(table, Buffer.alloc(16 * image.types.pointerSize));
    image.pointer(table, file);
  }

  private offset(struct: string, member: string): number {
    return Number(this.forged.member(struct, 0n, member));
  }
}

async function pagesOf(file: string, paging: PagingKind, major: number, minor: number): Promise<Pages> {
  const folder = [official.path, isf.path].find((path) => readdirSync(path).some((name) => name.startsWith(file))) as string;
  const name = readdirSync(folder).find((one) => one.startsWith(file)) as string;
  return new Pages(await openProfileFile(join(folder, name)), paging, major, minor);
}

for (const [what, file, paging, major, minor] of BUILDS) {
  test(`pages of Windows ${what} (${paging}): entries, prototypes, sections, the page database, page files`, { skip }, async () => {
    const pages = await pagesOf(file, paging, major, minor);
    const { kernel, frames } = pages;
    const process = kernel.at<Eprocess>('_EPROCESS', pages.process);
    const space = kernel.spaceOf(process);
    const reason = (address: bigint): string | undefined => space.walk(address).steps.at(-1)?.reason;
    const prototype = (index: number): string => `0x${(pages.prototypes + BigInt(index * pages.entry)).toString(16)}`;

    // From above: every kind of entry.
    assert.equal(space.translate(0x20123n), frames.valid * 4096 + 0x123);
    assert.equal(reason(0x20000n), `prototype at ${prototype(0)}: valid, shared, ${NAME} +0x3000`);
    assert.equal(space.translate(0x21123n), frames.transition * 4096 + 0x123);
    assert.equal(reason(0x21000n), `described by its VAD, prototype at ${prototype(1)}: in transition, still in memory, ${NAME} +0x4000`);
    assert.equal(space.translate(0x22000n), undefined);
    assert.equal(reason(0x22000n), `described by its VAD, prototype at ${prototype(2)}: not in memory, still in its file ${NAME} +0x5000`);
    assert.equal(reason(0x23000n), `described by its VAD, prototype at ${prototype(3)}: empty, not in memory, ${NAME} +0x6000`);
    assert.equal(space.translate(0x24123n), frames.grown * 4096 + 0x123);
    assert.equal(reason(0x24000n), `described by its VAD, prototype at 0x${(pages.prototypes + 0x800n).toString(16)}: valid, shared, ${NAME} +0x7000`);
    assert.equal(space.translate(0x25000n), undefined);
    assert.equal(reason(0x30000n), 'in page file 2 (\\??\\C:\\pagefile.sys) at offset 0x123000');
    assert.equal(space.translate(0x31000n), frames.transition * 4096);
    assert.equal(reason(0x32000n), 'demand zero: never touched');
    assert.equal(reason(0x40000n), 'not present, and in no region (VAD)');

    // From below: the record of a page leads to its entry, its address and its process.
    const uses = [...found(pageUses(kernel))].at(-1);
    assert.ok(uses);
    const useOf = (frame: number) => {
      const record = uses.frames.at(frame);
      assert.ok(record, `no record of ${frame}`);
      return uses.of(record);
    };
    const own = useOf(frames.own);
    assert.equal(own.kind, 'private');
    assert.ok(own.kind === 'private');
    assert.deepEqual([own.place.page, own.place.level, own.place.stale, own.process?.$address], [0x10, 0, false, pages.process]);
    const way = space.walk(0x10000n).steps.filter(({ name }) => paging !== 'i386-pae' || name !== 'PDPTE');
    assert.deepEqual(own.place.steps, way.reverse().map(({ name, address }) => ({ name, address })));
    const table = useOf(Math.floor((way[0]?.address ?? 0) / 4096));
    assert.ok(table.kind === 'table', table.kind);
    assert.deepEqual([table.place.level, table.place.maps, table.process?.$address], [1, 0, pages.process]);
    assert.equal(useOf(Math.floor((way.at(-1)?.address ?? 0) / 4096)).kind, 'root');

    // A page of the file, with everybody who maps it.
    for (const [frame, page, at] of [[frames.valid, 0, 0], [frames.transition, 1, pages.entry], [frames.grown, 4, 0x800]] as const) {
      const use = useOf(frame);
      assert.ok(use.kind === 'section' && use.part, use.kind);
      assert.deepEqual([use.section?.file, use.section?.image, use.offset], [NAME, false, 0x3000 + page * 0x1000]);
      const mappers: { readonly process: Eprocess; readonly page: number }[] = [...uses.sections.users(use.part, pages.prototypes + BigInt(at))];
      assert.deepEqual(mappers.map((mapper) => [mapper.process.$address, mapper.page]), [[pages.process, 0x20 + page]]);
    }
    assert.equal(uses.frames.get(frames.valid, 'shares'), 3);
    const record = uses.frames.at(frames.transition);
    assert.ok(record && record.list < 6);
    const facts = [...pfnFacts(kernel, uses.frames, record)].filter(({ fact }) => ['Flink', 'Blink', 'ShareCount'].includes(fact));
    assert.deepEqual(facts, [{ fact: 'Flink', address: 0x77n }, { fact: 'Blink', address: 0x88n }]);
    if (kernel.profile.has('_MMPFNENTRY3', 'Priority')) assert.equal(uses.frames.get(frames.valid, 'priority'), 5);

    const files = pageFiles(kernel);
    assert.deepEqual(files.map(({ number, name, store }) => [number, name, store]), [[2, '\\??\\C:\\pagefile.sys', false]]);
  });
}
