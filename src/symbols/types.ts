/**
 * How a type is described, whichever source it came from (BTF, DWARF, PDB, Rekall JSON, Volatility ISF). Descriptors are
 * plain data and never hold addresses; `src/object/` compiles them into views.
 */
export type TypeDescriptor =
  | IntegerType
  | { readonly kind: 'float'; readonly size: number; readonly name?: string }
  | { readonly kind: 'void' }
  /** `signature` only where a function itself is described: members that point to functions do not tell it */
  | { readonly kind: 'function'; readonly signature?: FunctionSignature }
  /** `size` in bytes, when it is not the space's pointer width; `space`: of a process object, leads into the memory of that process */
  | { readonly kind: 'pointer'; readonly target: TypeDescriptor; readonly size?: number; readonly space?: 'process' }
  /** `count` 0: a flexible array member */
  | { readonly kind: 'array'; readonly count: number; readonly target: TypeDescriptor }
  /** a struct or union by name, looked up when it is needed (types are recursive) */
  | { readonly kind: 'struct'; readonly name: string }
  /** an unnamed struct or union, in place */
  | { readonly kind: 'inline'; readonly layout: StructLayout }
  | EnumType
  /** bits [startBit, startBit + bits) counted from the least significant bit of the `base` at the member's offset */
  | { readonly kind: 'bitfield'; readonly base: IntegerType | EnumType; readonly startBit: number; readonly bits: number }
  /**
   * A class of Rekall's vtype language that is more than C: `String`, `UnicodeString`, `UnixTimeStamp`, `WinFileTime`,
   * `Flags`, `Ipv4Address` … with its arguments as the profile states them.
   */
  | { readonly kind: 'named'; readonly name: string; readonly args: Readonly<Record<string, unknown>> };

/** Where arguments are passed and who clears the stack, of 32-bit code; C's own (and all that x64 has) goes without saying. */
export type Convention = 'stdcall' | 'fastcall' | 'thiscall' | 'vectorcall';

/** What a function takes and gives. A member function's first parameter is the object. */
export interface FunctionSignature {
  readonly returns: TypeDescriptor;
  readonly parameters: readonly TypeDescriptor[];
  /** any number of arguments may follow */
  readonly variadic: boolean;
  readonly convention?: Convention;
}

/** An integer. `encoding` says how it is meant, not how it is stored. */
export interface IntegerType {
  readonly kind: 'int';
  /** bytes: 1, 2, 4, 8 or 16 */
  readonly size: number;
  readonly signed: boolean;
  readonly encoding?: 'bool' | 'char';
  /** the C name: `unsigned int`, `u64` */
  readonly name?: string;
}

export interface EnumType {
  readonly kind: 'enum';
  /** absent for an anonymous enumeration */
  readonly name?: string;
  readonly size: number;
  readonly signed: boolean;
  /** value → label; the value in decimal (64-bit ones do not fit a number) */
  readonly choices: ReadonlyMap<string, string>;
}

export interface MemberLayout {
  /** bytes from the start of the struct; negative in some overlays */
  readonly offset: number;
  readonly type: TypeDescriptor;
}

export interface StructLayout {
  readonly name?: string;
  readonly union: boolean;
  /** bytes; undefined when the source does not know it (a sparse vtype) */
  readonly size: number | undefined;
  /**
   * In declaration order. Members of unnamed structs and unions are lifted into the struct that holds them, as C sees them
   * (`page.flags`, not `page.<anonymous>.flags`).
   */
  readonly members: ReadonlyMap<string, MemberLayout>;
  /** where members come from that no symbols describe */
  readonly notes?: readonly string[];
  /** members that were looked for in vain, and why */
  readonly missing?: ReadonlyMap<string, string>;
}

/** Where types come from. Lookups are lazy; the lists are for completion and export. */
export interface TypeSource {
  struct(name: string): StructLayout | undefined;
  enum(name: string): EnumType | undefined;
  /** the type a `typedef` stands for */
  typedef(name: string): TypeDescriptor | undefined;
  structNames(): Iterable<string>;
  enumNames(): Iterable<string>;
  /** why a struct is not there, of one that might be */
  whyNot?(struct: string): string | undefined;
  /** where a struct or enumeration is declared, where the source can tell (private PDBs) */
  declaration?(name: string): SourceLine | undefined;
  /** Reads what was put off until somebody asks for it. */
  warm?(): void;
}

/** A line of a program's source. */
export interface SourceLine {
  /** as the compiler was given it: mostly with its whole path, of the machine that it ran on */
  readonly file: string;
  readonly line: number;
}

/** A symbol: a name and a virtual address as linked or as relocated (the table that holds it says which). */
export interface KernelSymbol {
  readonly name: string;
  readonly address: bigint;
  /** the letter of nm: `T`, `t`, `D`, `d`, `B`, `b`, `R`, `r`, `A`, `V`, `W` … */
  readonly kind: string;
}

/** Where names come from. Addresses are virtual and final: any slide is already in them. */
export interface SymbolSource {
  /** The first symbol with this name. */
  address(name: string): bigint | undefined;
  /** All symbols with this name: static functions may share one. */
  all(name: string): readonly bigint[];
  /** The nearest symbol at or below an address, and the distance to it in bytes. */
  nearest(address: bigint): { readonly symbol: KernelSymbol; readonly distance: bigint } | undefined;
  /** All symbols at an address, where the source can tell quickly. */
  at?(address: bigint): readonly KernelSymbol[];
  symbols(): Iterable<KernelSymbol>;
  /** The symbols below an address, where the source can tell them quickly. */
  below?(address: bigint): Iterable<KernelSymbol>;
  /** All names in the order of `symbols`, and a symbol by its place there: for indexes that need no more. */
  allNames?(): readonly string[];
  symbol?(index: number): KernelSymbol;
  readonly size: number;
}

/** What a profile says of itself: Rekall's $METADATA. */
export interface ProfileMetadata {
  readonly os: 'linux' | 'windows' | 'darwin';
  readonly arch: 'AMD64' | 'I386' | 'ARM64';
  /** where it came from: `BTF and kallsyms of the image`, a path … */
  readonly source: string;
  /** the kernel's banner (`Linux version 6.1.0-…`) or PDB GUID+age, by which a wrong profile is refused */
  readonly banner?: string;
  /** the kernel's configuration, where the source has it (`CONFIG_SMP`: `y`): Rekall's $CONFIG */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}
