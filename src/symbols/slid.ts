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

/** A profile's constants, slid to where this kernel runs, behind the image's own symbols (which know best). */
export class SlidSymbols implements SymbolSource {
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
    return this.own.nearest(address);
  }

  at(address: bigint): readonly KernelSymbol[] {
    if (this.own.at) return this.own.at(address);
    const found = this.own.nearest(address);
    return found?.distance === 0n ? [found.symbol] : [];
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
    const lowest = address >> 32n === 0n ? LOWEST_LINKED.narrow : LOWEST_LINKED.wide;
    return address >= lowest ? address + this.slide : address;
  }
}
