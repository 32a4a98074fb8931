import { BlockSpace } from '../../../memory/blocks.js';
import { orElse } from '../../../memory/absent.js';
import { layBlocks } from '../../../memory/block-list.js';
import type { CrashHeader, TriageContent, VirtualBlock } from '../../../memory/crash.js';
import { BufferSpace } from '../../../memory/space.js';
import type { Struct } from '../../../object/struct.js';
import type { PhysicalSpace } from '../../../memory/physical.js';
import { openProfileFile } from '../../../symbols/open.js';
import type { Profile } from '../../../symbols/profile.js';
import type { DetectionOptions } from '../../detect.js';
import { DetectionError } from '../../error.js';
import { WindowsKernel } from '../kernel.js';
import type { Eprocess } from '../types.js';
import { profileAt } from './bootstrap.js';

/** Versions by the first build that has them (Microsoft, "Operating System Version"), newest first. */
const VERSIONS = [
  { build: 10240, major: 10, minor: 0 },
  { build: 9600, major: 6, minor: 3 },
  { build: 9200, major: 6, minor: 2 },
  { build: 7600, major: 6, minor: 1 },
  { build: 6000, major: 6, minor: 0 },
  { build: 3790, major: 5, minor: 2 },
  { build: 2600, major: 5, minor: 1 },
];

/**
 * The kernel of a triage dump: a space of blocks instead of page tables, and a profile that must be stated, because the dump does not
 * hold the record that names it. Verified by what the dump's header says of the kernel's variables. Throws DetectionError.
 */
export async function detectTriage(physical: PhysicalSpace, header: CrashHeader, triage: TriageContent, options: DetectionOptions): Promise<WindowsKernel> {
  const { trace } = options;
  const base = triage.kernelBase;
  trace.add('kernel', 'triage header', `${triage.drivers.length} drivers, ${triage.blocks.length} blocks, kernel at ${base === undefined ? 'an unknown address' : `0x${base.toString(16)}`}`);
  if (options.profile === undefined || base === undefined) {
    trace.add('symbols', 'profile', 'none is stated (--profile), and a triage dump does not hold the GUID of its kernel', 'failed');
    throw new DetectionError(needsProfile(header, triage), 'crashinfo', trace.steps);
  }
  const source = await openProfileFile(options.profile);
  const profile = profileAt(source, base, header.bits === 64 ? 8 : 4);
  const stated = [
    ['PsLoadedModuleList', header.loadedModuleList],
    ['PsActiveProcessHead', header.activeProcessHead],
    ['KdDebuggerDataBlock', header.debuggerData],
  ] as const;
  const wrong = stated.filter(([name, address]) => address !== undefined && profile.symbols.address(name) !== address);
  if (wrong.length > 0) {
    const names = wrong.map(([name, address]) => `${name} (0x${(address ?? 0n).toString(16)})`).join(', ');
    trace.add('symbols', `profile ${options.profile}`, `has another place for ${names}`, 'failed');
    throw new DetectionError(`The profile ${options.profile} is not of this dump's kernel: the dump's header has another place for ${names}. ${keyOf(triage)}`, 'crashinfo', trace.steps);
  }
  trace.add('symbols', `profile ${options.profile}`, `${stated.map(([name]) => name).join(', ')} are where the header says`, 'verified');
  const copies = copiesOf(physical, triage, profile, header.bits);
  for (const { type, address } of copies) trace.add('kernel', `${type} of the crash`, `0x${address.toString(16)}`, 'verified');
  const blocks = layBlocks([...triage.blocks, ...copies], Infinity).blocks;
  const space = new BlockSpace(physical, { blocks, read: triage.read }, header.bits);
  const lab = profile.symbols.address('NtBuildLabEx') ?? profile.symbols.address('NtBuildLab');
  const text = lab === undefined ? '' : orElse(() => space.readPartial(lab, 128).bytes.toString('latin1').replace(/\0.*$/s, ''), '');
  const banner = /^\d+\.[\x21-\x7e]+$/.test(text) ? text : `${header.build}, build string not in the dump`;
  const { major, minor } = VERSIONS.find(({ build }) => header.build >= build) ?? { major: 5, minor: 0 };
  const paging = physical.hints.architecture === 'arm64' ? 'arm64' : header.bits === 64 ? 'amd64' : header.pae ? 'i386-pae' : 'i386';
  return new WindowsKernel(physical, profile, { paging, dtb: header.directoryTable, base, guid: '', pdb: '' }, banner, { major, minor }, space, copies);
}

/**
 * The copies of the crash's objects as blocks at the objects' own addresses, which the dump does not state: the processor's block names
 * its thread, the thread its process; the processor's block is that of its number in nt!KiProcessorBlock. Believed where the thread
 * and the process belong together by their identifiers.
 */
function copiesOf(physical: PhysicalSpace, triage: TriageContent, profile: Profile, bits: 32 | 64): (VirtualBlock & { readonly type: string })[] {
  const sizeOf = (type: string): number => profile.struct(type).size ?? 0;
  const at = (type: string): Struct | undefined => {
    const offset = triage.objects.find((object) => object.type === type)?.offset;
    if (offset === undefined || !profile.has(type)) return undefined;
    const bytes = triage.read(offset, sizeOf(type));
    return bytes.length > 0 && bytes.length === sizeOf(type) ? profile.struct(type).at(new BufferSpace(bytes, 0n, type, bits), 0n) : undefined;
  };
  return orElse(() => {
    const [prcb, process, thread] = [at('_KPRCB'), at('_EPROCESS'), at('_ETHREAD')];
    if (!prcb || !process || !thread) return [];
    const client = (thread.$get('Cid') as Struct).$get('UniqueProcess') as bigint | number;
    if (BigInt(client) !== BigInt((process as Eprocess).UniqueProcessId)) return [];
    const table = profile.symbols.address('KiProcessorBlock');
    const pointer = BigInt(bits / 8);
    const space = new BlockSpace(physical, triage, bits);
    const own = table === undefined ? 0n : orElse(() => space.readPointer(table + BigInt(prcb.$get('Number') as number) * pointer), 0n);
    const addresses = { _KPRCB: own, _ETHREAD: prcb.$pointer('CurrentThread'), _EPROCESS: (thread.$get('Tcb') as Struct).$pointer('Process') };
    return triage.objects.flatMap(({ type, offset }) => {
      const address = addresses[type];
      return address === 0n ? [] : [{ type, address, offset, length: sizeOf(type) }];
    });
  }, []);
}

function needsProfile(header: CrashHeader, triage: TriageContent): string {
  return (
    `This is a triage dump of Windows build ${header.build}. It does not hold the GUID of its kernel, so that the profile must be stated: ` +
    `--profile FILE (Volatility 3 symbol file, Rekall JSON or the PDB). ${keyOf(triage)}\nWhat the dump itself says needs no profile: crashinfo, crashdrivers.`
  );
}

/** Which kernel it is, as symbol servers name executables: time stamp and size. */
function keyOf({ drivers: [first] }: TriageContent): string {
  if (!first) return '';
  const key = `${first.timeDateStamp.toString(16).toUpperCase().padStart(8, '0')}${first.size.toString(16)}`;
  return `Its kernel is on symbol servers as ntoskrnl.exe/${key}/ntoskrnl.exe, whose debug directory names the PDB.`;
}
