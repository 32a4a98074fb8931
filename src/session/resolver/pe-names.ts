import { ApiSets } from '../../kernel/windows/system/api-sets.js';
import type { AddressSpace } from '../../memory/space.js';
import { TypeCompiler } from '../../object/compiler.js';
import { namingRank } from '../../symbols/based.js';
import { type CodeReader, Derived, DerivedTypes } from '../../symbols/dynamic.js';
import { LoadedPe, type PeDebug, type PeExport } from '../../symbols/pe/loaded.js';
import { type NearSymbol, SymbolTable } from '../../symbols/symbol-table.js';
import type { KernelSymbol, SourceLine, TypeDescriptor, TypeSource } from '../../symbols/types.js';
import { type CodeNames, SessionCode } from './code-reader.js';
import type { ModuleProfile, ModuleProfiles } from './module-profiles.js';
import { moduleKey, type ModuleNames } from './module-names.js';
import type { SharedReads } from './shared-reads.js';

/** Width of code by IMAGE_FILE_MACHINE_* (x86, x64). */
const WIDTHS: Readonly<Record<number, 32 | 64>> = { 0x14c: 32, 0x8664: 64 };

/** A forwarded export is followed so far: more goes round in circles. */
const MOST_FORWARDS = 8;

/** What names come from that no process has for itself. */
export interface SharedNames {
  readonly profiles: ModuleProfiles;
  /** what modules of several processes have in common */
  readonly reads: SharedReads;
  /** told what is found in code by rules of profiles */
  readonly told?: CodeReader['told'];
}

/** What a module needs to know of those around it. */
export interface PeSurroundings extends SharedNames {
  /** names of everything around it */
  names(): CodeNames;
  /** the kernel's types: public ones hold for modules, too */
  types(): TypeSource;
  /** the module of a name that one with this machine's code can call */
  module(key: string, machine: number): ModuleNames | undefined;
  /** the process's map of API sets */
  apiSets(): ApiSets | undefined;
}

/** Where a forwarded export leads. */
export interface Forwarded {
  /** each module that it is handed on to: `kernelbase!HeapAlloc`, `ntdll!RtlAllocateHeap` */
  readonly steps: readonly string[];
  /** undefined where the last step is not known here */
  readonly address: bigint | undefined;
}

/**
 * A Windows module: names of its PDB, where its profile can be had, and of its exports. Nothing is read before a name is asked for. An export that is forwarded
 * has the address of what it leads to.
 */
export class PeNames implements ModuleNames {
  private header: LoadedPe | null | undefined;
  private exported: ReadonlyMap<string, PeExport> | undefined;
  private known: ModuleProfile | null | undefined;
  private table: SymbolTable | undefined;
  private names: SymbolTable | undefined;
  private found: Derived | undefined;
  private typed: TypeCompiler | undefined;

  constructor(
    private readonly space: AddressSpace,
    readonly name: string,
    readonly start: bigint,
    readonly end: bigint,
    readonly path: string,
    private readonly around: PeSurroundings,
    readonly aliases: readonly string[] = [],
  ) {}

  /** IMAGE_FILE_MACHINE_*: 0x14c x86, 0x8664 x64; 0 where the header is not in memory */
  get machine(): number {
    return this.pe?.machine ?? 0;
  }

  /** What the linker left of the PDB; undefined where it is not in memory. */
  get debug(): PeDebug | undefined {
    return this.pe?.debug();
  }

  /** The profile that its names come from. */
  get profile(): ModuleProfile | undefined {
    if (this.known === undefined) {
      const { debug } = this;
      this.known = (debug ? this.profiles.now(this.profileKey, debug) : this.profiles.byIndex(this.profileKey, this.space, this.start)) ?? null;
    }
    return this.known ?? undefined;
  }

  /** Profiles of all modules of this session. */
  get profiles(): ModuleProfiles {
    return this.around.profiles;
  }

  /** The name under which repositories keep its profile: that of its file. */
  get profileKey(): string {
    return moduleKey(this.path === '' ? this.name : this.path);
  }

  /** What its profile has rules for, found in its code here. */
  get derived(): Derived | undefined {
    const rules = this.profile?.source.dynamic;
    return rules && (this.found ??= new Derived(rules, new SessionCode(this.space, () => WIDTHS[this.machine], () => this.codeNames, this.around.told)));
  }

  get compiler(): TypeCompiler | undefined {
    const { profile, derived } = this;
    if (!profile || !derived || derived.rules.structNames().length === 0) return profile?.compiler;
    const own = profile.compiler?.types ?? this.around.types();
    return (this.typed ??= new TypeCompiler(new DerivedTypes(own, derived), profile.source.metadata.arch === 'I386' ? 4 : 8));
  }

  type(symbol: string): TypeDescriptor | undefined {
    return this.profile?.source.constants.type(symbol);
  }

  line(address: bigint): SourceLine | undefined {
    return this.profile?.source.line?.(Number(address - this.start));
  }

  /** Fetches its profile, from a server if need be. */
  async prepare(): Promise<void> {
    const { debug } = this;
    if (this.profile || !debug) return;
    const found = await this.profiles.load(this.profileKey, debug);
    if (found) this.take(found);
  }

  /** Its names come from this profile from now on. */
  take(profile: ModuleProfile): void {
    this.known = profile;
    this.table = this.names = this.found = this.typed = undefined;
  }

