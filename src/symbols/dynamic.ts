import { Absent } from '../memory/absent.js';
import type { JsonObject } from './json.js';
import type { EnumType, KernelSymbol, MemberLayout, StructLayout, SymbolSource, TypeDescriptor, TypeSource } from './types.js';

/** What a rule wants of one property of an instruction: a value (null: that it has none), any value under a name, or a text that a regular expression fits from its start. */
export type Wanted =
  | { readonly kind: 'is'; readonly value: bigint | string | null }
  | { readonly kind: 'capture'; readonly name: string }
  | { readonly kind: 'like'; readonly expression: string };

/** Properties of an operand that a rule may name: those of Rekall's canonical instructions. */
export const OPERAND_PROPERTIES = ['type', 'size', 'reg', 'base', 'index', 'scale', 'disp', 'address', 'target'] as const;
export type OperandProperty = (typeof OPERAND_PROPERTIES)[number];

/** One instruction that is looked for. */
export interface InstructionRule {
  readonly mnemonic?: Wanted;
  /** what a listing says beside the instruction: the name of what it calls or works on */
  readonly comment?: Wanted;
  /** by position; undefined: any */
  readonly operands: readonly (ReadonlyMap<OperandProperty, Wanted> | undefined)[];
}

/** Instructions that follow each other in a function, with others between them. */
export interface CodePattern {
  /** `nt!MiSessionInsertImage`, with a number added perhaps */
  readonly start: string;
  readonly rules: readonly InstructionRule[];
  /** instructions from one that is found to the next, at most */
  readonly maxSeparation: number;
}

/** A pattern whose captured numbers are offsets of a struct's members, each under the member's name. */
export interface StructPattern extends CodePattern {
  readonly fields: ReadonlyMap<string, TypeDescriptor>;
}

/** One of the ways to find something; one that cannot be followed says why. */
export type Alternative<T> = T | { readonly problem: string };

/** Rules by which a profile says how to find what it does not state: Rekall's $DYNAMIC_CONSTANTS and $DYNAMIC_STRUCTS. Nothing is read of them before a name is asked for. */
export interface DynamicRules {
  constant(name: string): readonly Alternative<CodePattern>[] | undefined;
  struct(name: string): readonly Alternative<StructPattern>[] | undefined;
  constantNames(): readonly string[];
  structNames(): readonly string[];
  /** the sections as they stand, for writing them elsewhere */
  sections(): readonly (readonly [name: string, section: JsonObject])[];
}

/** What an instruction had where a rule captures. */
export interface Captured {
  /** a signed number, or the name of a register or a text */
  readonly value: bigint | string | null;
  /** how wide the number is in the code */
  readonly bits: number;
  /** the instruction: `nt!MiSessionInsertImage+0x5a MOV [RBX+0x20], RDI` */
  readonly from: string;
}

/** Captured values by their whole name (`$out`), or why the pattern is not there. */
export type CodeMatch = { readonly captured: ReadonlyMap<string, Captured> } | { readonly missed: string; /** looking on may take as long again */ readonly tooLong?: true };

/** Whoever can look into the code that a profile is of. A profile knows no memory: a session lends it this. */
export interface CodeReader {
  match(pattern: CodePattern): CodeMatch;
  /** told once of each name what came of it, for a trace */
  told?(section: string, name: string, said: string, found: boolean): void;
}

export interface DerivedConstant {
  /** undefined where no rule matched */
  readonly value: bigint | undefined;
  /** where it comes from, or why it is not known */
  readonly said: string;
}

export interface DerivedMembers {
  readonly members: ReadonlyMap<string, MemberLayout>;
  /** where each alternative that matched was found */
  readonly said: readonly string[];
  /** members that no rule found, and why */
  readonly missing: ReadonlyMap<string, string>;
}

/** What a constant's rules capture its value as. */
const OUT = '$out';

/** Constants and members that are found in code by a profile's rules, each when it is first asked for. */
export class Derived {
  private readonly constants = new Map<string, DerivedConstant>();
  private readonly structs = new Map<string, DerivedMembers>();
  /** what is being looked for: a rule that needs what it finds would go round in circles */
  private readonly under = new Set<string>();

  constructor(
    readonly rules: DynamicRules,
    private reader?: CodeReader,
  ) {}

