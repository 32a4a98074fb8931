import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { Kernel } from '../kernel/kernel.js';
import { Trace, type TraceStep } from '../kernel/trace.js';
import { openImage } from '../memory/image/open.js';
import { PhysicalSpace } from '../memory/physical.js';
import type { AddressSpace } from '../memory/space.js';
import type { Struct } from '../object/struct.js';
import { ProfileError } from '../symbols/error.js';
import { PluginError } from '../plugin/error.js';
import type { Plugin } from '../plugin/plugin.js';
import { type PluginEntry, Registry } from '../plugin/registry.js';
import { Run, type RunOptions } from '../plugin/run.js';
import type { UserPlugins } from '../plugin/user/collection.js';
import type { ProfileRepository } from '../symbols/repository/repository.js';
import { fingerprintOf, ImageCache } from './cache.js';
import { parameterOf } from './flags.js';
import { defaults, type ParameterName, type ParameterValues } from './parameters.js';
import type { SessionGroup } from './group.js';
import { repositoryPlaces } from './places.js';
import type { Prompter } from './prompter.js';
import type { Result } from './result.js';
import type { KernelSources } from './resolver/create.js';
import type { Resolver } from './resolver/resolver.js';

/** The process that `cc` chose: `dump`, `vtop`, `dt` and address names follow it. */
export interface ProcessContext {
  readonly pid: number;
  readonly name: string;
  readonly process: Struct;
  readonly space: AddressSpace;
}

/** Where the image's cache keeps the steps of its first open. */
const TRACE_KEY = 'trace';

/** One image and what is known of it: parameters, kernel, process context, caches. Everything is found when first asked for. */
export class Session {
  /** Its number in the console's prompt, given by the group. */
  id = 1;
  /** The sessions it lives among; undefined for one of its own (a script, a test). */
  group: SessionGroup | undefined;
  readonly parameters: ParameterValues;
  /** Where the value of a parameter comes from, in words: `command line`, `~/.rekallrc:3`, `smod`; a default has none. */
  readonly origins = new Map<ParameterName, string>();
  trace = new Trace();
  /** The steps of the first open, when this one took from the cache what that one found. */
  earlier: readonly TraceStep[] = [];
  readonly registry: Registry;
  /** The process context, or undefined for the kernel's. */
  context: ProcessContext | undefined;
  /** What stops the looking for a kernel, of a session that lives in no group. */
  patience: (() => AbortSignal | undefined) | undefined;
  private ownLast: Result | undefined;
  private opened: PhysicalSpace | undefined;
  private found: Promise<Kernel> | undefined;
  private kernelFound: Kernel | undefined;
  private cache: ImageCache | undefined;
  private readonly derived = new Map<string, unknown>();

  constructor(parameters: Partial<ParameterValues> = {}, registry = Registry.builtIn()) {
    this.parameters = { ...defaults(), ...parameters };
    this.registry = registry;
  }

  /** What the prompt shows: the name it was given, or the image's file name without its folder. */
  get name(): string {
    const { session_name: name, filename } = this.parameters;
    return name ?? (filename === undefined ? 'no image' : basename(filename));
  }

  /** The result of the last command, query or JavaScript (`_`): one for all sessions of a console. */
  get last(): Result | undefined {
    return this.group ? this.group.last : this.ownLast;
  }

  set last(result: Result | undefined) {
    if (this.group) this.group.last = result;
    else this.ownLast = result;
  }

  /** Whoever can ask the analyst; undefined where nobody sits at a terminal. */
  get prompter(): Prompter | undefined {
    return this.group?.prompter;
  }