  lookup(symbol: string): bigint | undefined {
    const offset = this.profile?.source.constants.get(symbol);
    if (offset !== undefined) return this.at64(offset);
    const exported = this.exports().get(symbol);
    if (!exported) return this.derived?.constant(symbol)?.value;
    return exported.forwarder === undefined ? this.at64(BigInt(exported.rva)) : this.follow(exported.forwarder).address;
  }

  /** Where an export leads that is forwarded; undefined of a name that stands here. */
  forwarded(symbol: string): Forwarded | undefined {
    if (this.profile?.source.constants.get(symbol) !== undefined) return undefined;
    const forwarder = this.exports().get(symbol)?.forwarder;
    return forwarder === undefined ? undefined : this.follow(forwarder);
  }

  nearest(address: bigint): NearSymbol | undefined {
    return address >= this.start && address < this.end ? this.own().nearest(address) : undefined;
  }

  at(address: bigint): readonly KernelSymbol[] {
    return this.own().at(address);
  }

  index(): SymbolTable {
    return (this.names ??= new SymbolTable([...this.own().matching(/^/), ...this.handedOn()]));
  }

  /** The export of an ordinal. */
  ordinal(number: number): PeExport | undefined {
    for (const one of this.exports().values()) if (one.ordinal === number) return one;
    return undefined;
  }

  exports(): ReadonlyMap<string, PeExport> {
    return (this.exported ??= this.around.reads.exports(this.space, this.start));
  }

  /** The names of its functions by their distance from its start, also of those that have a number only. */
  functions(): ReadonlyMap<number, readonly string[]> {
    return this.around.reads.functions(this.space, this.start);
  }

  /** Names as rules write them: this module under that of its file, whatever it is called here. */
  private get codeNames(): CodeNames {
    const { around, profileKey } = this;
    return {
      symbol: (name) => {
        const [symbol = '', module] = name.split('!').reverse();
        if (module !== undefined && moduleKey(module) !== profileKey) return around.names().symbol(name);
        return this.lookup(symbol) ?? (module === undefined ? around.names().symbol(name) : undefined);
      },
      nearest: (address) => around.names().nearest(address),
      names: (address) => around.names().names(address).map((name) => (name.startsWith(`${this.name}!`) ? `${profileKey}${name.slice(this.name.length)}` : name)),
    };
  }

  private get pe(): LoadedPe | undefined {
    if (this.header === undefined) this.header = LoadedPe.at(this.space, this.start) ?? null;
    return this.header ?? undefined;
  }

  /** What stands in the module itself. */
  private own(): SymbolTable {
    return (this.table ??= this.around.reads.table(this.profile, this.exports(), this.start, () => new SymbolTable(this.symbols())));
  }

  private *symbols(): Generator<KernelSymbol> {
    const constants = this.profile?.source.constants;
    const later: [KernelSymbol[], KernelSymbol[]] = [[], []];
    for (const [name, offset] of constants?.entries() ?? []) {
      const symbol = { name, address: this.at64(offset), kind: constants?.kind(name) === 'function' ? 'T' : 'D' };
      const rank = namingRank(name);
      if (rank === 0) yield symbol;
      else later[rank - 1]?.push(symbol);
    }
    yield* later.flat();
    for (const one of this.exports().values()) {
      if (one.forwarder === undefined && constants?.get(one.name) === undefined) yield { name: one.name, address: this.at64(BigInt(one.rva)), kind: 'T' };
    }
  }

  /** Exports that are forwarded, as far as they lead somewhere (nm: `I`, an indirect reference). */
  private *handedOn(): Generator<KernelSymbol> {
    for (const { name, forwarder } of this.exports().values()) {
      const address = forwarder === undefined || this.profile?.source.constants.get(name) !== undefined ? undefined : this.follow(forwarder).address;
      if (address !== undefined) yield { name, address, kind: 'I' };
    }
  }

  private follow(forwarder: string): Forwarded {
    const steps: string[] = [];
    let from = moduleKey(this.name);
    for (let text = forwarder; steps.length < MOST_FORWARDS; ) {
      // `NTDLL.RtlAllocateHeap`, `NTDLL.#12`
      const dot = text.lastIndexOf('.');
      const [file, symbol] = [text.slice(0, dot), text.slice(dot + 1)];
      const host = ApiSets.isSet(file) ? this.around.apiSets()?.host(file, `${from}.dll`) : file;
      const target = host === undefined ? undefined : this.around.module(moduleKey(host), this.machine);
      steps.push(`${target?.name ?? file}!${symbol}`);
      if (!target) break;
      if (!(target instanceof PeNames)) return { steps, address: target.lookup(symbol) };
      const exported = symbol.startsWith('#') ? target.ordinal(Number(symbol.slice(1))) : target.exports().get(symbol);
      if (!exported) return { steps, address: symbol.startsWith('#') ? undefined : target.lookup(symbol) };
      if (exported.forwarder === undefined) return { steps: [...steps.slice(0, -1), `${target.name}!${exported.name}`], address: target.at64(BigInt(exported.rva)) };
      from = moduleKey(target.name);
      text = exported.forwarder;
    }
    return { steps, address: undefined };
  }

  private at64(offset: bigint): bigint {
    return BigInt.asUintN(64, this.start + offset);
  }
}
