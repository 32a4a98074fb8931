/** Notes of ELF cores and kdump files: what they say about the CPUs and the kernel. */

/** One note. The formats are those of the ELF specification: three 32-bit fields, name and descriptor padded to 4 bytes. */
export interface Note {
  readonly name: string;
  readonly type: number;
  readonly descriptor: Buffer;
}

/** Control registers of one CPU at the time of the dump. */
export interface ControlRegisters {
  readonly cr0: bigint;
  readonly cr3: bigint;
  readonly cr4: bigint;
}

/** What the notes of a dump say. */
export interface NoteFacts {
  readonly vmcoreinfo?: string;
  readonly controlRegisters: readonly ControlRegisters[];
  /** Set where a note tells that the CPUs ran in (or outside of) long mode, whatever the ELF header says. */
  readonly longMode?: boolean;
  readonly virtualBox: boolean;
  /** A note that only the dump of a process has. */
  readonly process: boolean;
}

const NT_AUXV = 6;
const NT_FILE = 0x46494c45;

/**
 * `QEMUCPUState` of QEMU 1.1 and newer (target/i386/arch_dump.c): version and size (32 bits each), 18 registers, 10 segments of
 * 24 bytes, then `cr[5]`.
 */
const QEMU_CR0 = 8 + 18 * 8 + 10 * 24;
const QEMU_SIZE = QEMU_CR0 + 5 * 8;

/**
 * VirtualBox (include/VBox/vmm/dbgfcorefmt.h): notes `VBCORE` (0xb00) and `VBCPU` (0xb01, 0xb02 before 4.3);
 * `DBGFCORECPU` has 18 registers, 6 selectors of 24 bytes, then CR0, CR2, CR3, CR4.
 */
const VIRTUALBOX_CR0 = 18 * 8 + 6 * 24;
/** After CR4: 8 debug registers, GDTR and IDTR (16 bytes each), LDTR and TR (24 bytes each), three sysenter values. */
const VIRTUALBOX_EFER = VIRTUALBOX_CR0 + 4 * 8 + 8 * 8 + 2 * 16 + 2 * 24 + 3 * 8;
const EFER_LONG_MODE_ACTIVE = 0x400n;

/** The notes in the bytes of a note segment, up to the first that cannot be one. */
export function* notesIn(bytes: Buffer): Generator<Note> {
  let at = 0;
  while (at + 12 <= bytes.length) {
    const nameSize = bytes.readUInt32LE(at);
    const size = bytes.readUInt32LE(at + 4);
    const type = bytes.readUInt32LE(at + 8);
    if (nameSize === 0 && size === 0 && type === 0) return;
    const descriptor = at + 12 + padded(nameSize);
    if (descriptor + size > bytes.length) return;
    const name = bytes.toString('latin1', at + 12, at + 12 + nameSize).replace(/\0.*$/s, '');
    yield { name, type, descriptor: bytes.subarray(descriptor, descriptor + size) };
    at = descriptor + padded(size);
  }
}

function padded(size: number): number {
  return Math.ceil(size / 4) * 4;
}

/** Gathers what matters from the notes of a dump. */
export function factsOf(notes: Iterable<Note>): NoteFacts {
  let vmcoreinfo: string | undefined;
  let longMode: boolean | undefined;
  let virtualBox = false;
  let process = false;
  const controlRegisters: ControlRegisters[] = [];
  for (const { name, type, descriptor } of notes) {
    if (name === 'VMCOREINFO') vmcoreinfo ??= textOf(descriptor);
    else if (name === 'QEMU') {
      if (descriptor.length >= QEMU_SIZE) controlRegisters.push(registersAt(descriptor, QEMU_CR0, 3, 4));
    } else if (name === 'VBCORE') virtualBox = true;
    else if (name === 'VBCPU') {
      virtualBox = true;
      if (descriptor.length >= VIRTUALBOX_CR0 + 32)
        controlRegisters.push(registersAt(descriptor, VIRTUALBOX_CR0, 2, 3));
      if (descriptor.length >= VIRTUALBOX_EFER + 8) {
        longMode = (descriptor.readBigUInt64LE(VIRTUALBOX_EFER) & EFER_LONG_MODE_ACTIVE) !== 0n;
      }
    } else if (name === 'CORE' && (type === NT_AUXV || type === NT_FILE)) process = true;
  }
  return {
    controlRegisters,
    virtualBox,
    process,
    ...(vmcoreinfo === undefined ? {} : { vmcoreinfo }),
    ...(longMode === undefined ? {} : { longMode }),
  };
}

/** The text of a VMCOREINFO descriptor, without the NULs that pad it. */
export function textOf(descriptor: Buffer): string {
  return descriptor.toString('latin1').replace(/\0+$/, '');
}

function registersAt(descriptor: Buffer, cr0: number, indexOfCr3: number, indexOfCr4: number): ControlRegisters {
  return {
    cr0: descriptor.readBigUInt64LE(cr0),
    cr3: descriptor.readBigUInt64LE(cr0 + indexOfCr3 * 8),
    cr4: descriptor.readBigUInt64LE(cr0 + indexOfCr4 * 8),
  };
}

/** The hints that note facts give: distinct page table roots, control registers, VMCOREINFO. */
export function hintsOf(facts: NoteFacts): {
  pageTableRoots?: readonly bigint[];
  controlRegisters?: readonly ControlRegisters[];
  vmcoreinfo?: string;
} {
  const { controlRegisters, vmcoreinfo } = facts;
  return {
    ...(controlRegisters.length > 0
      ? { controlRegisters, pageTableRoots: [...new Set(controlRegisters.map((cpu) => cpu.cr3))] }
      : {}),
    ...(vmcoreinfo === undefined ? {} : { vmcoreinfo }),
  };
}