  /** The physical memory of the image. Throws ImageError, or PluginError where there is no image. */
  physical(): PhysicalSpace {
    if (this.opened) return this.opened;
    const { filename = '', file_offset: fileOffset } = this.parameters;
    const path = this.imagePath;
    if (path === undefined) throw new PluginError('No image is open.', 'rekall -f IMAGE');
    const image = openImage(path, fileOffset > 0 ? { fileOffset } : {});
    this.opened = new PhysicalSpace(image);
    const end = this.opened.end;
    const size = image.runs.reduce((sum, run) => sum + run.end - run.start, 0);
    this.trace.add('format', filename, `${image.format}, ${mebibytes(size)} in ${image.runs.length} runs up to 0x${end.toString(16)}`);
    for (const warning of image.warnings) this.trace.add('format', filename, warning, 'note');
    return this.opened;
  }

  /** Absolute path of the image, or undefined where there is none. */
  get imagePath(): string | undefined {
    const { filename } = this.parameters;
    return filename === undefined ? undefined : this.path(filename);
  }

  /** A digest of the image: the same for the same memory in the same form. Throws what opening the image throws. */
  fingerprint(): string {
    return this.memo('fingerprint', () => fingerprintOf(this.physical()));
  }

  /** The kernel in the image, detected when first asked for. Throws DetectionError; PluginError when Ctrl-C stopped the search: it may be asked again. */
  kernel(): Promise<Kernel> {
    return (this.found ??= this.patiently(this.detecting));
  }

  private get detecting(): AbortSignal | undefined {
    return this.group?.patience ?? this.patience?.();
  }

  private async patiently(signal: AbortSignal | undefined): Promise<Kernel> {
    try {
      return await this.detect(signal);
    } catch (error) {
      if (signal?.aborted !== true || error !== signal.reason) throw error;
      this.found = undefined;
      this.trace.add('kernel', 'the search', 'stopped with Ctrl-C', 'note');
      throw new PluginError('Stopped before a kernel was found. The next command that needs one looks again.', 'why');
    }
  }

  /** The kernel, where it has been detected already: for whoever must not wait for it (completion, help). */
  get detected(): Kernel | undefined {
    return this.kernelFound;
  }

  /** Reads what the first command needs of a kernel that is known, so that it need not wait for it. What is wrong with that it will say. */
  warm(): void {
    try {
      this.kernelFound?.profile.types.warm?.();
    } catch (error) {
      if (!(error instanceof ProfileError)) throw error;
    }
  }

  /** The space that commands work in: the process context's, or the kernel's. */
  async space(): Promise<AddressSpace> {
    return this.context?.space ?? (await this.kernel()).space;
  }

  /**
   * Names to addresses and back: the kernel's, and those of what a process has mapped. @param process null: the kernel's alone; by default
   * that of the context
   */
  async resolver(process: ProcessContext | null | undefined = this.context): Promise<Resolver> {
    const context = process ?? undefined;
    const kernel = await this.kernel();
    const shared = await this.names(kernel);
    const { createResolver } = await import('./resolver/create.js');
    return this.memo(`resolver ${context?.process.$address ?? ''}`, () => createResolver(kernel, shared, context));
  }

  /** Names that all resolvers share. With them the kernel's profile is lent its code. */
  private async names(kernel: Kernel): Promise<KernelSources> {
    // Loaded when a name is first asked for: the first prompt comes without.
    const { kernelSources } = await import('./resolver/create.js');
    // Windows modules have profiles of their own in the repositories.
    const repository = kernel.os === 'windows' ? await this.repository() : undefined;
    return this.memo('names', () => kernelSources(kernel, repository, this.trace));
  }

  /** Folder in which fetched and built profiles are kept; undefined where nothing is kept on disk. */
  get profileCache(): string | undefined {
    return this.parameters.cache === 'file' ? join(this.path(this.parameters.cache_dir), 'profiles') : undefined;
  }

  /** The profiles of the repositories, by name. What a repository does not have is not asked for twice in a session. */
  async repository(): Promise<ProfileRepository> {
    const { openRepository } = await import('../symbols/repository/open.js');
    const { offline } = this.parameters;
    return this.memo('repository', () => openRepository(this.repositoryPlaces(), { cache: this.profileCache, offline }));
  }

