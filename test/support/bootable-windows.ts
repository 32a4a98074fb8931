import type { ProfileSource } from '../../src/symbols/source.js';
import { type ForgedSystem, ForgedWindows } from './windows-kernel.js';

export interface BootOptions extends ForgedSystem {
  /** 32 hex digits */
  readonly guid: string;
  readonly age: number;
  readonly pdb: string;
  /** name of the first process; `System` where nothing is stated */
  readonly process?: string;
  /** without the first processor's control region */
  readonly headless?: boolean;
  /** exports and debug record stand in a page that does not follow the header's in physical memory */
  readonly scattered?: boolean;
  /** the tables map themselves, as Windows has it */
  readonly selfMap?: boolean;
}

/** Where the PE header stands, from the image's base. */
const NT = 0x80;
/** Bytes of the image: no kernel's variables lie farther from its base. */
const IMAGE_SIZE = 0x1100000;

/**
 * As much of a Windows kernel as detection goes by, with the layouts and symbols of a real profile: header, debug record, build string, the System process with a thread,
 * its list, the page that all processes share, and a processor. Page tables are real.
 */
export function bootableWindows(source: ProfileSource, options: BootOptions): ForgedWindows {
  const forged = ForgedWindows.from(source, options);
  const { image, base } = forged;
  const wide = image.types.pointerSize === 8;
  const header = imageStart(options, wide);
  image.write(base, header.subarray(0, 0x1000));
  image.room(0x1000, 0x1000);
  image.write(base + 0x1000n, header.subarray(0x1000));
  for (const name of ['NtBuildLab', 'NtBuildLabEx']) if (source.constants.get(name) !== undefined) image.string(forged.at(name), options.banner);
  const shared = wide ? 0xfffff78000000000n : 0xffdf0000n;
  forged.put(shared + 0x26cn, 4, options.version.major);
  forged.put(shared + 0x270n, 4, options.version.minor);
  // Objects lie in a page each: what is found in physical memory is in one piece.
  const process = image.room(0x1000, 0x1000);
  const thread = image.room(0x1000, 0x1000);
  image.pointer(forged.member('_EPROCESS', process, 'UniqueProcessId'), 4n);
  image.write(forged.member('_EPROCESS', process, 'ImageFileName'), Buffer.from(`${options.process ?? 'System'}\0\0`, 'latin1'));
  image.pointer(forged.member('_EPROCESS', process, 'Pcb') - process + forged.member('_KPROCESS', process, 'DirectoryTableBase'), BigInt(image.dtb));
  const owner = forged.has('_KTHREAD', 'Process') ? 'Tcb.Process' : 'Tcb.ApcState.Process';
  image.pointer(forged.member('_ETHREAD', thread, owner), process);
  forged.link(forged.member('_EPROCESS', process, 'ThreadListHead'), forged.member('_ETHREAD', thread, 'ThreadListEntry'));
  forged.link(forged.at('PsActiveProcessHead'), forged.member('_EPROCESS', process, 'ActiveProcessLinks'));
  image.pointer(forged.at('PsInitialSystemProcess'), process);
  forged.modules([{ name: 'ntoskrnl.exe', base, size: IMAGE_SIZE }, { name: 'hal.dll', base: base - 0x100000n, size: 0x50000 }]);
  if (options.headless !== true) {
    // The control region and the registers saved in it lie in one piece, as in a kernel's data.
    const { prcb } = forged.processor(0, image.room(0x8000, 0x1000));
    image.pointer(forged.member('_KPRCB', prcb, 'ProcessorState.SpecialRegisters.Cr3'), BigInt(image.dtb));
  }
  if (options.selfMap === true) mapTables(forged, options);
  return forged;
}

/** The first two pages of the image. */
function imageStart({ guid, age, pdb, scattered }: BootOptions, wide: boolean): Buffer {
  const page = Buffer.alloc(0x2000);
  const [exports, name, debug, record] = [0x400, 0x480, 0x500, 0x600].map((at) => at + (scattered === true ? 0x1000 : 0)) as [number, number, number, number];
  const u16 = (at: number, value: number): void => void page.writeUInt16LE(value, at);
  const u32 = (at: number, value: number): void => void page.writeUInt32LE(value, at);
  page.write('MZ', 'latin1');
  u32(0x3c, NT);
  page.write('PE\0\0', NT, 'latin1');
  u16(NT + 4, wide ? 0x8664 : 0x14c);
  u16(NT + 20, wide ? 240 : 224);
  u16(NT + 24, wide ? 0x20b : 0x10b);
  u32(NT + 24 + 56, IMAGE_SIZE);
  u32(NT + 24 + 60, 0x1000);
  const directories = NT + 24 + (wide ? 112 : 96);
  u32(directories - 4, 16);
  u32(directories, exports);
  u32(directories + 4, 0x100);
  u32(directories + 48, debug);
  u32(directories + 52, 28);
  u32(exports + 12, name);
  page.write('ntoskrnl.exe', name, 'latin1');
  u32(debug + 12, 2);
  u32(debug + 16, 24 + pdb.length + 1);
  u32(debug + 20, record);
  const bytes = Buffer.from(guid, 'hex');
  page.write('RSDS', record, 'latin1');
  u32(record + 4, bytes.readUInt32BE(0));
  u16(record + 8, bytes.readUInt16BE(4));
  u16(record + 10, bytes.readUInt16BE(6));
  bytes.copy(page, record + 12, 8);
  u32(record + 20, age);
  page.write(pdb, record + 24, 'latin1');
  return page;
}

/** The window of page tables onto themselves. */
function mapTables({ image }: ForgedWindows, { paging }: BootOptions): void {
  const { tables } = image;
  if (paging === 'i386-pae') {
    for (let index = 0n; index < 4n; index++) {
      const directory = Math.floor(tables.entryAddress(index << 30n, 1) / 4096) * 4096;
      tables.setEntry(0xc0000000n + index * 0x200000n, 1, BigInt(directory) | 0x63n);
    }
  } else tables.setEntry(paging === 'i386' ? 0xc0000000n : 0xfffff68000000000n, 0, BigInt(image.dtb) | 0x63n);
}
