import type { Place as TextPlace, TypeExpression } from '../../../grammar/address-tree.js';
import { LineError } from '../../../grammar/command-tree.js';
import type { Kernel } from '../../kernel/kernel.js';
import type { AddressSpace } from '../../memory/space.js';
import { UsageError } from '../../plugin/error.js';
import { didYouMean } from '../../plugin/similar.js';
import type { KernelSymbol } from '../../symbols/types.js';
import { evaluate, type Located, type Scope } from './evaluate.js';
import { FARTHEST, KernelNames } from './kernel-names.js';
import type { NamedRange } from './linux-names.js';
import { memberAt } from './member-path.js';
import { moduleKey, type ModuleNames } from './module-names.js';
import { modulesIn, nearNames, smallest, wildcard } from './texts.js';
import { type NamedType, resolveType, typeNamed } from './types.js';

/** What a resolver is made of; an operating system fills it in, each part when it is first asked for. */
export interface NameSources {
  readonly kernel: ModuleNames;
  /** the kernel's modules, and their places in ascending order */
  modules(): { readonly modules: readonly ModuleNames[]; readonly ranges: readonly NamedRange[] };
  /** what the process of the context has mapped; nothing where there is no process */
  process(): { readonly modules: readonly ModuleNames[]; readonly ranges: readonly NamedRange[] };
}

/** Where an address lies. */
export interface Place {
  /** what stands in front of `!` */
  readonly module: string;
  readonly names: ModuleNames;
  /** the symbol at or below the address, in the same module; undefined where the module has none there */
  readonly symbol: KernelSymbol | undefined;
  /** bytes from the symbol, or from the module's start */
  readonly distance: bigint;
}

/** A symbol at or below an address, in the module that the address lies in. */
export type Nearest = Place & { readonly symbol: KernelSymbol };

export type FoundSymbol = KernelSymbol & { readonly module: string };

/** A number, or a name without an operator: what needs no grammar. */
const NUMBER = /^(?:0x[0-9a-f]{1,16}|\d{1,19})$/i;
const PLAIN = /^(?:([\w.$@-]+)!)?([\w.$@]+)$/;
/** Names for regions: their start. */
const MAP = /^map_(0x[0-9a-f]{1,16})$/i;
/** What one can type for a name; others stand in quotes. */
const TYPEABLE = /^[\w$@\\][\w.$@\\]*$/;

/** Names to addresses and back, for a kernel and perhaps the process of the context. */
export class Resolver {
  /** What could not be read of a process's names, each sentence once. */
  readonly notes: string[] = [];
  /** where the last address lay: neighbours are asked for in a row */
  private last: NamedRange | undefined;

  /** @param space where pointers are read: the context's */
  constructor(
    private readonly kernel: Kernel,
    private readonly space: AddressSpace,
    private readonly sources: NameSources = { kernel: new KernelNames(kernel), modules: () => NOTHING, process: () => NOTHING },
  ) {}

  /**
   * The address that an expression means: `0x1000`, `init_task`, `linux!init_task+0x10`, `*linux!modules`, `libc!printf`,
   * `(task_struct)linux!init_task.mm`. Throws UsageError that points into the expression.
   */
  async address(expression: string): Promise<bigint> {
    return (await this.locate(expression)).address;
  }

  /** The same with the type of what lies there, where it is known. */
  async locate(expression: string): Promise<Located> {
    const text = expression.trim();
    if (NUMBER.test(text) && BigInt(text) >> 64n === 0n) return { address: BigInt(text) };
    await this.ready(text);
    const plain = PLAIN.exec(text);
    const known = plain && this.find(plain[1], plain[2] ?? '');
    if (known) return known;
    // The grammar takes a while to load, and most names need none.
    const { parseAddress } = await import('../../../grammar/address.js');
    return this.guarded(expression, 'address_resolver?', (fail) => {
      const tree = parseAddress(expression, (word) => this.moduleNamed(word) !== undefined || this.find(undefined, word) !== undefined);
      return evaluate(tree, this.scope(fail));
    });
  }

  /** The type that an expression names: `task_struct`, `loop!loop_device`, `task_struct.mm`, `list_head[4]`. Throws UsageError. */
  async type(expression: string): Promise<NamedType & { readonly offset: number; readonly pointer: boolean; readonly tree: TypeExpression }> {
    const { parseType } = await import('../../../grammar/address.js');
    await this.ready(expression);
    return this.guarded(expression, 'dt?', (fail) => {
      const tree = parseType(expression);
      return { ...resolveType(this.kernel, tree, (name) => this.moduleNamed(name), fail), tree };
    });
  }

