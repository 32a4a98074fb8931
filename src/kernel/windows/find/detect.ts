import { existsSync } from 'node:fs';
import { PAGING_KINDS, type PagingKind } from '../../../memory/paging/create.js';
import type { PhysicalSpace } from '../../../memory/physical.js';
import { ProfileError } from '../../../symbols/error.js';
import { openRemembered } from '../../../symbols/open.js';
import type { RekallProfile } from '../../../symbols/rekall/read.js';
import type { ProfileSource } from '../../../symbols/source.js';
import { ANSWERS_KEY, type DetectionOptions, WINDOWS_KEY } from '../../detect.js';
import { firstProfile, statedProfile } from '../../named-profile.js';
import { build, locate } from './bootstrap.js';
import { rootSpace, sharedVersion } from './dtb.js';
import { type Attempt, failure, Places, unknownBuild } from './failure.js';
import type { WindowsKernel } from '../kernel.js';
import { type DetectionMethod, type KernelGuess, Search } from './methods/method.js';
import { guidAge, rsdsAt } from './rsds.js';
import { verify } from './verify.js';

/** What a second open of an image needs to know. */
interface Remembered {
  /** physical address of the debug record, where that led to the kernel */
  readonly record?: number | undefined;
  readonly guid: string;
  readonly pdb: string;
  readonly names: readonly string[];
  readonly profile: string;
  readonly paging: PagingKind;
  readonly dtb: number;
  readonly base: string;
}

/** Ways to find out which kernel it is, by the names that `--autodetect` has for them. Each is loaded when it is used. */
const METHODS = {
  rsds: async () => (await import('./methods/rsds.js')).rsds,
  windows_kernel_file: async () => (await import('./methods/kernel-file.js')).kernelFile,
  nt_index: async () => (await import('./methods/nt-index.js')).ntIndex,
  eprocess_index: async () => (await import('./methods/eprocess-index.js')).eprocessIndex,
} as const satisfies Readonly<Record<string, () => Promise<DetectionMethod>>>;
export type WindowsMethod = keyof typeof METHODS;
const BY_INDEX: ReadonlySet<WindowsMethod> = new Set<WindowsMethod>(['nt_index', 'eprocess_index']);

/** The looking for a Windows kernel in one image, method by method. */
export class WindowsDetection {
  private readonly search: Search;
  private readonly attempts: Attempt[] = [];
  private readonly places = new Places();

  constructor(
    private readonly physical: PhysicalSpace,
    private readonly options: DetectionOptions,
  ) {
    this.search = new Search(physical, options);
  }

  /** The kernel of a triage dump, or what was learnt of the image before; undefined where there is neither. */
  async known(): Promise<WindowsKernel | undefined> {
    const { crash } = this.physical.hints;
    if (crash?.triage) return (await import('./triage.js')).detectTriage(this.physical, crash.header, crash.triage, this.options);
    return this.recall();
  }

  /** The kernel by a method. Undefined when that finds none that can be used. */
  async by(method: WindowsMethod): Promise<WindowsKernel | undefined> {
    if (BY_INDEX.has(method) && (this.lacksProfile || (this.options.dtb !== undefined && this.attempts.length > 0))) return undefined;
    const guesses = await METHODS[method]();
    for await (const guess of guesses(this.search)) {
      const { guid } = guess;
      // What another method found and could not use is not tried again.
      if (this.attempts.some((attempt) => attempt.guess.guid === guid && attempt.method !== method)) continue;
      const source = await this.profileOf(guess);
      this.attempts.push({ method, guess, profile: source?.metadata.source });
      if (!source) continue;
      const kernel = await locate(this.search, guess, source);
      if (!kernel) continue;
      this.remember(guess, source, kernel);
      return kernel;
    }
    return undefined;
  }

  /**
   * What is left when all methods have failed: the stated profile, in whatever page tables there are. Undefined where nothing speaks for Windows; throws
   * DetectionError where something does, and no kernel could be used.
   */
  async last(): Promise<WindowsKernel | undefined> {
    const { profile, profileName } = this.options;
    if (this.attempts.length === 0 && (profile !== undefined || profileName !== undefined)) {
      const guess: KernelGuess = { guid: '', pdb: '', names: [], records: [] };
      const source = await this.profileOf(guess);
      const kernel = source && this.isWindows(source) ? await locate(this.search, guess, source) : undefined;
      if (kernel) return kernel;
    }
    if (this.attempts.length > 0) throw failure(this.attempts, this.places, this.options);
    if (await this.search.hasWindows()) throw unknownBuild(this.options);
    return undefined;
  }

