import { layBlocks } from '../block-list.js';
import type { CrashDriver, TriageContent, UnloadedDriver, VirtualBlock } from '../crash.js';
import type { FilePlace, ImageFile, ImageHints, PhysicalImage } from '../image.js';
import { readExactly, readUpTo, sizeText, truncationWarning } from './bytes.js';
import { damaged, hintsOfCrash } from './crashdump-hints.js';
import type { RawCrashHeader } from './crashdump-header.js';
import { FLAT_BLOCK } from './flat.js';

/** More drivers or blocks than that are not read: Windows loads some hundreds, and writes some thousands. */
const MAX_DRIVERS = 16_384;
const MAX_BLOCKS = 1 << 20;
/** Characters of a path at most. */
const MAX_PATH = 1024;
/** Unloaded drivers that a kernel remembers (MI_UNLOADED_DRIVERS), and characters of their names. */
const MAX_UNLOADED = 64;

/**
 * Offsets in what follows the header (`_TRIAGE_DUMP32`, `_TRIAGE_DUMP64`): file offsets and sizes of 32 bits, and a few addresses. Then
 * those in the entry of a driver, behind the offset of its name: the loader's own entry (`_LDR_DATA_TABLE_ENTRY`).
 * Sources: the structures of the WDK as debuggers and rizin print them; checked on dumps of Windows 10 for x64 and ARM64.
 */
const WIDE = {
  pointer: 8,
  size: 0x80,
  stackTop: 0x48,
  dataPage: 0x60,
  dataPageOffset: 0x68,
  debuggerOffset: 0x70,
  blocks: 0x78,
  driver: { bytes: 0x90, entry: 8, base: 0x30, size: 0x40, time: 0x80 },
  unloaded: { head: 8, bytes: 56, name: 16, start: 40 },
} as const;
const NARROW = {
  pointer: 4,
  size: 0x68,
  stackTop: 0x48,
  dataPage: 0x4c,
  dataPageOffset: 0x50,
  debuggerOffset: 0x58,
  blocks: 0x60,
  driver: { bytes: 0x4c, entry: 4, base: 0x18, size: 0x20, time: 0x44 },
  unloaded: { head: 4, bytes: 40, name: 8, start: 32 },
} as const;
/** Offsets that both have. */
const AT = { unloaded: 0x18, prcb: 0x1c, process: 0x20, thread: 0x24, stack: 0x28, stackSize: 0x2c, drivers: 0x30, driverCount: 0x34 } as const;
/** `KDDEBUGGER_DATA64`: tag behind the list links, then the base of the kernel (wdbgexts.h). */
const DEBUGGER = { tag: 0x10, kernelBase: 0x18 } as const;

/** Opens a triage dump: no physical memory, but blocks of the kernel's address space. */
export function openTriage(file: ImageFile, header: RawCrashHeader): PhysicalImage {
  const at = header.facts.bits === 64 ? WIDE : NARROW;
  const head = readExactly(file, header.size, at.size);
  if (!head) throw damaged(file, `ends inside its triage header (it has ${sizeText(file.size)})`);
  const reader = new TriageReader(file, header, head);
  const drivers = reader.drivers();
  const triage: TriageContent = {
    drivers,
    unloaded: reader.unloaded(),
    blocks: reader.blocks(),
    kernelBase: reader.kernelBase() ?? drivers[0]?.base,
    objects: reader.objects(),
    read: (offset, length) => readUpTo(file, offset, length),
  };
  const hints = hintsOfCrash(header.facts);
  return new TriageImage(file, `Windows crash dump (${header.facts.bits}-bit, triage)`, { ...hints, crash: { header: header.facts, triage } }, [
    'a triage dump has no physical memory and no page tables, only blocks of the kernel\'s address space: crashinfo shows what there is',
    ...reader.warnings,
  ]);
}

class TriageReader {
  readonly warnings: string[] = [];
  private readonly at: typeof WIDE | typeof NARROW;

  constructor(
    private readonly file: ImageFile,
    private readonly header: RawCrashHeader,
    private readonly head: Buffer,
  ) {
    this.at = header.facts.bits === 64 ? WIDE : NARROW;
  }

  drivers(): CrashDriver[] {
    const { at } = this;
    const stated = this.word(AT.driverCount);
    const table = this.table('drivers', this.word(AT.drivers), stated, at.driver.bytes, MAX_DRIVERS);
    const drivers: CrashDriver[] = [];
    for (let offset = 0; offset < table.length; offset += at.driver.bytes) {
      const entry = offset + at.driver.entry;
      drivers.push({
        path: this.text(table.readUInt32LE(offset)),
        base: this.pointer(table, entry + at.driver.base),
        size: table.readUInt32LE(entry + at.driver.size),
        timeDateStamp: table.readUInt32LE(entry + at.driver.time),
      });
    }
    return drivers;
  }