  /** Lets the modules that an expression names fetch what they can only wait for. Whoever names addresses at once need not call it. */
  async ready(expression: string): Promise<void> {
    for (const module of modulesIn(expression)) {
      // A dash in front may be a minus.
      const names = this.moduleNamed(module) ?? this.moduleNamed(module.slice(module.lastIndexOf('-') + 1));
      await names?.prepare?.();
    }
  }

  /** The same for the module that an address lies in. */
  async readyAt(address: bigint): Promise<void> {
    await this.moduleAt(address)?.prepare?.();
  }

  /** Address of a plain name (`linux!init_task`, `init_task`, `libc`), or undefined: without expressions, and at once. */
  symbol(name: string): bigint | undefined {
    const plain = PLAIN.exec(name);
    return plain ? this.find(plain[1], plain[2] ?? '')?.address : undefined;
  }

  /** `linux!init_task+0x10`, `linux!init_task.comm`, `libc+0x1234`; undefined where nothing is known to be. */
  name(address: bigint): string | undefined {
    const near = this.place(address);
    return near && this.format(near);
  }

  /** All names of an address: of every symbol that lies just there, sorted; otherwise the one of {@link name}. */
  names(address: bigint): string[] {
    const near = this.place(address);
    const own = near?.names ?? this.sources.kernel;
    const exact = own.at(address).map((symbol) => `${own.name}!${typeable(symbol.name)}`);
    if (exact.length > 0) return [...new Set(exact)].sort();
    return near ? [this.format(near)] : [];
  }

  /** The symbol at or below an address, of the module that it lies in; undefined where none is near. */
  nearest(address: bigint): Nearest | undefined {
    const place = this.place(address);
    return place?.symbol ? (place as Nearest) : undefined;
  }

  /** The module that an address lies in, and the symbol where it has one there. */
  place(address: bigint): Place | undefined {
    const names = this.moduleAt(address);
    if (!names) return undefined;
    const found = names.nearest(address);
    if (found && found.distance <= FARTHEST) return { module: names.name, names, ...found };
    return { module: names.name, names, symbol: undefined, distance: address - names.start };
  }

  /** The module that an address lies in: a kernel module, the kernel, what the process has mapped. */
  moduleAt(address: bigint): ModuleNames | undefined {
    const { last } = this;
    if (last && address >= last.start && address < last.end) return last.names;
    const range = rangeAt(this.sources.modules().ranges, address) ?? this.kernelRange(address) ?? rangeAt(this.sources.process().ranges, address);
    if (range) this.last = range;
    return range?.names;
  }

  /** All modules: the kernel, its modules, then those of the process in order of address. */
  modules(): readonly ModuleNames[] {
    return [this.sources.kernel, ...this.sources.modules().modules, ...this.sources.process().modules];
  }

  /** The module that a name, with or without path and extension, stands for. */
  moduleNamed(name: string): ModuleNames | undefined {
    const key = moduleKey(name);
    if (key === moduleKey(this.sources.kernel.name)) return this.sources.kernel;
    const answers = (module: ModuleNames): boolean => moduleKey(module.name) === key || module.aliases?.includes(name.toLowerCase()) === true;
    const dashed = key.replaceAll('-', '_');
    return (
      this.sources.modules().modules.find((module) => answers(module) || moduleKey(module.name) === dashed) ??
      this.sources.process().modules.find((module) => answers(module) || module.aliases?.includes(key) === true)
    );
  }

  /**
   * Symbols whose `module!name` matches a pattern with `*` and `?`, case ignored. Without a module: the kernel's; with the module `*`
   * everybody's.
   */
  *search(pattern: string): Generator<FoundSymbol> {
    const bang = pattern.indexOf('!');
    const name = wildcard(pattern.slice(bang + 1));
    const module = bang < 0 ? this.sources.kernel.name : pattern.slice(0, bang);
    for (const names of this.modulesMatching(module)) {
      for (const symbol of names.index().matching(name)) yield { ...symbol, module: names.name };
    }
  }

  /** What the kernel is called in front of `!`. */
  get kernelName(): string {
    return this.sources.kernel.name;
  }

