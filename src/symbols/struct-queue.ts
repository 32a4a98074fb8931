import type { StructLayout, TypeSource } from './types.js';

/**
 * The structs that a profile's file has to state: all that the source lists, those that only another names (`slot#4711`: not the first
 * of its name), and unnamed ones in place, which get names of their own where a format has no nesting.
 */
export class StructQueue {
  private readonly unnamed = new Map<StructLayout, string>();
  private readonly named = new Set<string>();
  /** in the order they were met */
  private readonly namedOrder: string[] = [];
  private readonly unnamedOrder: StructLayout[] = [];
  /** Unnamed structs are numbered from here on: a source may have such names of its own. */
  private readonly firstUnnamed: number;

  constructor(private readonly types: TypeSource) {
    let first = 0;
    for (const name of [...new Set(types.structNames())].sort()) {
      this.use(name);
      const number = /^__unnamed_(\d{1,12})$/.exec(name)?.[1];
      if (number !== undefined) first = Math.max(first, Number(number) + 1);
    }
    this.firstUnnamed = first;
  }

  /** A struct that is named somewhere. */
  use(name: string): void {
    if (this.named.has(name)) return;
    this.named.add(name);
    this.namedOrder.push(name);
  }

  /** The name of an unnamed one: `__unnamed_12`. */
  nameOf(layout: StructLayout): string {
    const known = this.unnamed.get(layout);
    if (known !== undefined) return known;
    const name = `__unnamed_${this.firstUnnamed + this.unnamed.size}`;
    this.unnamed.set(layout, name);
    this.unnamedOrder.push(layout);
    return name;
  }

  /** Each once, also those that are met while the others are written. */
  *entries(): Generator<[name: string, layout: StructLayout]> {
    for (let named = 0, unnamed = 0; named < this.namedOrder.length || unnamed < this.unnamedOrder.length;) {
      if (named < this.namedOrder.length) {
        const name = this.namedOrder[named++] as string;
        const layout = this.types.struct(name);
        if (layout) yield [name, layout];
      } else {
        const layout = this.unnamedOrder[unnamed++] as StructLayout;
        yield [this.unnamed.get(layout) as string, layout];
      }
    }
  }
}
