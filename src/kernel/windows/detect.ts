import { existsSync } from 'node:fs';
import { breathing, type Steps } from '../../memory/breathe.js';
import { createPagedSpace, type PagingKind } from '../../memory/paging/create.js';
import type { PhysicalSpace } from '../../memory/physical.js';
import { orElse } from '../../memory/absent.js';
import { BasedSymbols } from '../../symbols/based.js';
import { ProfileError } from '../../symbols/error.js';
import { openProfileFile } from '../../symbols/open.js';
import { OverlayTypes } from '../../symbols/overlay.js';
import { Profile } from '../../symbols/profile.js';
import type { ProfileRepository } from '../../symbols/repository/repository.js';
import type { ProfileSource } from '../../symbols/source.js';
import type { DetectionOptions } from '../detect.js';
import { DetectionError } from '../error.js';
import { statedProfile } from '../named-profile.js';
import { kernelBase } from './base.js';
import { pagingsOf, rootsOfHeader, rootsOfProcesses, rootsThatNameThemselves, sharedVersion, type WindowsRoot } from './dtb.js';
import { WindowsKernel } from './kernel.js';
import { detectTriage } from './triage.js';
import { windowsOverlay } from './overlays.js';
import { guidAge, isKernelPdb, rsdsAt, type RsdsRecord, rsdsSteps } from './rsds.js';

/** What a second open of an image needs to know. */
interface Remembered {
  readonly record: number;
  readonly guid: string;
  readonly profile: string;
  readonly paging: PagingKind;
  readonly dtb: number;
  readonly base: string;
}
const CACHE_KEY = 'windows';

/** Finds a Windows kernel. Undefined when the image has none; throws DetectionError when one is there but cannot be used. */
export async function detectWindows(physical: PhysicalSpace, options: DetectionOptions): Promise<WindowsKernel | undefined> {
  const { crash } = physical.hints;
  if (crash?.triage) return detectTriage(physical, crash.header, crash.triage, options);
  const recalled = await recall(physical, options);
  if (recalled) return recalled;
  const records = await kernelRecords(physical, options);
  if (records.length === 0) return undefined;
  const tried: string[] = [];
  for (const record of records) {
    const source = await profileOf(record, options, tried);
    if (!source) continue;
    const kernel = await locate(physical, record, source, options);
    if (!kernel) continue;
    options.cache.set(CACHE_KEY, {
      record: record.physical,
      guid: guidAge(record),
      profile: source.metadata.source,
      paging: kernel.location.paging,
      dtb: kernel.location.dtb,
      base: kernel.location.base.toString(),
    } satisfies Remembered);
    return kernel;
  }
  throw failure(records, tried, options);
}

/** RSDS records of kernels, each GUID once: an image may hold several kernels (updates that wait for a restart, files in the cache). */
async function kernelRecords(physical: PhysicalSpace, { trace, signal }: DetectionOptions): Promise<RsdsRecord[]> {
  const found = new Map<string, RsdsRecord>();
  for await (const record of breathing(rsdsSteps(physical), signal)) {
    if (!isKernelPdb(record.pdb) || found.has(guidAge(record))) continue;
    found.set(guidAge(record), record);
    trace.add('kernel', 'RSDS records', `${record.pdb} ${guidAge(record)} at 0x${record.physical.toString(16)}`);
  }
  if (found.size === 0) trace.add('kernel', 'RSDS records', 'none of a Windows kernel', 'failed');
  return [...found.values()];
}

