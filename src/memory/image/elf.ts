import { ImageError, type ImageFile, type ImageFormat, type ImageHints, type PhysicalImage } from '../image.js';
import { hex, MAX_TABLE_BYTES, readExactly, readUpTo, sizeText, toNumber } from './bytes.js';
import { readHeader, readProgramHeaders, type ElfHeader, type ProgramHeader } from './elf-header.js';
import { placeSegments } from './elf-place.js';
import { FlatImage, layOut, type Extent } from './flat.js';
import { factsOf, hintsOf, notesIn, type Note, type NoteFacts } from './notes.js';

const ET_NAMES = new Map([
  [1, 'a relocatable object (a kernel module?)'],
  [2, 'a program (a vmlinux?)'],
  [3, 'a shared object or program'],
]);
const ET_CORE = 4;
const PT_LOAD = 1;
const PT_NOTE = 4;

/** e_machine of the architectures that have a name here. */
const MACHINES = new Map<number, NonNullable<ImageHints['architecture']>>([
  [3, 'i386'],
  [62, 'amd64'],
  [183, 'arm64'],
]);

/**
 * ELF cores of machines: QEMU's `dump-guest-memory`, VirtualBox' `dumpvmcore`, /proc/kcore, /proc/vmcore, makedumpfile -E.
 * The format is the System V ABI's; bytes of a segment beyond `p_filesz` are not in the image (VirtualBox' device memory).
 */
export const elfFormat: ImageFormat = {
  name: 'ELF core',
  open(file: ImageFile): PhysicalImage | undefined {
    const header = readHeader(file);
    return header && openCore(file, header);
  },
};

function openCore(file: ImageFile, header: ElfHeader): PhysicalImage {
  if (header.type !== ET_CORE) {
    const what = ET_NAMES.get(header.type) ?? `an ELF file of type ${header.type}`;
    throw new ImageError(`${file.path} is ${what}, not the core of a machine. See: file ${file.path}`);
  }
  const warnings: string[] = [];
  const segments = readProgramHeaders(file, header, warnings);
  const facts = factsOf(notes(file, segments, warnings));
  if (facts.process) {
    throw new ImageError(`${file.path} is the core of a process, not of a machine. Try: gdb -c ${file.path}`);
  }
  const loads = segments.filter((segment) => segment.type === PT_LOAD && segment.fileSize > 0n);
  if (loads.length === 0) {
    throw new ImageError(
      `${file.path} is an ELF core without memory: none of its ${segments.length} segments holds bytes. See: readelf -lW ${file.path}`,
    );
  }
  const architecture = facts.longMode === false ? 'i386' : MACHINES.get(header.machine);
  if (architecture === undefined) warnings.push(`unknown processor (e_machine ${header.machine})`);
  const { placed, mapped, live } = placeSegments(file.path, loads, architecture, warnings);
  const extents = extentsOf(file.path, placed, warnings);
  // The size that stat gives for /proc/kcore is that of the address space: no truncation can be told.
  const layout = layOut(extents, live ? Infinity : file.size, live || placed.some((segment) => segment.virtual !== 0n));
  warnings.push(...layout.warnings);
  if (layout.extents.length === 0) {
    throw new ImageError(
      `${file.path} is an ELF core that was cut off before its memory begins (it has ${sizeText(file.size)}). Acquire or copy it again.`,
    );
  }
  const kind = facts.virtualBox ? ' (VirtualBox)' : live ? ' (kcore)' : '';
  return new FlatImage(
    file,
    `ELF${header.bits} core${kind}`,
    layout.extents,
    warnings,
    hints(facts, mapped, architecture),
  );
}

function hints(
  facts: NoteFacts,
  segments: readonly PlacedSegment[],
  architecture: ImageHints['architecture'],
): ImageHints {
  // QEMU writes the physical address into p_vaddr too: an identity is no mapping of the kernel.
  const mapped = segments.filter(
    ({ virtual, physical }) => virtual !== 0n && virtual !== BigInt(physical) && Number.isSafeInteger(physical),
  );
  return {
    // The registers' layout is that of x86.
    ...hintsOf(architecture === 'arm64' ? { ...facts, controlRegisters: [] } : facts),
    ...(architecture === undefined ? {} : { architecture }),
    ...(mapped.length === 0
      ? {}
      : { segments: mapped.map(({ virtual, physical, length }) => ({ virtual, physical, length })) }),
  };
}

/** A segment that holds physical memory. */
export interface PlacedSegment extends Extent {
  /** `p_vaddr`, 0 where it is not set. */
  readonly virtual: bigint;
}

function extentsOf(path: string, placed: readonly PlacedSegment[], warnings: string[]): Extent[] {
  const sound = placed.filter(
    ({ physical, length, offset }) => Number.isSafeInteger(physical + length) && Number.isSafeInteger(offset + length),
  );
  if (sound.length === 0) {
    // With five-level page tables /proc/kcore has places of 56 bits.
    throw new ImageError(
      `${path} has its memory beyond 8 PiB, at places that cannot be read here. Acquire physical memory instead: avml image.lime`,
    );
  }
  if (sound.length < placed.length) {
    const first = placed.find((segment) => !sound.includes(segment)) as PlacedSegment;
    warnings.push(
      `${placed.length - sound.length} segments lie beyond 8 PiB (the first at ${hex(first.physical)}): left out`,
    );
  }
  return sound;
}

function* notes(file: ImageFile, segments: readonly ProgramHeader[], warnings: string[]): Generator<Note> {
  let left = MAX_TABLE_BYTES;
  for (const segment of segments) {
    if (segment.type !== PT_NOTE) continue;
    const offset = toNumber(segment.offset);
    const size = toNumber(segment.fileSize);
    if (offset === undefined || size === undefined || size > left) {
      warnings.push('a note segment has an impossible size: left out');
      continue;
    }
    left -= size;
    // A file that ends inside its notes still has the first of them.
    const bytes =
      readExactly(file, offset, size) ?? readUpTo(file, offset, Math.max(0, Math.min(size, file.size - offset)));
    yield* notesIn(bytes);
  }
}