  /** Gives the means to look into code; until then nothing is found. */
  lend(reader: CodeReader): void {
    this.reader = reader;
  }

  /** A constant that has rules, undefined of all others. */
  constant(name: string): DerivedConstant | undefined {
    const known = this.constants.get(name);
    if (known) return known;
    const alternatives = this.rules.constant(name);
    if (!alternatives) return undefined;
    const section = '$DYNAMIC_CONSTANTS';
    return this.kept(this.constants, section, name, (reader) => {
      const misses: string[] = [];
      for (const one of alternatives) {
        const match = matched(one, reader);
        if ('missed' in match) {
          misses.push(match.missed);
          if (match.tooLong) break;
        } else {
          const out = match.captured.get(OUT);
          if (typeof out?.value === 'bigint') return { value: BigInt.asUintN(out.bits, out.value), said: `${section} ${name}: by ${out.from}` };
          misses.push(out ? `${OUT} is ${String(out.value)} there, and no number: ${out.from}` : `${startOf(one)}: its rules capture no ${OUT}`);
        }
      }
      return { value: undefined, said: failure(section, name, alternatives, misses) };
    }) ?? { value: undefined, said: `${section} ${name}: nothing to look into code with` };
  }

  /** The constant if it was looked for already. */
  known(name: string): DerivedConstant | undefined {
    return this.constants.get(name);
  }

  /** Members of a struct that has rules, undefined of all others. Each member is of the first alternative that matches and has it. */
  members(name: string): DerivedMembers | undefined {
    const known = this.structs.get(name);
    if (known) return known;
    const alternatives = this.rules.struct(name);
    if (!alternatives) return undefined;
    return this.kept(this.structs, '$DYNAMIC_STRUCTS', name, (reader) => this.search(name, alternatives, reader));
  }

  private search(name: string, alternatives: readonly Alternative<StructPattern>[], reader: CodeReader): DerivedMembers & { readonly value?: true } {
    const section = '$DYNAMIC_STRUCTS';
    const members = new Map<string, MemberLayout>();
    const said: string[] = [];
    const missed = new Map<Alternative<StructPattern>, string>();
    for (const one of alternatives) {
      if ('fields' in one && [...one.fields.keys()].every((field) => members.has(field))) continue;
      const match = matched(one, reader);
      const found = 'missed' in match ? match.missed : 'fields' in one ? fieldsOf(one, match.captured) : '';
      if ('missed' in match || typeof found === 'string') {
        missed.set(one, String(found));
        if ('tooLong' in match) break;
        continue;
      }
      const taken = [...found].filter(([field]) => !members.has(field));
      for (const [field, member] of taken) members.set(field, member);
      said.push(`${section} ${name}: ${taken.map(([field]) => `${field} by ${match.captured.get(`$${field}`)?.from ?? ''}`).join('; ')}`);
    }
    const why = (what: string, having: readonly Alternative<StructPattern>[]): string => failure(section, what, having, having.flatMap((one) => missed.get(one) ?? []));
    const wanted = new Set(alternatives.flatMap((one) => ('fields' in one ? [...one.fields.keys()] : [])));
    const missing = new Map([...wanted].filter((field) => !members.has(field)).map((field) => [field, why(`${name}.${field}`, alternatives.filter((one) => 'fields' in one && one.fields.has(field)))]));
    return members.size > 0 ? { members, said, missing, value: true } : { members, said: [why(name, alternatives)], missing };
  }

  /** Looks for something once; undefined where nothing is lent to look with. */
  private kept<T extends { readonly said: string | readonly string[]; readonly value?: unknown }>(all: Map<string, T>, section: string, name: string, search: (reader: CodeReader) => T): T | undefined {
    const { reader } = this;
    const key = `${section} ${name}`;
    if (!reader || this.under.has(key)) return undefined;
    this.under.add(key);
    try {
      const found = search(reader);
      all.set(name, found);
      for (const line of [found.said].flat()) reader.told?.(section, name, line, found.value !== undefined);
      return found;
    } finally {
      this.under.delete(key);
    }
  }
}

function matched(one: Alternative<CodePattern>, reader: CodeReader): CodeMatch {
  if ('problem' in one) return { missed: one.problem };
  try {
    return reader.match(one);
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    return { missed: `${one.start}: ${error.reason}` };
  }
}

