import { createPagedSpace, type PagingKind } from '../../../memory/paging/create.js';
import { orElse } from '../../../memory/absent.js';
import type { PagedSpace } from '../../../memory/paging/paged.js';
import type { PhysicalSpace } from '../../../memory/physical.js';
import type { Steps } from '../../../memory/breathe.js';
import { BasedSymbols } from '../../../symbols/based.js';
import { OverlayTypes } from '../../../symbols/overlay.js';
import { Profile } from '../../../symbols/profile.js';
import type { ProfileSource } from '../../../symbols/source.js';
import { type BaseCandidate, baseCandidates } from './base.js';
import { pagingsOf, rootsOfHeader, rootsOfProcesses, rootSpace, sharedVersion, type WindowsRoot } from './dtb.js';
import { WindowsKernel } from '../kernel.js';
import { rootsOfLowStub } from './low-stub.js';
import type { KernelGuess, Search } from './methods/method.js';
import { windowsOverlay } from '../overlays.js';
import { rootsOfProcessors } from './processor-roots.js';
import { rootsThatNameThemselves } from './self-roots.js';
import { headerAgrees, systemProcess, verify } from './verify.js';

/** All processes have the same kernel: when so many of their page tables have no such kernel, no other will. */
const MOST_ROOTS = 3;

/** What a kernel is made of. */
export interface Found {
  readonly guid: string;
  readonly pdb: string;
  readonly source: ProfileSource;
  readonly paging: PagingKind;
  readonly dtb: number;
  readonly base: bigint;
  readonly version: { readonly major: number; readonly minor: number };
}

/** A profile without addresses: types alone. */
function typesOf(source: ProfileSource): Profile {
  return new Profile(source.types, new BasedSymbols(source.constants, 0n), source.metadata);
}

/** The profile of a kernel that is loaded at an address. @param pointer bytes of one */
export function profileAt(source: ProfileSource, base: bigint, pointer: 4 | 8): Profile {
  return new Profile(
    new OverlayTypes(source.types, windowsOverlay(pointer)),
    new BasedSymbols(source.constants, base),
    { ...source.metadata, os: 'windows', arch: pointer === 4 ? 'I386' : 'AMD64' },
    (name) => source.constants.type(name),
    source.dynamic,
    (address) => source.line?.(Number(address - base)),
  );
}

/** A kernel whose profile, page tables and base are known. Nothing is checked here. */
export function build(physical: PhysicalSpace, { guid, pdb, source, paging, dtb, base, version }: Found): WindowsKernel {
  const profile = profileAt(source, base, paging.startsWith('i386') ? 4 : 8);
  const space = createPagedSpace(paging, physical, dtb, { os: 'windows' });
  const lab = profile.symbols.address('NtBuildLabEx') ?? profile.symbols.address('NtBuildLab');
  const banner = lab === undefined ? '' : orElse(() => space.readCString(lab, 128).toString('latin1'), '');
  return new WindowsKernel(physical, profile, { paging, dtb, base, guid, pdb }, banner, version);
}

/**
 * Page tables and base of a kernel of which the profile is there; both verified against the profile. Undefined where none of the page tables
 * that can be found has it.
 */
export async function locate(search: Search, guess: KernelGuess, source: ProfileSource): Promise<WindowsKernel | undefined> {
  const { physical, options: { trace } } = search;
  const types = typesOf(source);
  if (!types.has('_EPROCESS', 'ImageFileName') || !types.has('_KPROCESS', 'DirectoryTableBase')) {
    trace.add('symbols', `profile ${source.metadata.source}`, 'has no types of processes: of no use for a kernel', 'failed');
    return undefined;
  }
  let tried = 0;
  const seen = new Set<string>();
  for await (const root of search.run(rootsFor(search, guess, types))) {
    const space = rootSpace(physical, root);
    const at = `0x${root.dtb.toString(16)}`;
    if (seen.has(`${root.paging} ${at}`)) continue;
    seen.add(`${root.paging} ${at}`);
    const version = sharedVersion(space);
    if (!version) {
      trace.add('page tables', `${root.method}, ${root.paging}`, `${at}: no shared data page`, 'failed');
      continue;
    }
    trace.add('page tables', `${root.method}, ${root.paging}`, `${at}: maps Windows ${version.major}.${version.minor}'s shared data`, 'verified');
    const kernel = await baseIn(search, guess, source, types, { root, space, version });
    const header = kernel && headerAgrees(kernel);
    if (header) trace.add('kernel', "the dump's header", header.says, header.agrees ? 'verified' : 'failed');
    if (kernel) return search.options.dtb === undefined ? ofSystem(kernel, { ...guess, source, version }) : kernel;
    trace.add('kernel', `in the page tables at ${at}`, 'this kernel does not run in them', 'failed');
    if (++tried >= MOST_ROOTS) break;
  }
  return undefined;
}

/** Page tables to try, the likeliest first: those that led to the guess, the dump's header, and what can be found with the profile and without. */
function* rootsFor({ physical, options }: Search, guess: KernelGuess, types: Profile): Steps<WindowsRoot> {
  if (options.dtb !== undefined) {
    for (const paging of pagingsOf(types)) yield { dtb: options.dtb, paging, method: 'stated' };
    return;
  }
  if (guess.roots) {
    yield* guess.roots;
    return;
  }
  const bits = types.pointerSize === 8 ? 64 : 32;
  yield* rootsOfHeader(physical);
  if (bits === 64) yield* rootsOfLowStub(physical);
  yield* rootsOfProcesses(physical, types);
  yield* rootsOfProcessors(physical, bits);
  yield* rootsThatNameThemselves(physical, bits);
}

interface InTables {
  readonly root: WindowsRoot;
  readonly space: PagedSpace;
  readonly version: Found['version'];
}

/** The kernel at the first base from which the profile leads to what it should. */
async function baseIn(search: Search, guess: KernelGuess, source: ProfileSource, types: Profile, { root, space, version }: InTables): Promise<WindowsKernel | undefined> {
  const seen = new Set<bigint>();
  for await (const { base, method } of bases()) {
    if (seen.has(base)) continue;
    seen.add(base);
    const kernel = build(search.physical, { guid: guess.guid, pdb: guess.pdb, source, paging: root.paging, dtb: root.dtb, base, version });
    const { believed, says } = verify(kernel);
    search.options.trace.add('kernel', method, `base 0x${base.toString(16)}${believed && kernel.banner !== '' ? `, ${kernel.banner}` : ''}: ${says}`, believed ? 'verified' : 'failed');
    if (believed) return kernel;
  }
  return undefined;

  async function* bases(): AsyncGenerator<BaseCandidate> {
    yield* search.run(baseCandidates(space, root, guess, source, types));
    for (const base of await search.headersIn(space)) yield { base, method: 'header of a kernel in the page tables' };
  }
}

/** The kernel in the System process's page tables, where another process's led to it: its user half is not the kernel's. */
function ofSystem(kernel: WindowsKernel, known: Pick<Found, 'guid' | 'pdb' | 'source' | 'version'>): WindowsKernel {
  const { paging, dtb, base } = kernel.location;
  const own = orElse(() => {
    const system = systemProcess(kernel);
    return system ? kernel.dtbOf(system) : dtb;
  }, dtb);
  if (own === dtb || own === 0) return kernel;
  const better = build(kernel.physical, { ...known, paging, dtb: own, base });
  return sharedVersion(better.space) && verify(better).believed ? better : kernel;
}
