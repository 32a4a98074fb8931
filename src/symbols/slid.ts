import { SymbolTable } from './symbol-table.js';
import type { KernelSymbol, SymbolSource } from './types.js';

/** Names of a profile with their addresses as linked. */
export interface LinkedConstants {
  get(name: string): bigint | undefined;
  kind(name: string): 'function' | 'data' | undefined;
  entries(): Iterable<[string, bigint]>;
  readonly size: number;
}

/** The part of the address space that the kernel image can be linked at; constants outside (per-CPU offsets) do not slide. */
const LOWEST_LINKED = { wide: 0xffffffff80000000n, narrow: 0xc0000000n };

/** A variable that every Linux kernel has. */
const VARIABLE = 'init_task';

/** A profile's constants, slid to where this kernel runs, behind the image's own symbols (which know best). */
export class SlidSymbols implements SymbolSource {
  private table: SymbolTable | undefined;

  constructor(
    private readonly constants: LinkedConstants,
    private readonly slide: bigint,
    private readonly own: SymbolSource,
  ) {}

  get size(): number {
    return Math.max(this.constants.size, this.own.size);
  }

  address(name: string): bigint | undefined {
    const known = this.own.address(name);
    if (known !== undefined) return known;
    const linked = this.constants.get(name);
    return linked === undefined ? undefined : this.slid(linked);
  }

  all(name: string): readonly bigint[] {
    const known = this.own.all(name);
    if (known.length > 0) return known;
    const address = this.address(name);
    return address === undefined ? [] : [address];
  }

  nearest(address: bigint): ReturnType<SymbolSource['nearest']> {
    const own = this.own.nearest(address);
    const linked = this.linked?.nearest(address);
    return linked && (!own || linked.distance < own.distance) ? linked : own;
  }

  at(address: bigint): readonly KernelSymbol[] {
    const nearest = this.own.nearest(address);
    const own = this.own.at?.(address) ?? (nearest?.distance === 0n ? [nearest.symbol] : []);
    const names = new Set(own.map(({ name }) => name));
    return [...own, ...(this.linked?.at(address) ?? []).filter(({ name }) => !names.has(name))];
  }

  /**
   * The profile's names by address, where the image's own lack variables (a kernel without CONFIG_KALLSYMS_ALL); undefined where they do not.
   */
  private get linked(): SymbolTable | undefined {
    if (this.own.address(VARIABLE) !== undefined || this.constants.get(VARIABLE) === undefined) return undefined;
    return (this.table ??= new SymbolTable(this.slidConstants()));
  }

  /** Those that lie in the image: what does not slide is no address. */
  private *slidConstants(): Generator<KernelSymbol> {
    for (const [name, linked] of this.constants.entries()) {
      if (linked >= lowestOf(linked)) yield { name, address: this.slid(linked), kind: this.constants.kind(name) === 'function' ? 't' : 'd' };
    }
  }

  *symbols(): Generator<KernelSymbol> {
    const seen = new Set<string>();
    for (const symbol of this.own.symbols()) {
      seen.add(symbol.name);
      yield symbol;
    }
    for (const [name, address] of this.constants.entries()) {
      if (!seen.has(name)) yield { name, address: this.slid(address), kind: this.constants.kind(name) === 'function' ? 't' : 'd' };
    }
  }

  private slid(address: bigint): bigint {
    return address >= lowestOf(address) ? address + this.slide : address;
  }
}

function lowestOf(address: bigint): bigint {
  return address >> 32n === 0n ? LOWEST_LINKED.narrow : LOWEST_LINKED.wide;
}
