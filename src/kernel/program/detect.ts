import type { PhysicalSpace } from '../../memory/physical.js';
import { orElse } from '../../memory/absent.js';
import { BasedSymbols } from '../../symbols/based.js';
import { OverlayTypes } from '../../symbols/overlay.js';
import { PeFileSpace } from '../../symbols/pe/file.js';
import { LoadedPe } from '../../symbols/pe/loaded.js';
import { Profile } from '../../symbols/profile.js';
import { ConstantMap, type ProfileSource } from '../../symbols/source.js';
import type { TypeSource } from '../../symbols/types.js';
import { readPhysical } from '../../symbols/window.js';
import type { DetectionOptions } from '../detect.js';
import { DetectionError } from '../error.js';
import { type Kernel, ownSpace } from '../kernel.js';
import { firstProfile, statedProfile } from '../named-profile.js';
import { ProfiledKernel } from '../profiled.js';
import { windowsOverlay } from '../windows/overlays.js';
import { ProgramSpace } from './space.js';

/** Bytes of a program's file at most. */
const MOST = 1 << 29;

/** A program's file in the place of a kernel: its names, its types, and its content at the addresses that it is linked for. */
export class Program extends ProfiledKernel implements Kernel {
  readonly os = 'program';

  constructor(
    readonly physical: PhysicalSpace,
    readonly space: ProgramSpace,
    readonly profile: Profile,
    readonly pe: LoadedPe,
    /** what its names are called by: `nt` for a kernel, otherwise its file's name without extension */
    readonly moduleName: string,
  ) {
    super();
    ownSpace(this);
  }

  get banner(): string {
    return this.pe.exportedName() ?? this.moduleName;
  }

  get description(): string {
    const machine = { 0x14c: 'x86', 0x8664: 'x64', 0xaa64: 'ARM64' }[this.pe.machine] ?? `machine 0x${this.pe.machine.toString(16)}`;
    return `the program ${this.banner} (${machine}), a file and no memory`;
  }

  get extent(): { start: bigint; end: bigint } {
    return this.space.extent;
  }
}

/** The program that an image is. Throws DetectionError where its headers make no sense. */
export async function detectProgram(physical: PhysicalSpace, options: DetectionOptions): Promise<Program> {
  const { trace } = options;
  const bytes = physical.end > MOST ? undefined : readPhysical(physical, 0, physical.end);
  const file = bytes && orElse(() => new PeFileSpace(bytes, 'program'), undefined);
  const pe = file && LoadedPe.at(file, file.base);
  if (!file || !pe) {
    trace.add('format', 'PE header', bytes ? 'does not make sense' : 'the file is larger than 512 MiB', 'failed');
    throw new DetectionError('This is a Windows program whose headers cannot be read.', 'dump 0 P', trace.steps);
  }
  const debug = pe.debug();
  const own = pe.exportedName() ?? debug?.pdb ?? 'program';
  trace.add('format', 'PE header', `${own}, linked for 0x${file.base.toString(16)}, ${pe.sections.length} sections${debug ? `, ${debug.pdb} ${debug.guid}${debug.age.toString(16).toUpperCase()}` : ', no debug record'}`);
  const stem = own.toLowerCase().replace(/\.\w+$/, '');
  const name = KERNELS.has(stem) ? 'nt' : stem;
  const source = (await statedProfile(options)) ?? (debug && (await profileOf(namesOf(name, debug), options)));
  const space = new ProgramSpace(physical, file, pe.header);
  return new Program(physical, space, profile(source, pe), pe, name);
}

const KERNELS: ReadonlySet<string> = new Set(['ntoskrnl', 'ntkrnlmp', 'ntkrnlpa', 'ntkrpamp']);

/** Names that its profile may have: in Rekall's repository by the module or the PDB, in a symbol store of Volatility 3, in one of PDBs. */
function namesOf(module: string, { guid, age, pdb }: { readonly guid: string; readonly age: number; readonly pdb: string }): string[] {
  const key = `${guid}${age.toString(16).toUpperCase()}`;
  const stem = pdb.replace(/\.pdb$/i, '').toLowerCase();
  return [...new Set([`${module}/GUID/${key}`, `${stem}/GUID/${key}`, `GUID/${key}`, `${pdb}/${guid}-${age}`, `${pdb}/${key}/${pdb}`])];
}

async function profileOf(names: readonly string[], options: DetectionOptions): Promise<ProfileSource | undefined> {
  const found = await firstProfile(names, options);
  if (!found) options.trace.add('symbols', `profile ${names[0] ?? ''}`, 'in no repository: names are those of its exports', 'note');
  return found;
}

const NO_TYPES: TypeSource = { struct: () => undefined, enum: () => undefined, typedef: () => undefined, structNames: () => [], enumNames: () => [] };

/** Names of the profile and exports that it does not have. */
function profile(source: ProfileSource | undefined, pe: LoadedPe): Profile {
  const names = new Map<string, bigint>();
  for (const [name, offset] of source?.constants.entries() ?? []) names.set(name, offset);
  for (const { name, rva, forwarder } of pe.exports()) if (forwarder === undefined && !names.has(name)) names.set(name, BigInt(rva));
  const functions = new Set([...pe.exports()].map(({ name }) => name).filter((name) => source?.constants.kind(name) !== 'data'));
  for (const name of names.keys()) if (source?.constants.kind(name) === 'function') functions.add(name);
  const constants = new ConstantMap(names, functions, (name) => source?.constants.type(name));
  const pointer = pe.header.wide ? 8 : 4;
  return new Profile(
    source ? new OverlayTypes(source.types, windowsOverlay(pointer)) : NO_TYPES,
    new BasedSymbols(constants, pe.base),
    { ...source?.metadata, source: source?.metadata.source ?? 'exports of the program', os: 'windows', arch: pointer === 4 ? 'I386' : 'AMD64' },
    (name) => constants.type(name),
    source?.dynamic,
    (address) => source?.line?.(Number(address - pe.base)),
  );
}