/** Each field at the offset that was captured under its name; a sentence where one was not, or is no offset. */
function fieldsOf({ fields, start }: StructPattern, captured: ReadonlyMap<string, Captured>): Map<string, MemberLayout> | string {
  const members = new Map<string, MemberLayout>();
  for (const [field, type] of fields) {
    const found = captured.get(`$${field}`);
    if (!found) return `${start}: its rules capture no $${field}`;
    if (typeof found.value !== 'bigint' || BigInt.asIntN(32, found.value) !== found.value) return `$${field} is ${String(found.value)} there, and no offset: ${found.from}`;
    members.set(field, { offset: Number(found.value), type });
  }
  return members;
}

function startOf(one: Alternative<CodePattern>): string {
  return 'problem' in one ? '' : one.start;
}

/** `no rule of $DYNAMIC_CONSTANTS X matched in nt!Y`, with what each alternative failed at. */
function failure(section: string, name: string, alternatives: readonly Alternative<CodePattern>[], misses: readonly string[]): string {
  const places = [...new Set(alternatives.map(startOf))].filter((start) => start !== '');
  const where = places.length > 0 ? ` in ${places.slice(0, 3).join(', ')}` : '';
  const why = [...new Set(misses)].slice(0, 4).join('; ');
  return `no rule of ${section} ${name} matched${where}${why === '' ? '' : ` (${why})`}`;
}

/** Symbols, and behind them the constants that are found in code: these answer to their names, and are in no list. */
export class DerivedSymbols implements SymbolSource {
  readonly at?: (address: bigint) => readonly KernelSymbol[];
  readonly below?: (address: bigint) => Iterable<KernelSymbol>;
  readonly allNames?: () => readonly string[];
  readonly symbol?: (index: number) => KernelSymbol;

  constructor(
    private readonly own: SymbolSource,
    private readonly derived: Derived,
  ) {
    if (own.at) this.at = own.at.bind(own);
    if (own.below) this.below = own.below.bind(own);
    if (own.allNames) this.allNames = own.allNames.bind(own);
    if (own.symbol) this.symbol = own.symbol.bind(own);
  }

  get size(): number {
    return this.own.size;
  }

  address(name: string): bigint | undefined {
    return this.own.address(name) ?? this.derived.constant(name)?.value;
  }

  all(name: string): readonly bigint[] {
    const own = this.own.all(name);
    if (own.length > 0) return own;
    const address = this.derived.constant(name)?.value;
    return address === undefined ? [] : [address];
  }

  nearest(address: bigint): ReturnType<SymbolSource['nearest']> {
    return this.own.nearest(address);
  }

  symbols(): Iterable<KernelSymbol> {
    return this.own.symbols();
  }
}

/** Types, and in them the members that are found in code. What symbols describe stays as it is. */
export class DerivedTypes implements TypeSource {
  private readonly layouts = new Map<string, StructLayout>();

  constructor(
    private readonly own: TypeSource,
    private readonly derived: Derived,
  ) {}

  struct(name: string): StructLayout | undefined {
    const known = this.layouts.get(name);
    if (known) return known;
    const own = this.own.struct(name);
    const found = this.derived.members(name);
    if (!found || (found.members.size === 0 && !own)) return own;
    const members = new Map([...found.members, ...(own?.members ?? [])].sort(([, a], [, b]) => a.offset - b.offset));
    const missing = new Map([...found.missing].filter(([member]) => !members.has(member)));
    const layout: StructLayout = { name, union: own?.union ?? false, size: own?.size, members, notes: found.said, missing };
    this.layouts.set(name, layout);
    return layout;
  }

  whyNot(struct: string): string | undefined {
    return this.derived.members(struct)?.said[0] ?? this.own.whyNot?.(struct);
  }

  enum(name: string): EnumType | undefined {
    return this.own.enum(name);
  }

  typedef(name: string): TypeDescriptor | undefined {
    return this.own.typedef(name);
  }

  *structNames(): Generator<string> {
    const own = new Set(this.own.structNames());
    yield* own;
    for (const name of this.derived.rules.structNames()) if (!own.has(name)) yield name;
  }

  enumNames(): Iterable<string> {
    return this.own.enumNames();
  }
}
