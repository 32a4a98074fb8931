import type { KernelSymbol } from './types.js';

/** A symbol at or below an address. */
export interface NearSymbol {
  readonly symbol: KernelSymbol;
  /** bytes from the symbol to the address */
  readonly distance: bigint;
}

/** Names to search: by beginning, by pattern, case ignored. */
export interface NameIndex {
  readonly size: number;
  /** Symbols whose name begins with a prefix (in lower case). */
  beginning(prefix: string): Iterable<KernelSymbol>;
  /** Their names alone. */
  namesBeginning(prefix: string): string[];
  /** Symbols whose name matches. */
  matching(pattern: RegExp): Iterable<KernelSymbol>;
  /** Symbols whose name is this one but for case (in lower case). */
  folded(name: string): readonly KernelSymbol[];
}

/** An index of names whose symbols are made when they are found. */
export class LazyIndex implements NameIndex {
  private folds: readonly string[] | undefined;

  constructor(
    private readonly names: readonly string[],
    private readonly symbol: (index: number) => KernelSymbol,
  ) {}

  get size(): number {
    return this.names.length;
  }

  *beginning(prefix: string): Generator<KernelSymbol> {
    const folds = this.lowered();
    for (let index = 0; index < folds.length; index++) if (folds[index]?.startsWith(prefix) === true) yield this.symbol(index);
  }

  namesBeginning(prefix: string): string[] {
    const { names } = this;
    const folds = this.lowered();
    return names.filter((_, index) => folds[index]?.startsWith(prefix) === true);
  }

  *matching(pattern: RegExp): Generator<KernelSymbol> {
    const { names } = this;
    for (let index = 0; index < names.length; index++) if (pattern.test(names[index] as string)) yield this.symbol(index);
  }

  folded(name: string): readonly KernelSymbol[] {
    const folds = this.lowered();
    const all: KernelSymbol[] = [];
    for (let index = folds.indexOf(name); index >= 0; index = folds.indexOf(name, index + 1)) all.push(this.symbol(index));
    return all;
  }

  private lowered(): readonly string[] {
    return (this.folds ??= this.names.map((name) => name.toLowerCase()));
  }
}

/**
 * Symbols in arrays: by address with binary search, by name with a map, by beginning and pattern in one pass over folded names (a few
 * milliseconds for 150,000). Each order is made when it is first asked for.
 */
export class SymbolTable implements NameIndex {
  private readonly symbols: readonly KernelSymbol[];
  private addresses: BigUint64Array | undefined;
  private sorted: readonly KernelSymbol[] = [];
  private byName: Map<string, KernelSymbol> | undefined;
  private index: LazyIndex | undefined;

  constructor(symbols: Iterable<KernelSymbol>) {
    this.symbols = [...symbols];
  }

  get size(): number {
    return this.symbols.length;
  }

  lookup(name: string): bigint | undefined {
    if (!this.byName) {
      this.byName = new Map();
      for (const symbol of this.symbols) if (!this.byName.has(symbol.name)) this.byName.set(symbol.name, symbol);
    }
    return this.byName.get(name)?.address;
  }

  /** The last symbol at or below an address; of several at one address the first of the table. */
  nearest(address: bigint): NearSymbol | undefined {
    let index = this.floor(address);
    if (index < 0) return undefined;
    const found = this.sorted[index] as KernelSymbol;
    while (index > 0 && this.sorted[index - 1]?.address === found.address) index--;
    return { symbol: this.sorted[index] as KernelSymbol, distance: address - found.address };
  }

  at(address: bigint): readonly KernelSymbol[] {
    const all: KernelSymbol[] = [];
    for (let index = this.floor(address); index >= 0 && this.sorted[index]?.address === address; index--) all.unshift(this.sorted[index] as KernelSymbol);
    return all;
  }

  *beginning(prefix: string): Generator<KernelSymbol> {
    yield* this.names().beginning(prefix);
  }

  namesBeginning(prefix: string): string[] {
    return this.names().namesBeginning(prefix);
  }

  *matching(pattern: RegExp): Generator<KernelSymbol> {
    yield* this.names().matching(pattern);
  }

  folded(name: string): readonly KernelSymbol[] {
    return this.names().folded(name);
  }

  private names(): LazyIndex {
    return (this.index ??= new LazyIndex(
      this.symbols.map(({ name }) => name),
      (index) => this.symbols[index] as KernelSymbol,
    ));
  }

  /** Place of the last symbol at or below an address in the order of addresses, or -1. */
  private floor(address: bigint): number {
    const addresses = (this.addresses ??= this.sort());
    let low = 0;
    let high = addresses.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((addresses[middle] as bigint) <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  private sort(): BigUint64Array {
    this.sorted = this.symbols.toSorted((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
    return BigUint64Array.from(this.sorted, ({ address }) => address);
  }
}
