import type { Constants, ProfileSource } from './source.js';
import type { EnumType, KernelSymbol, ProfileMetadata, SourceLine, StructLayout, SymbolSource, TypeDescriptor, TypeSource } from './types.js';

/** Answers are kept up to so many, and up to so many characters of JSON: more would cost every open more than they save the next command. */
const MOST_ANSWERS = 1000;
const MOST_CHARACTERS = 400_000;

/** Where answers are kept: with an image. */
export interface AnswerStore {
  get(key: string): unknown;
  set(key: string, value: unknown): void;
  /** the program's build: another may read a profile differently. Undefined: answers are not kept */
  readonly build?: string | undefined;
}

/**
 * What a profile was asked by name, and what it said: a second open of an image asks much the same, and need not unpack and parse megabytes for it. An
 * answer is JSON, kept as text: what is not asked again is not parsed.
 */
export class Answers {
  private readonly given = new Map<string, unknown>();

  private constructor(
    private readonly store: AnswerStore,
    private readonly slot: string,
    private readonly about: string,
    private readonly kept: Readonly<Record<string, unknown>>,
  ) {}

  /**
   * @param slot the key that they are kept under
   * @param about whose answers they are: those of anything else are not taken
   * @returns undefined where nothing is kept
   */
  static open(store: AnswerStore, slot: string, about: string): Answers | undefined {
    if (store.build === undefined) return undefined;
    const whose = `${about}, read by ${store.build}`;
    const stored = store.get(slot) as { readonly about?: unknown; readonly answers?: unknown } | undefined;
    const known = stored?.about === whose && typeof stored.answers === 'object' && stored.answers !== null;
    return new Answers(store, slot, whose, known ? (stored.answers as Record<string, unknown>) : {});
  }

  /** True where the question was answered before. */
  knows(question: string): boolean {
    return this.given.has(question) || Object.hasOwn(this.kept, question);
  }

  /** The answer that was given before, or what `answer` gives now; what that throws is no answer. */
  ask<T>(question: string, answer: () => T | undefined): T | undefined {
    if (this.given.has(question)) return this.given.get(question) as T | undefined;
    const text = Object.hasOwn(this.kept, question) ? this.kept[question] : undefined;
    const value = typeof text === 'string' ? (JSON.parse(text, revived) as T) : text === null ? undefined : answer();
    if (this.given.size < MOST_ANSWERS) {
      this.given.set(question, value);
      if (text === undefined) this.store.set(this.slot, this);
    }
    return value;
  }

  /** For the store: old answers first, new ones as far as there is room. */
  toJSON(): unknown {
    const answers: Record<string, unknown> = { ...this.kept };
    let left = MOST_CHARACTERS - Object.values(answers).reduce<number>((sum, text) => sum + String(text).length, 0);
    for (const [question, value] of this.given) {
      if (Object.hasOwn(answers, question)) continue;
      const text = value === undefined ? null : JSON.stringify(value, plain);
      left -= question.length + (text?.length ?? 0);
      if (left < 0) break;
      answers[question] = text;
    }
    return { about: this.about, answers };
  }
}

/** Maps (members, labels) in JSON. */
const MAP = '$map';

function plain(_key: string, value: unknown): unknown {
  return value instanceof Map ? { [MAP]: [...value] } : value;
}

function revived(_key: string, value: unknown): unknown {
  return typeof value === 'object' && value !== null && MAP in value ? new Map(value[MAP] as [unknown, unknown][]) : value;
}

/** Types of which those that were asked before need no source. */
export class RememberedTypes implements TypeSource {
  constructor(
    private readonly answers: Answers,
    private readonly source: () => TypeSource,
  ) {}

  struct(name: string): StructLayout | undefined {
    return this.answers.ask(`struct ${name}`, () => this.source().struct(name));
  }

  enum(name: string): EnumType | undefined {
    return this.answers.ask(`enum ${name}`, () => this.source().enum(name));
  }

  typedef(name: string): TypeDescriptor | undefined {
    return this.answers.ask(`typedef ${name}`, () => this.source().typedef(name));
  }

  structNames(): Iterable<string> {
    return this.source().structNames();
  }

  enumNames(): Iterable<string> {
    return this.source().enumNames();
  }

  whyNot(struct: string): string | undefined {
    return this.answers.ask(`why not ${struct}`, () => this.source().whyNot?.(struct));
  }

  declaration(name: string): SourceLine | undefined {
    return this.answers.ask(`declaration ${name}`, () => this.source().declaration?.(name));
  }

  warm(): void {
    this.source();
  }
}

/** Symbols of which the addresses that were asked before need no source. */
export class RememberedSymbols implements SymbolSource {
  constructor(
    private readonly answers: Answers,
    private readonly source: () => Required<SymbolSource>,
  ) {}

  get size(): number {
    return this.source().size;
  }

  address(name: string): bigint | undefined {
    return addressOf(this.answers, name, () => this.source().address(name));
  }

  all(name: string): readonly bigint[] {
    return this.source().all(name);
  }

  nearest(address: bigint): ReturnType<SymbolSource['nearest']> {
    return this.source().nearest(address);
  }

  at(address: bigint): readonly KernelSymbol[] {
    return this.source().at(address);
  }

  symbols(): Iterable<KernelSymbol> {
    return this.source().symbols();
  }

  below(address: bigint): Iterable<KernelSymbol> {
    return this.source().below(address);
  }

  allNames(): readonly string[] {
    return this.source().allNames();
  }

  symbol(index: number): KernelSymbol {
    return this.source().symbol(index);
  }
}

/** A profile of which what was asked before needs no reading. */
export class RememberedProfile implements ProfileSource {
  readonly types: TypeSource;
  readonly constants: Constants;

  constructor(
    private readonly answers: Answers,
    private readonly source: () => ProfileSource,
  ) {
    this.types = new RememberedTypes(answers, () => source().types);
    this.constants = new RememberedConstants(answers, () => source().constants);
  }

  get metadata(): ProfileMetadata {
    return this.answers.ask('metadata', () => this.source().metadata) ?? this.source().metadata;
  }
}

class RememberedConstants implements Constants {
  constructor(
    private readonly answers: Answers,
    private readonly source: () => Constants,
  ) {}

  get size(): number {
    return this.source().size;
  }

  get(name: string): bigint | undefined {
    return addressOf(this.answers, name, () => this.source().get(name));
  }

  type(name: string): TypeDescriptor | undefined {
    return this.answers.ask(`type ${name}`, () => this.source().type(name));
  }

  kind(name: string): 'function' | 'data' | undefined {
    return this.source().kind(name);
  }

  entries(): Iterable<[string, bigint]> {
    return this.source().entries();
  }
}

function addressOf(answers: Answers, name: string, address: () => bigint | undefined): bigint | undefined {
  const text = answers.ask(`address ${name}`, () => address()?.toString());
  return text === undefined ? undefined : BigInt(text);
}
