import { ConstantMap } from '../source.js';
import type { TypeDescriptor } from '../types.js';
import { plainName } from './names.js';
import type { PlacedSymbol } from './symbols.js';

/** Names with their places, as symbols of several streams give them: one place and name once, what shares a name numbered. */
export class Globals {
  private readonly addresses = new Map<string, bigint>();
  private readonly functions = new Set<string>();
  private readonly types = new Map<string, number>();
  private readonly ids = new Map<string, number>();
  /** names that a second place was given, by the name and place */
  private readonly numbered = new Map<string, string>();
  /** the last number that a name was given: where a million share it, none is counted twice */
  private readonly numbers = new Map<string, number>();

  constructor(private readonly bits: 32 | 64) {}

  /** @param address from the image's base */
  add(symbol: PlacedSymbol, address: number): void {
    const name = this.named(symbol.decorated ? plainName(symbol.name, this.bits) : symbol.name, BigInt(address));
    if (symbol.code) this.functions.add(name);
    if (symbol.type !== undefined && !this.types.has(name)) this.types.set(name, symbol.type);
    if (symbol.id !== undefined && !this.ids.has(name)) this.ids.set(name, symbol.id);
  }

  /**
   * @param describe the type of an index
   * @param typeOf the index of the type that an id's function has
   */
  constants(describe: (type: number) => TypeDescriptor, typeOf: (id: number) => number | undefined): ConstantMap {
    return new ConstantMap(this.addresses, this.functions, (name) => {
      const id = this.ids.get(name);
      const type = this.types.get(name) ?? (id === undefined ? undefined : typeOf(id));
      return type === undefined ? undefined : describe(type);
    });
  }

  /** The name under which a place is known: `name`, `name_1`, `name_2` … */
  private named(name: string, address: bigint): string {
    const known = this.addresses.get(name);
    if (known === address) return name;
    if (known === undefined) {
      this.addresses.set(name, address);
      return name;
    }
    const key = `${address} ${name}`;
    const other = this.numbered.get(key);
    if (other !== undefined) return other;
    let number = (this.numbers.get(name) ?? 0) + 1;
    while (this.addresses.has(`${name}_${number}`)) number++;
    this.numbers.set(name, number);
    this.numbered.set(key, `${name}_${number}`);
    this.addresses.set(`${name}_${number}`, address);
    return `${name}_${number}`;
  }
}