  unloaded(): UnloadedDriver[] {
    const { unloaded: layout, pointer } = this.at;
    const offset = this.word(AT.unloaded);
    if (offset === 0) return [];
    const count = readExactly(this.file, offset, 4)?.readUInt32LE(0) ?? 0;
    const table = this.table('unloaded drivers', offset + layout.head, count, layout.bytes, MAX_UNLOADED);
    const result: UnloadedDriver[] = [];
    for (let entry = 0; entry < table.length; entry += layout.bytes) {
      const bytes = Math.min(table.readUInt16LE(entry), layout.start - layout.name) & ~1;
      result.push({
        name: table.toString('utf16le', entry + layout.name, entry + layout.name + bytes),
        start: this.pointer(table, entry + layout.start),
        end: this.pointer(table, entry + layout.start + pointer),
      });
    }
    return result;
  }

  /** All blocks of virtual memory: those of the list, the stack of the crash, the data page and the debugger's data. */
  blocks(): VirtualBlock[] {
    const { at, file } = this;
    const all: VirtualBlock[] = [];
    const stackTop = this.pointer(this.head, at.stackTop);
    const add = (address: bigint, offset: number, length: number): void => {
      if (address !== 0n && offset !== 0 && length > 0) all.push({ address: BigInt.asUintN(64, address), offset, length });
    };
    add(stackTop, this.word(AT.stack), this.word(AT.stackSize));
    add(this.pointer(this.head, at.dataPage), this.word(at.dataPageOffset), this.word(at.dataPageOffset + 4));
    const { debuggerData } = this.header.facts;
    if (debuggerData !== undefined) add(debuggerData, this.word(at.debuggerOffset), this.word(at.debuggerOffset + 4));
    const table = this.table('blocks', this.word(at.blocks), this.word(at.blocks + 4), 16, MAX_BLOCKS);
    for (let entry = 0; entry < table.length; entry += 16) add(table.readBigUInt64LE(entry), table.readUInt32LE(entry + 8), table.readUInt32LE(entry + 12));
    const { blocks, missing, total } = layBlocks(all, file.size);
    if (missing > 0) this.warnings.push(truncationWarning(missing, total));
    return blocks;
  }

  kernelBase(): bigint | undefined {
    const data = readExactly(this.file, this.word(this.at.debuggerOffset), DEBUGGER.kernelBase + 8);
    return data?.toString('latin1', DEBUGGER.tag, DEBUGGER.tag + 4) === 'KDBG' ? data.readBigUInt64LE(DEBUGGER.kernelBase) : undefined;
  }

  objects(): TriageContent['objects'] {
    return (
      [
        { type: '_KPRCB', offset: this.word(AT.prcb) },
        { type: '_EPROCESS', offset: this.word(AT.process) },
        { type: '_ETHREAD', offset: this.word(AT.thread) },
      ] as const
    ).filter(({ offset }) => offset !== 0 && offset < this.file.size);
  }

  private word(offset: number): number {
    return this.head.readUInt32LE(offset);
  }

  private pointer(bytes: Buffer, offset: number): bigint {
    return this.at.pointer === 8 ? bytes.readBigUInt64LE(offset) : BigInt(bytes.readUInt32LE(offset));
  }

  /** The whole entries of a table that the file has; says where there are fewer than stated. */
  private table(what: string, offset: number, stated: number, entrySize: number, limit: number): Buffer {
    const room = offset === 0 ? 0 : Math.max(0, Math.floor((this.file.size - offset) / entrySize));
    const count = Math.min(stated, room, limit);
    if (count < stated) this.warnings.push(`${stated} ${what} by the header, of which ${count} can be read`);
    return readUpTo(this.file, offset, count * entrySize);
  }

  /** `DUMP_STRING`: characters, then the text in UTF-16. */
  private text(offset: number): string {
    const length = offset === 0 ? undefined : readExactly(this.file, offset, 4)?.readUInt32LE(0);
    return length === undefined || length > MAX_PATH ? '' : readUpTo(this.file, offset + 4, length * 2).toString('utf16le');
  }
}

/** An image without physical memory: its content is in the hints. */
class TriageImage implements PhysicalImage {
  readonly runs = [];
  readonly blockSize = FLAT_BLOCK;

  constructor(
    private readonly file: ImageFile,
    readonly format: string,
    readonly hints: ImageHints,
    readonly warnings: readonly string[],
  ) {}

  read(): number {
    return 0;
  }

  place(): FilePlace | undefined {
    return undefined;
  }

  close(): void {
    this.file.close();
  }
}