  /** The repositories are asked anew: something was added to them. A kernel that was not found is looked for anew, too. */
  forgetRepository(): void {
    for (const key of this.derived.keys()) if (key === 'repository' || key === 'names' || key.startsWith('resolver ')) this.derived.delete(key);
    if (!this.kernelFound) this.found = undefined;
  }

  /** A value that is derived once per session: `compute` runs when it is first asked for. */
  memo<T>(key: string, compute: () => T): T {
    if (!this.derived.has(key)) this.derived.set(key, compute());
    return this.derived.get(key) as T;
  }

  /** Starts a command. Its rows come as they are asked for. */
  run(plugin: Plugin, args: Readonly<Record<string, unknown>> = {}, options: RunOptions = {}): Run {
    const interrupt = this.group?.interrupt;
    if (!interrupt) return new Run(this, plugin, args, options);
    return new Run(this, plugin, args, { ...options, signal: options.signal ? AbortSignal.any([options.signal, interrupt]) : interrupt });
  }

  /** The command of a name that fits the image. Throws PluginError that says what does fit. */
  async plugin(name: string): Promise<Plugin> {
    return this.registry.load(await this.entry(name));
  }

  /** The declaration of the command of a name that fits the image. */
  async entry(name: string): Promise<PluginEntry> {
    const all = this.registry.named(name);
    const free = all.find((entry) => !Array.isArray(entry.needs));
    if (free) return free;
    const kernel = all.length > 0 ? await this.kernel() : this.kernelFound;
    const entry = kernel && this.registry.find(name, kernel.os);
    if (!entry) {
      const { explainCommand } = await import('../plugin/elsewhere.js');
      const { message, next } = explainCommand(name, this.registry, kernel) ?? { message: `No command ${name}.` };
      throw new PluginError(message, next ?? 'plugins');
    }
    return entry;
  }

  /** The plugins of the analyst's own files. */
  async userPlugins(): Promise<UserPlugins> {
    const { UserPlugins: Collection } = await import('../plugin/user/collection.js');
    return new Collection(this.registry, this.parameters.cache === 'file' ? this.path(this.parameters.cache_dir) : undefined);
  }

  /** Takes the plugins that `plugin_path` names. Returns what is wrong with them, in sentences; nothing where nothing is wrong. */
  async takeUserPlugins(): Promise<string[]> {
    const { plugin_path: paths = [] } = this.parameters;
    if (paths.length === 0) return [];
    const results = await (await this.userPlugins()).take(paths.map((path) => this.path(path)));
    return results.flatMap(({ file, fault, hides }) => [...(fault === undefined ? [] : [fault]), ...hides.map((name) => `${file} hides the built-in ${name}.`)]);
  }

  /** A path as the analyst writes it: `~` is the home folder. */
  path(text: string): string {
    return text === '~' || text.startsWith('~/') ? join(this.parameters.home ?? homedir(), text.slice(1)) : resolve(text);
  }

  /**
   * Another session with the same parameters but for those given, with nothing found yet: its own image, kernel and caches. Commands
   * are shared.
   * @param origin where the given values come from, in words
   */
  clone(given: Partial<ParameterValues>, origin: string): Session {
    const { session_name: _own, ...inherited } = this.parameters;
    const copy = new Session({ ...inherited, ...given }, this.registry);
    for (const [name, from] of this.origins) if (name !== 'session_name') copy.origins.set(name, from);
    for (const name of Object.keys(given) as ParameterName[]) copy.origins.set(name, origin);
    copy.trace = this.trace.fork();
    copy.patience = () => this.detecting;
    return copy;
  }

