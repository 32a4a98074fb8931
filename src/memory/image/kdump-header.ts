import { ImageError, type ImageFile } from '../image.js';
import { fixedText, readUpTo, u64At } from './bytes.js';

/** `struct disk_dump_header` and `struct kdump_sub_header` (makedumpfile 1.7, diskdump_mod.h and IMPLEMENTATION). */
export interface KdumpHeader {
  readonly version: number;
  /** `long` of the machine that was dumped. */
  readonly bits: 32 | 64;
  /** release, version and machine of struct new_utsname, as far as they are filled. */
  readonly kernel: string;
  readonly machine: string;
  /** Bytes of a page, which is also the unit of the header's sizes. */
  readonly blockSize: number;
  readonly subHeaderBlocks: number;
  readonly bitmapBlocks: number;
  /** Number of page frames that the bitmaps describe. */
  readonly pageCount: number;
  readonly status: number;
  /** Which pages were left out: bit 0 zero pages, bits 1 to 4 cache, private cache, user data, free pages. */
  readonly dumpLevel: number;
  /** The page frames of this part where the dump was split into several files. */
  readonly split?: { readonly start: number; readonly end: number };
  readonly vmcoreinfo?: Place;
  readonly notes?: Place;
}

/** Bytes in the file. */
export interface Place {
  readonly offset: number;
  readonly size: number;
}

const SIGNATURES = new Map([
  ['KDUMP   ', 'kdump'],
  ['DISKDUMP', 'diskdump'],
]);

/** Page sizes of all architectures that Linux runs on. */
const PAGE_SIZES = new Set([4096, 8192, 16384, 32768, 65536]);

/** signature, header_version, then six names of 65 bytes: sysname, nodename, release, version, machine, domainname. */
const UTSNAME = 12;
const NAME = 65;

/** Where `status` stands: after the time stamp, two `long`s that are aligned like one. */
const STATUS = { 32: 412, 64: 424 };

/** Reads both headers; undefined where the file is no kdump. Throws {@link ImageError} where they cannot be right. */
export function readKdumpHeader(file: ImageFile): KdumpHeader | undefined {
  const bytes = readUpTo(file, 0, 512);
  if (bytes.length < 12 || !SIGNATURES.has(bytes.toString('latin1', 0, 8))) return undefined;
  if (bytes.length < 512)
    throw new ImageError(`${file.path} is a kdump that ends inside its header. Acquire or copy it again.`);
  const version = bytes.readInt32LE(8);
  const name = (index: number): string => fixedText(bytes, UTSNAME + index * NAME, NAME);
  const machine = name(4);
  if (version > 0xffff && bytes.readInt32BE(8) <= 0xffff) {
    throw new ImageError(
      `${file.path} is a kdump of a big-endian machine (${machine}): only x86 and arm64 can be read. Try: crash VMLINUX ${file.path}`,
    );
  }
  const bits = widthOf(bytes, machine);
  if (bits === undefined) {
    throw new ImageError(
      `${file.path} has the signature of a kdump, but no sound header (page size ${bytes.readInt32LE(STATUS[64] + 4)}). See: makedumpfile --show-stats, crash, or acquire it again.`,
    );
  }
  const at = STATUS[bits];
  const blockSize = bytes.readInt32LE(at + 4);
  const main = {
    version,
    bits,
    machine,
    kernel: [name(2), name(3), machine].filter((text) => text !== '').join(' '),
    blockSize,
    subHeaderBlocks: bytes.readInt32LE(at + 8),
    bitmapBlocks: bytes.readUInt32LE(at + 12),
    status: bytes.readUInt32LE(at),
  };
  const pageCount = bytes.readUInt32LE(at + 16);
  if (bytes.toString('latin1', 0, 8) === 'DISKDUMP') return { ...main, pageCount, dumpLevel: 0 };
  const sub = readUpTo(file, blockSize, 128);
  if (sub.length < 128)
    throw new ImageError(`${file.path} is a kdump that ends inside its second header. Acquire or copy it again.`);
  return { ...main, ...subHeader(sub, version, bits, pageCount) };
}

/** The width at which the header makes sense; what `machine` says decides where both do. */
function widthOf(bytes: Buffer, machine: string): 32 | 64 | undefined {
  const sound = (bits: 32 | 64): boolean => {
    const at = STATUS[bits];
    const subHeaderBlocks = bytes.readInt32LE(at + 8);
    return PAGE_SIZES.has(bytes.readInt32LE(at + 4)) && subHeaderBlocks > 0 && subHeaderBlocks < 65536;
  };
  const likely = /^(i.86|arm|mips|ppc)$|^armv[1-7]/.test(machine) ? 32 : 64;
  if (sound(likely)) return likely;
  const other = likely === 64 ? 32 : 64;
  return sound(other) ? other : undefined;
}

/**
 * The sub header. `long` and `off_t` have 8 bytes in 64-bit dumps; in 32-bit ones `long` has 4 and `off_t` 8, aligned to 4
 * as i386 does.
 */
function subHeader(
  bytes: Buffer,
  version: number,
  bits: 32 | 64,
  pageCount: number,
): Pick<KdumpHeader, 'pageCount' | 'dumpLevel' | 'split' | 'vmcoreinfo' | 'notes'> {
  let at = bits / 8;
  const int = (): number => bytes.readInt32LE((at += 4) - 4);
  const wide = (): number => u64At(bytes, (at += 8) - 8) ?? -1;
  const long = (): number => (bits === 64 ? wide() : bytes.readUInt32LE((at += 4) - 4));
  const place = (): Place => ({ offset: wide(), size: long() });
  const dumpLevel = int();
  const split = int();
  const start = long();
  const end = long();
  const vmcoreinfo = place();
  const notes = place();
  place(); // erase information: what was filtered out of pages, of no use here
  const wideStart = wide();
  const wideEnd = wide();
  const widePageCount = wide();
  const sound = ({ offset, size }: Place): boolean => offset > 0 && size > 0;
  return {
    pageCount: version >= 6 ? widePageCount : pageCount,
    dumpLevel: version >= 1 ? dumpLevel : 0,
    ...(version >= 2 && split !== 0
      ? { split: version >= 6 ? { start: wideStart, end: wideEnd } : { start, end } }
      : {}),
    ...(version >= 3 && sound(vmcoreinfo) ? { vmcoreinfo } : {}),
    ...(version >= 4 && sound(notes) ? { notes } : {}),
  };
}
