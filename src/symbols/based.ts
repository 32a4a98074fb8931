import type { Constants } from './source.js';
import type { KernelSymbol, SymbolSource } from './types.js';

/** A module's symbols at the place where it was loaded: a profile states offsets from the image's base (PDB, Rekall's Windows profiles). */
export class BasedSymbols implements SymbolSource {
  private sorted: { readonly offsets: Float64Array; readonly names: readonly string[] } | undefined;

  constructor(
    private readonly constants: Constants,
    readonly base: bigint,
  ) {}

  get size(): number {
    return this.constants.size;
  }

  address(name: string): bigint | undefined {
    const offset = this.constants.get(name);
    return offset === undefined ? undefined : this.base + offset;
  }

  all(name: string): readonly bigint[] {
    const address = this.address(name);
    return address === undefined ? [] : [address];
  }

  nearest(address: bigint): ReturnType<SymbolSource['nearest']> {
    const at = this.firstAt(address);
    if (at === undefined) return undefined;
    const symbol = this.entry(at);
    return { symbol, distance: address - symbol.address };
  }

  /** All symbols at an address: functions with the same code share one. */
  at(address: bigint): readonly KernelSymbol[] {
    const found: KernelSymbol[] = [];
    const { offsets } = (this.sorted ??= this.sort());
    for (let at = this.firstAt(address) ?? offsets.length; at < offsets.length; at++) {
      const symbol = this.entry(at);
      if (symbol.address !== address) break;
      found.push(symbol);
    }
    return found;
  }

  *symbols(): Generator<KernelSymbol> {
    for (const [name, offset] of this.constants.entries()) yield { name, address: this.base + offset, kind: this.kindOf(name) };
  }

  /** Index of the first of the symbols at, or nearest below, an address: of several names at one place the first in the alphabet stands. */
  private firstAt(address: bigint): number | undefined {
    if (address < this.base) return undefined;
    const { offsets } = (this.sorted ??= this.sort());
    const wanted = Number(address - this.base);
    let low = 0;
    let high = offsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((offsets[middle] as number) <= wanted) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return undefined;
    let at = low - 1;
    while (at > 0 && offsets[at - 1] === offsets[at]) at--;
    return at;
  }

  private entry(at: number): KernelSymbol {
    const { offsets, names } = (this.sorted ??= this.sort());
    const name = names[at] as string;
    return { name, address: this.base + BigInt(offsets[at] as number), kind: this.kindOf(name) };
  }

  private kindOf(name: string): string {
    return this.constants.kind(name) === 'function' ? 'T' : 'D';
  }

  private sort(): { readonly offsets: Float64Array; readonly names: readonly string[] } {
    const names: string[] = [];
    const stated: number[] = [];
    for (const [name, offset] of this.constants.entries()) {
      names.push(name);
      stated.push(Number(offset));
    }
    const tie = (a: string, b: string): number => namingRank(a) - namingRank(b) || (a < b ? -1 : 1);
    const order = Uint32Array.from(names.keys()).sort((a, b) => (stated[a] as number) - (stated[b] as number) || tie(names[a] as string, names[b] as string));
    return { offsets: Float64Array.from(order, (index) => stated[index] as number), names: Array.from(order, (index) => names[index] as string) };
  }
}

/**
 * Of several names at a place the one with the lowest rank says most: a decorated name of C++ (`?run@Worker@@QEAAXXZ`) less than the plain one, the
 * text of a string constant least.
 */
export function namingRank(name: string): 0 | 1 | 2 {
  return name.startsWith('str:') ? 2 : name.startsWith('?') ? 1 : 0;
}