  /**
   * Changes parameters. Where that concerns the image or how its kernel is found, both are found anew before anything changes: an
   * image that cannot be opened leaves the session as it was. The process context stays where the kernel does. Throws ImageError,
   * DetectionError.
   * @param given `undefined` sets a parameter back to its default
   * @param origin where the given values come from, in words
   */
  async change(given: Partial<ParameterValues>, origin: string): Promise<void> {
    const standard = defaults();
    const names = (Object.keys(given) as ParameterName[]).filter((name) => JSON.stringify(given[name] ?? standard[name]) !== JSON.stringify(this.parameters[name]));
    const values = Object.fromEntries(names.map((name) => [name, given[name] ?? standard[name]])) as Partial<ParameterValues>;
    if (names.some((name) => parameterOf(name).resets !== undefined)) {
      const next = this.clone(values, origin);
      try {
        if (next.parameters.filename !== undefined) await next.kernel();
      } catch (error) {
        next.close();
        throw error;
      }
      this.close();
      this.trace = next.trace;
      this.earlier = next.earlier;
      this.opened = next.opened;
      this.found = next.found;
      this.kernelFound = next.kernelFound;
      this.cache = next.cache;
      for (const [key, value] of next.derived) this.derived.set(key, value);
    }
    Object.assign(this.parameters, values);
    for (const name of Object.keys(given) as ParameterName[]) {
      if (given[name] === undefined) this.origins.delete(name);
      else this.origins.set(name, origin);
    }
  }

  /** Closes the image and forgets what was found in it. It may be used again: then it is opened again. */
  close(): void {
    // What commands asked of the profile.
    this.cache?.save();
    this.cache = undefined;
    this.opened?.close();
    this.opened = undefined;
    this.found = undefined;
    this.kernelFound = undefined;
    this.derived.clear();
    this.context = undefined;
  }

  private repositoryPlaces(): string[] {
    return repositoryPlaces(this.parameters, (given) => this.path(given));
  }

  /** The profile that was stated: a file where there is one, otherwise perhaps a name in the repositories. */
  private statedProfile(): { profile?: string; profileName?: string } {
    const { profile } = this.parameters;
    if (profile === undefined) return {};
    const path = this.path(profile);
    return existsSync(path) || !/^\w[\w.+ -]*(?:\/[\w.+ -]+)*$/.test(profile) ? { profile: path } : { profileName: profile };
  }

  private async detect(signal: AbortSignal | undefined): Promise<Kernel> {
    const physical = this.physical();
    const folder = this.parameters.cache === 'file' ? this.path(this.parameters.cache_dir) : undefined;
    const cache = (this.cache = ImageCache.open(folder, folder === undefined ? '' : this.fingerprint()));
    // Loaded when an image is looked at: what needs none starts without it.
    const [{ detectKernel }, { detectionMethods }] = await Promise.all([import('../kernel/detect.js'), import('../kernel/methods.js')]);
    const kernel = await detectKernel(physical, {
      trace: this.trace,
      cache,
      ...this.statedProfile(),
      repositories: this.repositoryPlaces().filter((place) => !/^https?:/i.test(place)),
      repository: () => this.repository(),
      methods: detectionMethods(this.parameters.autodetect, this.trace),
      dtb: this.parameters.dtb,
      slide: this.parameters.kernel_slide === undefined ? undefined : BigInt(this.parameters.kernel_slide),
      signal,
    });
    // What was found at the first open stands behind every later one: `why` shows it.
    if (this.trace.steps.some((step) => step.stage === 'cache')) this.earlier = (cache.get(TRACE_KEY) ?? []) as TraceStep[];
    else cache.set(TRACE_KEY, this.trace.steps);
    cache.save();
    // Walkers may ask for what the profile's rules find in code before anybody asks for a name.
    if (kernel.profile.derived) await this.names(kernel);
    this.kernelFound = kernel;
    return kernel;
  }
}

function mebibytes(bytes: number): string {
  return bytes >= 1 << 30 ? `${(bytes / 2 ** 30).toFixed(1)} GiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
