import { ImageError, type ImageFile, type ImageFormat, type ImageHints, type PhysicalImage } from '../image.js';
import { readBytes } from './file.js';
import { FLAT_BLOCK } from './raw.js';
import { clipToFile, type Extent, orderExtents, readExtents, runsOf, truncationWarning } from './runs.js';

/** ELF constants (System V ABI, chapter 4; include/uapi/linux/elf.h). */
const ET_CORE = 4;
const PT_LOAD = 1;
const PT_NOTE = 4;
const PN_XNUM = 0xffff;
const MACHINES: Readonly<Record<number, 'amd64' | 'i386' | 'arm64'>> = { 3: 'i386', 62: 'amd64', 183: 'arm64' };
/** No dump has more segments. */
const MOST_SEGMENTS = 1 << 16;
const LARGEST_NOTE = 16 * 1024 * 1024;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly virtual: bigint;
  /** as stated; all ones where the producer had none (/proc/kcore) */
  readonly physical: bigint;
  readonly fileSize: number;
}

/** ELF core files of a whole machine: QEMU, VirtualBox, kexec's /proc/vmcore, /proc/kcore, makedumpfile -E. */
export const elfCore: ImageFormat = {
  name: 'ELF core',
  open(file: ImageFile): PhysicalImage | undefined {
    const head = readBytes(file, 0, 64);
    if (head.length < 52 || head.readUInt32BE(0) !== 0x7f454c46) return undefined;
    const wide = head[4] === 2;
    if (head[5] !== 1) throw new ImageError(`${file.path} is a big-endian ELF file, which is not supported.`);
    if (head.readUInt16LE(16) !== ET_CORE) {
      throw new ImageError(`${file.path} is an ELF program or library, not a core of a machine. Try: rekall -f IMAGE --profile ${file.path}`);
    }
    const segments = readSegments(file, head, wide);
    const notes = readNotes(file, segments);
    const loads = segments.filter((segment) => segment.type === PT_LOAD);
    const { extents: stated, warnings } = place(file, loads, wide);
    const { extents, missing } = clipToFile(orderExtents(stated), file.size);
    const total = stated.reduce((sum, extent) => sum + extent.end - extent.start, 0);
    if (missing > 0) warnings.push(truncationWarning(missing, total));
    if (extents.length === 0) throw new ImageError(`${file.path} is an ELF core whose segments hold no physical memory. Try: readelf -l ${file.path}`);
    const architecture = MACHINES[head.readUInt16LE(18)];
    const hints: ImageHints = { ...(architecture ? { architecture } : {}), ...notes, segments: virtualSegments(loads) };
    return {
      format: `ELF${wide ? 64 : 32} core`,
      runs: runsOf(extents),
      blockSize: FLAT_BLOCK,
      hints,
      warnings,
      read: (physical, target, targetOffset, length) => readExtents(file, extents, physical, target, targetOffset, length),
      close: () => file.close(),
    };
  },
};

function readSegments(file: ImageFile, head: Buffer, wide: boolean): Segment[] {
  const offset = wide ? Number(head.readBigUInt64LE(32)) : head.readUInt32LE(28);
  const size = head.readUInt16LE(wide ? 54 : 42);
  let count = head.readUInt16LE(wide ? 56 : 44);
  if (count === PN_XNUM) {
    // The true count is in sh_info of section 0.
    const sections = wide ? Number(head.readBigUInt64LE(40)) : head.readUInt32LE(32);
    const section = readBytes(file, sections, wide ? 64 : 40);
    if (section.length === (wide ? 64 : 40)) count = section.readUInt32LE(wide ? 44 : 28);
  }
  const expected = wide ? 56 : 32;
  if (size !== expected || count > MOST_SEGMENTS) {
    throw new ImageError(`${file.path} is an ELF core with a damaged header (${count} segments of ${size} bytes). Try: readelf -h ${file.path}`);
  }
  const table = readBytes(file, offset, count * size);
  const segments: Segment[] = [];
  for (let at = 0; at + size <= table.length; at += size) {
    segments.push(
      wide
        ? {
            type: table.readUInt32LE(at),
            offset: Number(table.readBigUInt64LE(at + 8)),
            virtual: table.readBigUInt64LE(at + 16),
            physical: table.readBigUInt64LE(at + 24),
            fileSize: Number(table.readBigUInt64LE(at + 32)),
          }
        : {
            type: table.readUInt32LE(at),
            offset: table.readUInt32LE(at + 4),
            virtual: BigInt(table.readUInt32LE(at + 8)),
            physical: BigInt(table.readUInt32LE(at + 12)),
            fileSize: table.readUInt32LE(at + 16),
          },
    );
  }
  return segments;
}

