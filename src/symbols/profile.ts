import { Absent } from '../memory/absent.js';
import type { AddressSpace } from '../memory/space.js';
import { TypeCompiler } from '../object/compiler.js';
import type { Struct } from '../object/struct.js';
import type { StructType } from '../object/struct-type.js';
import { type CodeReader, Derived, DerivedSymbols, DerivedTypes, type DynamicRules } from './dynamic.js';
import type { ProfileMetadata, SourceLine, SymbolSource, TypeDescriptor, TypeSource } from './types.js';

/**
 * What is known of one kernel build: its types and where its symbols are in this image (any slide is in the addresses).
 */
export class Profile {
  readonly symbols: SymbolSource;
  /** what is found in code by the profile's rules; undefined where it has none */
  readonly derived: Derived | undefined;
  private source: TypeSource | undefined;
  private made: TypeCompiler | undefined;

  /** @param given the types, or what reads them when one is first asked for (megabytes, which a prompt need not wait for) */
  constructor(
    private readonly given: TypeSource | (() => TypeSource),
    symbols: SymbolSource,
    readonly metadata: ProfileMetadata,
    /** types of globals where the source states them (DWARF, ISF, Rekall's $CONSTANT_TYPES) */
    readonly symbolType: (name: string) => TypeDescriptor | undefined = () => undefined,
    rules?: DynamicRules,
    /** the line of the source that made the code at an address, where the source of the profile tells (private PDBs) */
    readonly line: (address: bigint) => SourceLine | undefined = () => undefined,
  ) {
    this.derived = rules && new Derived(rules);
    this.symbols = this.derived ? new DerivedSymbols(symbols, this.derived) : symbols;
  }

  get types(): TypeSource {
    return (this.source ??= this.allTypes());
  }

  get compiler(): TypeCompiler {
    return (this.made ??= new TypeCompiler(this.types, this.pointerSize));
  }

  get pointerSize(): 4 | 8 {
    return this.metadata.arch === 'I386' ? 4 : 8;
  }

  /** A compiled struct or union. Throws Absent `no-member` when this profile has none of that name. */
  struct<T extends Struct = Struct>(name: string): StructType<T> {
    return this.compiler.struct<T>(name);
  }

  /** True where the profile has the struct, and, if given, the struct has the member. */
  has(struct: string, member?: string): boolean {
    if (!this.compiler.hasStruct(struct)) return false;
    return member === undefined || this.struct(struct).has(member);
  }

  /**
   * The struct that a type is, points to, or is an array of; undefined where it is none.
   * @param within name of the struct that holds it, for one without a name
   */
  structBehind(type: TypeDescriptor, within: string): StructType | undefined {
    switch (type.kind) {
      case 'pointer':
      case 'array':
        return this.structBehind(type.target, within);
      case 'struct':
        return this.has(type.name) ? this.struct(type.name) : undefined;
      case 'inline':
        return this.compiler.inline(type.layout, `${within}.(anonymous)`);
      default:
        return undefined;
    }
  }

  /** Address of a symbol. Throws Absent `no-member` when the kernel has none of that name. */
  address(symbol: string): bigint {
    const address = this.symbols.address(symbol);
    if (address === undefined) throw new Absent('no-member', this.derived?.known(symbol)?.said ?? `this kernel has no symbol ${symbol}`);
    return address;
  }

  /** Value of an enumeration's label (`enum pid_type`, `PIDTYPE_PID`). Throws Absent when there is none. */
  enumValue(enumeration: string, label: string): number {
    for (const [value, name] of this.types.enum(enumeration)?.choices ?? []) {
      if (name === label) return Number(value);
    }
    throw new Absent('no-member', `this profile has no ${label} in enum ${enumeration}`);
  }

  /** Gives the profile's rules the code that they look into. What was read before, while a kernel was looked for, had nothing of theirs. */
  lend(reader: CodeReader): void {
    this.derived?.lend(reader);
    for (const name of this.derived?.rules.structNames() ?? []) this.made?.forget(name);
  }

  private allTypes(): TypeSource {
    const own = typeof this.given === 'function' ? this.given() : this.given;
    return this.derived ? new DerivedTypes(own, this.derived) : own;
  }

  /** A global struct: the struct at a symbol. */
  object<T extends Struct = Struct>(space: AddressSpace, symbol: string, struct: string): T {
    return this.struct<T>(struct).at(space, this.address(symbol));
  }
}