  /** True where kernels are known and nothing but their profiles is missing: an index would lead to the same ones. */
  private get lacksProfile(): boolean {
    return this.attempts.length > 0 && this.attempts.every(({ profile }) => profile === undefined);
  }

  private isWindows({ metadata, constants }: ProfileSource): boolean {
    return metadata.os === 'windows' && constants.get('PsActiveProcessHead') !== undefined;
  }

  private async profileOf(guess: KernelGuess): Promise<ProfileSource | undefined> {
    const { trace } = this.options;
    const stated = await statedProfile(this.options);
    if (stated) {
      trace.add('symbols', `profile ${this.options.profile ?? this.options.profileName ?? ''}`, `${stated.constants.size} constants`);
      return stated;
    }
    const found = await firstProfile(guess.names, this.options, (place, outcome) => this.places.add(place, outcome));
    if (found) return this.remembering(found);
    const stores = (await this.options.repository?.())?.stores ?? [];
    trace.add('symbols', `profile ${guess.guid}`, stores.length === 0 ? 'no repository is named (--repository_path)' : this.places.sentence(), 'failed');
    return undefined;
  }

  /** The profile, of which a second open will remember what it is asked in this one. */
  private async remembering(source: ProfileSource): Promise<ProfileSource> {
    const path = fileOf(source);
    return existsSync(path) ? openRemembered(path, this.options.cache, ANSWERS_KEY, source) : source;
  }

  private remember(guess: KernelGuess, source: ProfileSource, { location }: WindowsKernel): void {
    this.options.cache.set(WINDOWS_KEY, {
      record: guess.records[0],
      guid: guess.guid,
      pdb: guess.pdb,
      names: guess.names,
      profile: fileOf(source),
      paging: location.paging,
      dtb: location.dtb,
      base: location.base.toString(),
    } satisfies Remembered);
  }

  /** What was learnt before, when the record still stands where it stood and the kernel is found where it was. */
  private async recall(): Promise<WindowsKernel | undefined> {
    const { cache, dtb, profile, profileName, methods, trace, signal } = this.options;
    const known = rememberedFrom(cache.get(WINDOWS_KEY));
    if (!known || [dtb, profile, profileName, methods].some((stated) => stated !== undefined)) return undefined;
    if (known.record !== undefined) {
      const record = rsdsAt(this.physical, known.record);
      if (!record || guidAge(record) !== known.guid) return undefined;
    }
    try {
      const source = existsSync(known.profile) ? await openRemembered(known.profile, cache, ANSWERS_KEY) : await this.fromRepository(known.names, signal);
      if (!source) return undefined;
      const version = sharedVersion(rootSpace(this.physical, known));
      if (!version) return undefined;
      const kernel = build(this.physical, { ...known, source, base: BigInt(known.base), version });
      if (!verify(kernel).believed) return undefined;
      const sign = known.record === undefined ? "the kernel's variables are where they were" : `RSDS record at 0x${known.record.toString(16)} is the same`;
      trace.add('cache', 'what was learnt of this image before', sign, 'verified');
      return kernel;
    } catch (error) {
      if (!(error instanceof ProfileError) && !(error instanceof Error && 'code' in error)) throw error;
      trace.add('cache', `profile ${known.profile}`, error.message, 'failed');
      return undefined;
    }
  }

  /** The profile of a kernel that is in no file of its own: in a zip file, or on a server and by now in the cache. */
  private async fromRepository(names: readonly string[], signal: AbortSignal | undefined): Promise<ProfileSource | undefined> {
    const repository = await this.options.repository?.();
    for (const name of names) {
      const source = await repository?.load(name, undefined, signal);
      if (source) return source;
    }
    return undefined;
  }
}

/** The file that is all of a profile; empty of one that takes over others ($MERGE), which repositories put together. */
function fileOf(source: ProfileSource): string {
  const { merge = [] } = source as Partial<RekallProfile>;
  return merge.length === 0 ? source.metadata.source : '';
}

/** What a cache's file has, if it is what this release writes there: other releases, and people, write into it as well. */
function rememberedFrom(stored: unknown): Remembered | undefined {
  if (typeof stored !== 'object' || stored === null) return undefined;
  const known = stored as Partial<Record<keyof Remembered, unknown>>;
  const texts = [known.guid, known.pdb, known.profile, known.base].every((value) => typeof value === 'string');
  const isPlace = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
  const numbers = isPlace(known.dtb) && (known.record === undefined || isPlace(known.record));
  const names = Array.isArray(known.names) && known.names.every((name) => typeof name === 'string');
  const paging = PAGING_KINDS.some((kind) => kind === known.paging);
  return texts && numbers && names && paging && /^\d+$/.test(known.base as string) ? (stored as Remembered) : undefined;
}