  /** True for each name that the kernel goes by. */
  isKernel(module: string): boolean {
    return this.moduleNamed(module) === this.sources.kernel;
  }

  /**
   * What a half-typed name may become, sorted, at most `limit`: texts that begin with what was typed, case aside. The end of an
   * expression is completed (`linux!init_task+linux!init_`); modules are offered with their `!`.
   */
  complete(typed: string, limit = 200): string[] {
    const tail = /(?:[\w.$@\\-]+!)?[\w.$@]*$/.exec(typed)?.[0] ?? '';
    const head = typed.slice(0, typed.length - tail.length);
    const bang = tail.indexOf('!');
    const found: string[] = [];
    const take = (names: ModuleNames, prefix: string, shown: string): void => {
      const ruled = (names.derived?.rules.constantNames() ?? []).filter((name) => name.toLowerCase().startsWith(prefix.toLowerCase()));
      const begun = smallest(new Set([...names.index().namesBeginning(prefix.toLowerCase()), ...ruled]), limit);
      found.push(...begun.map((name) => `${head}${shown}${typeable(name)}`));
    };
    if (bang >= 0) {
      const names = this.moduleNamed(tail.slice(0, bang));
      if (names) take(names, tail.slice(bang + 1), tail.slice(0, bang + 1));
    } else {
      // A dash may be a minus, or stand in a module's name: ld-linux-x86-64.
      const dashed = /[\w.$@\\-]*$/.exec(typed)?.[0] ?? '';
      for (const { name } of this.modules()) {
        if (MAP.test(name)) continue;
        const word = [dashed, tail].find((one) => name.toLowerCase().startsWith(one.toLowerCase()));
        if (word !== undefined) found.push(`${typed.slice(0, typed.length - word.length)}${name}!`);
      }
      // One letter says too little among hundreds of thousands; modules are few.
      if (tail.length > 1) {
        take(this.sources.kernel, tail, '');
        for (const names of this.sources.process().modules) if (found.length < limit) take(names, tail, '');
      }
    }
    return [...new Set(found)].sort().slice(0, limit);
  }

  /** What a name means: in its module, or in the kernel, among the modules' names, then in the process. */
  private find(module: string | undefined, symbol: string): Located | undefined {
    if (module !== undefined) {
      const names = this.moduleNamed(module);
      return names && (located(names, symbol) ?? folded(names, symbol));
    }
    const own = located(this.sources.kernel, symbol);
    if (own) return own;
    const map = MAP.exec(symbol)?.[1];
    if (map !== undefined) {
      const range = this.sources.process().ranges.find(({ start }) => start === BigInt(map));
      return range && { address: range.start };
    }
    const names = this.moduleNamed(symbol);
    if (names) return { address: names.start };
    // Names that begin with a digit and numbers need no look at every library.
    if (/^\d/.test(symbol)) return undefined;
    for (const one of this.sources.process().modules) {
      const found = located(one, symbol);
      if (found) return found;
    }
    return folded(this.sources.kernel, symbol);
  }

  private scope(fail: Scope['fail']): Scope {
    return {
      space: this.space,
      fail,
      find: (module, symbol) => this.find(module, symbol),
      type: (expression) => resolveType(this.kernel, expression, (name) => this.moduleNamed(name), fail),
      findType: (name) => {
        const { compiler } = this.kernel.profile;
        const type = typeNamed(this.kernel, compiler, name);
        return type && { type, compiler };
      },
      unknown: (module, symbol) => this.unknown(module, symbol),
    };
  }

  /** Why a name means nothing, and what is like it. */
  private unknown(module: string | undefined, symbol: string): string {
    if (module !== undefined && !this.moduleNamed(module)) {
      // Memory without a file has a name by its address, which nobody types.
      const names = this.modules().map(({ name }) => name).filter((name) => !name.startsWith('map_0x'));
      const near = didYouMean(module, names);
      const here = near === '' ? ` There ${names.length === 1 ? 'is' : 'are'} ${listed(names)}.` : near;
      const outside = this.sources.process() === NOTHING && near === '' ? ' Programs and libraries are known in a process context: cc PID, or address_space=pid@PID.' : '';
      return `No module ${module} is known here.${here}${outside}`;
    }
    if (module === undefined && /^[0-9a-f]{6,16}$/i.test(symbol)) return `${symbol} is not known here. A number in hex begins with 0x: 0x${symbol}.`;
    const names = (module === undefined ? undefined : this.moduleNamed(module)) ?? this.sources.kernel;
    const near = nearNames(names, symbol);
    const all = module === undefined ? symbol : `${module}!${symbol}`;
    const looked = names.derived?.known(symbol);
    if (looked) return `${all} is not known here: ${looked.said}.`;
    const steps = names.forwarded?.(symbol)?.steps;
    if (steps) return `${all} only stands for ${steps.join(', and that for ')}, which is not known here.`;
    return `${all} is not known here.${near.length > 0 ? ` There is ${near.join(', ')}.` : ''}`;
  }

