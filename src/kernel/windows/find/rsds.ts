import type { Steps } from '../../../memory/breathe.js';
import type { PhysicalSpace } from '../../../memory/physical.js';
import { occurrenceSteps, readPhysical } from '../../../symbols/window.js';

/** What the linker left in an executable for debuggers (CV_INFO_PDB70): which PDB belongs to it. */
export interface RsdsRecord {
  /** physical address of the signature */
  readonly physical: number;
  /** 32 hex digits, as symbol servers write them */
  readonly guid: string;
  readonly age: number;
  /** name of the PDB without its path */
  readonly pdb: string;
  /** the name with the path of the build machine */
  readonly path: string;
}

/** Bytes in front of the name: signature, GUID, age. */
const HEADER = 24;
const LONGEST_NAME = 260;
/** What stands in names of PDBs; a record with anything else is a chance hit or rubbish. */
const NAME = /^[\x20-\x7e]{1,260}\.pdb$/i;

/** GUID and age as profile repositories name them. */
export function guidAge({ guid, age }: { guid: string; age: number }): string {
  return `${guid}${age.toString(16).toUpperCase()}`;
}

/** RSDS records in physical memory, ascending, in steps. */
export function* rsdsSteps(physical: PhysicalSpace, from = 0, to = physical.end): Steps<RsdsRecord> {
  for (const at of occurrenceSteps(physical, Buffer.from('RSDS', 'latin1'), from, to)) yield at === undefined ? undefined : rsdsAt(physical, at);
}

/** The record at a physical address, where there is one that makes sense. */
export function rsdsAt(physical: PhysicalSpace, at: number): RsdsRecord | undefined {
  // At the end of memory, or in front of a hole, there is less.
  const most = Math.min(HEADER + LONGEST_NAME, physical.end - at);
  const bytes = readPhysical(physical, at, most) ?? readPhysical(physical, at, Math.min(most, 4096 - (at % 4096)));
  return bytes ? parseRsds(bytes, at) : undefined;
}

/** Reads a record from its bytes. */
export function parseRsds(bytes: Buffer, physical: number): RsdsRecord | undefined {
  if (bytes.length <= HEADER || bytes.toString('latin1', 0, 4) !== 'RSDS') return undefined;
  const end = bytes.indexOf(0, HEADER);
  if (end < 0) return undefined;
  const path = bytes.toString('latin1', HEADER, end);
  const age = bytes.readUInt32LE(20);
  if (!NAME.test(path) || age > 0xffff) return undefined;
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  const guid = `${hex(bytes.readUInt32LE(4), 8)}${hex(bytes.readUInt16LE(8), 4)}${hex(bytes.readUInt16LE(10), 4)}${bytes.toString('hex', 12, 20)}`.toUpperCase();
  return { physical, guid, age, pdb: path.split(/[\\/]/).at(-1) ?? path, path };
}

/** Names that Microsoft gives the PDB of its kernels: multi-processor and not, with PAE and not. */
const KERNELS: ReadonlySet<string> = new Set(['ntoskrnl.pdb', 'ntkrnlmp.pdb', 'ntkrnlpa.pdb', 'ntkrpamp.pdb']);

/** True for the record of a kernel. */
export function isKernelPdb(name: string): boolean {
  return KERNELS.has(name.toLowerCase());
}