async function profileOf(record: RsdsRecord, options: DetectionOptions, tried: string[]): Promise<ProfileSource | undefined> {
  const { trace } = options;
  const stated = await statedProfile(options);
  if (stated) {
    trace.add('symbols', `profile ${options.profile ?? options.profileName ?? ''}`, `${stated.constants.size} constants`);
    return stated;
  }
  const key = guidAge(record);
  const repository = await options.repository?.();
  for (const name of repository ? namesOf(record) : []) {
    try {
      const source = await repository?.load(name, (place, outcome) => {
        if (outcome !== 'found') tried.push(`${place} ${outcome}`);
      });
      if (!source) continue;
      trace.add('symbols', `profile ${name}`, `${source.metadata.source}, ${source.constants.size} constants`);
      return source;
    } catch (error) {
      if (!(error instanceof ProfileError)) throw error;
      trace.add('symbols', `profile ${name}`, error.message, 'failed');
    }
  }
  trace.add('symbols', `profile ${key}`, !repository || repository.stores.length === 0 ? 'no repository is named (--repository_path)' : `in none of ${repository.stores.map((store) => store.name).join(', ')}`, 'failed');
  return undefined;
}

/** Names that the profile of a kernel may have: in Rekall's repository, in a symbol store of Volatility 3, in one of PDBs. */
function namesOf(record: RsdsRecord): string[] {
  const key = guidAge(record);
  return [`nt/GUID/${key}`, `GUID/${key}`, `${record.pdb}/${record.guid}-${record.age}`, `${record.pdb}/${key}/${record.pdb}`];
}

/** Page tables and base of the kernel that a record belongs to; both verified against the profile. */
async function locate(physical: PhysicalSpace, record: RsdsRecord, source: ProfileSource, options: DetectionOptions): Promise<WindowsKernel | undefined> {
  const { trace } = options;
  const types = typesOf(source);
  for await (const root of breathing(candidateRoots(physical, types, options), options.signal)) {
    const space = createPagedSpace(root.paging, physical, root.dtb, { os: 'windows' });
    const at = `0x${root.dtb.toString(16)}`;
    const version = sharedVersion(space);
    const base = kernelBase(space, record);
    if (base === undefined || !version) {
      trace.add('page tables', `${root.method}, ${root.paging}`, `${at}: ${version ? 'does not map the kernel' : 'no shared data page'}`, 'failed');
      continue;
    }
    trace.add('page tables', `${root.method}, ${root.paging}`, `${at}: maps Windows ${version.major}.${version.minor}'s shared data`, 'verified');
    const kernel = build(physical, { record, source, paging: root.paging, dtb: root.dtb, base, version });
    const problem = problemOf(kernel);
    trace.add('kernel', 'image of the record', `base 0x${base.toString(16)}${problem === undefined ? `, ${kernel.banner}` : `: ${problem}`}`, problem === undefined ? 'verified' : 'failed');
    if (problem === undefined) return kernel;
  }
  return undefined;
}

function* candidateRoots(physical: PhysicalSpace, types: Profile, options: DetectionOptions): Steps<WindowsRoot> {
  if (options.dtb !== undefined) {
    for (const paging of pagingsOf(types)) yield { dtb: options.dtb, paging, method: 'stated' };
    return;
  }
  yield* rootsOfHeader(physical);
  yield* rootsOfProcesses(physical, types);
  if (types.pointerSize === 8) yield* rootsThatNameThemselves(physical);
}

/** A profile without addresses: types alone. */
function typesOf(source: ProfileSource): Profile {
  return new Profile(source.types, new BasedSymbols(source.constants, 0n), source.metadata);
}

interface Found {
  readonly record: RsdsRecord;
  readonly source: ProfileSource;
  readonly paging: PagingKind;
  readonly dtb: number;
  readonly base: bigint;
  readonly version: { readonly major: number; readonly minor: number };
}

function build(physical: PhysicalSpace, { record, source, paging, dtb, base, version }: Found): WindowsKernel {
  const pointer = paging.startsWith('i386') ? 4 : 8;
  const profile = new Profile(
    new OverlayTypes(source.types, windowsOverlay(pointer)),
    new BasedSymbols(source.constants, base),
    { ...source.metadata, os: 'windows', arch: pointer === 4 ? 'I386' : 'AMD64' },
    (name) => source.constants.type(name),
  );
  const space = createPagedSpace(paging, physical, dtb, { os: 'windows' });
  const lab = profile.symbols.address('NtBuildLabEx') ?? profile.symbols.address('NtBuildLab');
  const banner = lab === undefined ? '' : orElse(() => space.readCString(lab, 128).toString('latin1'), '');
  return new WindowsKernel(physical, profile, { paging, dtb, base, guid: guidAge(record), pdb: record.pdb }, banner, version);
}