/**
 * Where the segments lie in physical memory. /proc/kcore states no address (all ones, or 0 before 4.8) for what is not RAM;
 * where it states none at all, the direct map tells: its lowest segment is physical 0.
 */
function place(file: ImageFile, loads: readonly Segment[], wide: boolean): { extents: Extent[]; warnings: string[] } {
  const none = wide ? 0xffffffffffffffffn : 0xffffffffn;
  const warnings: string[] = [];
  const stated = loads.filter((segment) => segment.physical !== none && segment.physical < 1n << 52n);
  const allZero = stated.length > 1 && stated.every((segment) => segment.physical === 0n);
  if (!allZero) return { extents: stated.map((segment) => extent(segment, Number(segment.physical))), warnings };
  const direct = loads.filter((segment) => segment.virtual >= 0xff00000000000000n && segment.virtual < 0xffffe00000000000n);
  const lowest = direct.reduce((low, segment) => (segment.virtual < low ? segment.virtual : low), none);
  if (direct.length === 0) throw new ImageError(`${file.path} states no physical addresses. Try: dd if=/proc/kcore, or an imager such as avml`);
  // The direct map begins at a 1 GiB boundary; RAM begins within its first 64 KiB or MiB.
  const base = lowest & ~0x3fffffffn;
  warnings.push(`the file states no physical addresses: the direct map is taken to begin at 0x${base.toString(16)}`);
  return { extents: direct.map((segment) => extent(segment, Number(segment.virtual - base))), warnings };
}

function extent(segment: Segment, physical: number): Extent {
  return { start: physical, end: physical + segment.fileSize, offset: segment.offset };
}

function virtualSegments(loads: readonly Segment[]): ImageHints['segments'] {
  return loads
    .filter((segment) => segment.virtual !== 0n && segment.physical < 1n << 52n)
    .map((segment) => ({ virtual: segment.virtual, physical: Number(segment.physical), length: segment.fileSize }));
}

function readNotes(file: ImageFile, segments: readonly Segment[]): Pick<ImageHints, 'pageTableRoots' | 'vmcoreinfo'> {
  const roots: bigint[] = [];
  let vmcoreinfo: string | undefined;
  for (const segment of segments) {
    if (segment.type !== PT_NOTE) continue;
    const bytes = readBytes(file, segment.offset, Math.min(segment.fileSize, LARGEST_NOTE));
    for (const { name, content } of notesIn(bytes)) {
      if (name === 'VMCOREINFO') vmcoreinfo = content.toString('latin1').replace(/\0+$/, '');
      const root = name === 'QEMU' ? qemuCr3(content) : undefined;
      if (root !== undefined) roots.push(root);
    }
  }
  return { ...(roots.length > 0 ? { pageTableRoots: roots } : {}), ...(vmcoreinfo === undefined ? {} : { vmcoreinfo }) };
}

/** Notes of a PT_NOTE segment: name size, content size, type, then both padded to 4 bytes. */
export function* notesIn(bytes: Buffer): Generator<{ name: string; content: Buffer }> {
  let at = 0;
  while (at + 12 <= bytes.length) {
    const nameSize = bytes.readUInt32LE(at);
    const contentSize = bytes.readUInt32LE(at + 4);
    const nameAt = at + 12;
    const contentAt = nameAt + Math.ceil(nameSize / 4) * 4;
    const end = contentAt + contentSize;
    if (end > bytes.length) return;
    yield { name: bytes.toString('latin1', nameAt, nameAt + nameSize).replace(/\0+$/, ''), content: bytes.subarray(contentAt, end) };
    at = contentAt + Math.ceil(contentSize / 4) * 4;
  }
}

/** CR3 in QEMU's CPU note: QEMUCPUState, version 1 (target/i386/arch_dump.c): two words, 18 registers, 10 segments of 24 bytes, CR0 … */
function qemuCr3(content: Buffer): bigint | undefined {
  const at = 8 + 18 * 8 + 10 * 24 + 3 * 8;
  if (content.length < at + 8 || content.readUInt32LE(0) !== 1) return undefined;
  return content.readBigUInt64LE(at);
}