  private format({ names, symbol, distance }: Place): string {
    if (!symbol) return `${names.name}${offset(distance)}`;
    const plain = `${names.name}!${typeable(symbol.name)}`;
    if (distance === 0n) return plain;
    const type = names.type?.(symbol.name);
    const compiler = names.compiler;
    const member = type && compiler ? memberAt(compiler, type, Number(distance)) : undefined;
    return member && member.path !== '' ? `${plain}${member.path}${offset(BigInt(member.rest))}` : `${plain}${offset(distance)}`;
  }

  private kernelRange(address: bigint): NamedRange | undefined {
    const { kernel } = this.sources;
    return address >= kernel.start && address < kernel.end ? { start: kernel.start, end: kernel.end, names: kernel } : undefined;
  }

  private modulesMatching(pattern: string): ModuleNames[] {
    const one = /[*?]/.test(pattern) ? undefined : this.moduleNamed(pattern);
    if (one) return [one];
    const matches = wildcard(pattern);
    return this.modules().filter(({ name }) => matches.test(name));
  }

  /** Runs what reports mistakes by their place in the expression, and makes usage errors of them, with the next command to try. */
  private guarded<T>(expression: string, next: string, run: (fail: (message: string, place: TextPlace) => never) => T): T {
    const fail = (message: string, { start, end }: TextPlace): never => {
      throw new UsageError(message, { line: expression, start, end }, next);
    };
    try {
      return run(fail);
    } catch (error) {
      if (error instanceof LineError) return fail(error.message, error.place);
      throw error;
    }
  }
}

/** Names of modules that are told at once. */
const TOLD = 8;

/** `linux, veth and fuse`, the first of them where there are many */
function listed(names: readonly string[]): string {
  const told = names.slice(0, TOLD);
  if (names.length > TOLD) return `${told.join(', ')} and ${names.length - TOLD} more`;
  const last = told.pop() ?? '';
  return told.length > 0 ? `${told.join(', ')} and ${last}` : last;
}

/** No modules. */
export const NOTHING: ReturnType<NameSources['process']> = { modules: [], ranges: [] };

function located(names: ModuleNames, symbol: string): Located | undefined {
  const address = names.lookup(symbol);
  if (address === undefined) return undefined;
  const type = names.type?.(symbol);
  const led = names.forwarded?.(symbol);
  const via = led && { via: [`${names.name}!${symbol}`, ...led.steps] };
  const found = names.derived?.known(symbol);
  const derived = found && { derived: { name: `${names.name}!${symbol}`, said: found.said } };
  return { address, ...(type ? { type } : {}), ...(names.compiler ? { compiler: names.compiler } : {}), ...via, ...derived };
}

/** The symbol of a name in another case, where there is only one. */
function folded(names: ModuleNames, symbol: string): Located | undefined {
  const all = new Set(names.index().folded(symbol.toLowerCase()).map(({ name }) => name));
  const [only] = all;
  return all.size === 1 && only !== undefined ? located(names, only) : undefined;
}

/** The range that an address lies in; ranges ascend and do not overlap. */
function rangeAt(ranges: readonly NamedRange[], address: bigint): NamedRange | undefined {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle] as NamedRange).start <= address) low = middle + 1;
    else high = middle;
  }
  const range = ranges[low - 1];
  return range && address < range.end ? range : undefined;
}

function offset(distance: bigint): string {
  return distance === 0n ? '' : distance < 0n ? `-0x${(-distance).toString(16)}` : `+0x${distance.toString(16)}`;
}

/** A symbol as it can be typed: in quotes where it has other characters than names may. */
function typeable(name: string): string {
  return TYPEABLE.test(name) || name.includes("'") ? name : `'${name}'`;
}

export type { Located };