/** What speaks against a profile's addresses: its build string and the list of processes must be where it says. */
function problemOf(kernel: WindowsKernel): string | undefined {
  if (!/^\d+\.[\x21-\x7e]+$/.test(kernel.banner)) return 'no build string where the profile has NtBuildLab';
  const head = kernel.symbol('PsActiveProcessHead');
  if (head === undefined) return 'the profile has no PsActiveProcessHead';
  const back = orElse(() => kernel.space.readPointer(kernel.space.readPointer(head) + BigInt(kernel.profile.pointerSize)), 0n);
  return back === head ? undefined : 'the list at PsActiveProcessHead does not lead back';
}

/** What was learnt before, when the record still stands where it stood. */
async function recall(physical: PhysicalSpace, options: DetectionOptions): Promise<WindowsKernel | undefined> {
  const known = options.cache.get(CACHE_KEY) as Remembered | undefined;
  if (!known || options.dtb !== undefined || options.profile !== undefined || options.profileName !== undefined) return undefined;
  const record = rsdsAt(physical, known.record);
  if (!record || guidAge(record) !== known.guid) return undefined;
  try {
    const source = existsSync(known.profile) ? await openProfileFile(known.profile) : await fromRepository(record, await options.repository?.());
    if (!source) return undefined;
    const base = BigInt(known.base);
    const space = createPagedSpace(known.paging, physical, known.dtb, { os: 'windows' });
    const version = sharedVersion(space);
    if (!version) return undefined;
    const kernel = build(physical, { record, source, paging: known.paging, dtb: known.dtb, base, version });
    if (problemOf(kernel) !== undefined) return undefined;
    options.trace.add('cache', 'what was learnt of this image before', `RSDS record at 0x${known.record.toString(16)} is the same`, 'verified');
    return kernel;
  } catch (error) {
    if (!(error instanceof ProfileError) && !(error instanceof Error && 'code' in error)) throw error;
    options.trace.add('cache', `profile ${known.profile}`, error.message, 'failed');
    return undefined;
  }
}

/** The profile of a record that is in no file of its own: in a zip file, or on a server and by now in the cache. */
async function fromRepository(record: RsdsRecord, repository: ProfileRepository | undefined): Promise<ProfileSource | undefined> {
  for (const name of namesOf(record)) {
    const source = await repository?.load(name);
    if (source) return source;
  }
  return undefined;
}

function failure(records: readonly RsdsRecord[], tried: readonly string[], options: DetectionOptions): DetectionError {
  const [first] = records;
  const list = records.map((record) => `${record.pdb} GUID ${record.guid} age ${record.age}`).join('; ');
  const key = first ? guidAge(first) : '';
  const places = tried.length === 0 ? 'No profile repository is named.' : `Looked in: ${[...new Set(tried)].slice(0, 8).join('; ')}.`;
  return new DetectionError(
    `This is Windows (${list}), and there is no profile for it. ${places}\nThe profile is to be had in three ways: --repository_path of a folder, zip file or URL with nt/GUID/${key}.gz; ` +
      `--profile FILE (Rekall JSON, Volatility 3 symbol file, or the PDB itself); rekall build_local_profile ${first?.pdb.replace(/\.pdb$/i, '') ?? 'nt'} ${key}, which fetches the PDB from a symbol server ` +
      `(fetch_pdb fetches it on a machine with a network, parse_pdb makes the profile).`,
    `rekall -f IMAGE --repository_path FOLDER`,
    options.trace.steps,
  );
}
