import type { Argument, Place, Value } from '../../grammar/command-tree.js';
import { assign, parametersMatching, parameterNames, parameterOf, parameterValue, shortParameter } from '../session/flags.js';
import type { ParameterName, ParameterValues } from '../session/parameters.js';
import { type Arg, type Args, spaceGiven } from './args.js';
import { convert, type Converter, parseBoolean, parseNumber } from './convert.js';
import { UsageError } from './error.js';
import { didYouMean, similar } from './similar.js';
import type { Words } from './words.js';

export interface BindOptions {
  /**
   * The address of a name or expression (`linux!init_task+0x10`). @param space the space that the command was given beside it (`pid@7`)
   * @throws UsageError whose place is in the expression
   */
  resolve(expression: string, space?: string): Promise<bigint>;
  /** A path with `~` replaced; as typed when absent. */
  path?(text: string): string;
}

/** A command's arguments, typed, and the session parameters that were given among them (`pslist format=json`). */
export interface Bound {
  readonly args: Readonly<Record<string, unknown>>;
  /** names of the arguments that were given; the others have their defaults */
  readonly given: ReadonlySet<string>;
  readonly parameters: Partial<ParameterValues>;
}

/** An argument of the command, or a parameter of the session. */
type Target = { readonly kind: 'argument'; readonly name: string; readonly arg: Arg } | { readonly kind: 'parameter'; readonly name: ParameterName };

/**
 * Gives each word of a command line to an argument, and makes values of the types that the command declared. Values are given by
 * position, as `name=value`, `--name value`, `--name=value`, `-n value`; flags bare, as `--no-name` or `name=yes`; names may be
 * abbreviated, `-` is `_`. A list takes words until the next flag or a bare `-`; `--` ends flags. The command's own names win over
 * the session's. Throws UsageError with the place of the mistake.
 */
export async function bindArguments(command: { readonly name: string; readonly args: Args }, words: Words, options: BindOptions): Promise<Bound> {
  const binder = new Binder(command, words);
  binder.run();
  const fail = (message: string, place: Place): never => binder.fail(message, place);
  // Names are looked up where the command will work: libc!printf is known in the process of address_space=pid@7, or of pids=7.
  const where = spaceGiven(command.args, (name) => binder.given.get(name)?.map(({ text }) => text));
  const converter: Converter = { resolve: (text) => options.resolve(text, where), path: (text) => options.path?.(text) ?? text, fail };
  const args: Record<string, unknown> = {};
  for (const [name, arg] of Object.entries(command.args)) {
    const values = binder.given.get(name);
    if (values) args[name] = await convert(name, arg, values, converter);
    else if (arg.default !== undefined) args[name] = arg.default;
    else if (arg.required) {
      const end = words.line.length;
      fail(`${command.name} needs ${name} (${arg.type}): ${arg.doc}.`, { start: end, end: end + 1 });
    }
  }
  return { args, given: new Set(binder.given.keys()), parameters: binder.parameterValues() };
}

/**
 * The session parameters that stand among a command's arguments (`pslist -f image`), which have to be known before there is a
 * session to resolve the arguments in. Throws UsageError for names that neither the command nor the session knows.
 */
export function splitParameters(command: { readonly name: string; readonly args: Args }, words: Words): Partial<ParameterValues> {
  const binder = new Binder(command, words);
  binder.run();
  return binder.parameterValues();
}

/** A command line under way: the arguments it has given, and the one (or the session's parameter) that its next word would be for. */
export interface Slot {
  readonly given: ReadonlySet<string>;
  readonly argument?: { readonly name: string; readonly arg: Arg };
  readonly parameter?: ParameterName;
  /** the next word belongs to a flag that stands before it, and cannot be anything else */
  readonly flag: boolean;
}

/** Which argument the next word of a line would be for. Never throws: where the line is wrong already, no argument. */
export function slotOf(command: { readonly name: string; readonly args: Args }, words: Words): Slot {
  const last = words.args.at(-1);
  const flag = last?.kind === 'word' && !last.value.quoted && isFlag(last.value.text) ? last.value.text : undefined;
  const binder = new Binder(command, flag === undefined ? words : { ...words, args: words.args.slice(0, -1) });
  try {
    binder.run();
    return binder.slot(flag);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { given: new Set(binder.given.keys()), flag: false };
  }
}

/** One pass over the words. */
class Binder {
  readonly given = new Map<string, Value[]>();
  readonly parameters = new Map<ParameterName, Value[]>();
  /** positional arguments that have no value yet */
  private readonly positional: [string, Arg][];
  /** the list that takes the words that follow */
  private open: Target | undefined;
  private at = 0;

  constructor(
    private readonly command: { readonly name: string; readonly args: Args },
    private readonly words: Words,
  ) {
    this.positional = Object.entries(command.args).filter(([, arg]) => arg.positional === true);
  }

  parameterValues(): Partial<ParameterValues> {
    const parameters: Partial<ParameterValues> = {};
    for (const [name, values] of this.parameters) {
      const texts = values.map((value) => value.text);
      assign(parameters, name, parameterValue(name, texts, (message) => this.fail(message, values.at(-1) as Value)));
    }
    return parameters;
  }

  fail(message: string, place: Place): never {
    throw new UsageError(message, { line: this.words.line, start: place.start, end: place.end }, `${this.command.name}?`);
  }

  run(): void {
    let flags = true;
    for (; this.at < this.words.args.length; this.at++) {
      const argument = this.words.args[this.at] as Argument;
      if (argument.kind === 'named') {
        this.named(argument.name, argument.value, argument);
        continue;
      }
      const { value } = argument;
      const assignment = flags && !value.quoted ? /^([A-Za-z_][\w-]*)=(.*)$/s.exec(value.text) : null;
      if (!flags || value.quoted) this.word(value);
      else if (value.text === '--') flags = false;
      else if (value.text === '-') this.open = undefined;
      else if (value.text.startsWith('--')) this.long(value);
      else if (/^-[A-Za-z]/.test(value.text)) this.short(value);
      else if (assignment) this.named(assignment[1] ?? '', this.behind(value, assignment[2] ?? ''), value);
      else this.word(value);
    }
  }

  /** What the next word would be for. @param flag a flag that stands right before it */
  slot(flag: string | undefined): Slot {
    const given = new Set(this.given.keys());
    if (flag !== undefined) {
      const own = Object.entries(this.command.args).find(([, arg]) => `-${arg.short}` === flag);
      const short = own ? undefined : shortParameter(flag[1] ?? '');
      const parameter: Target | undefined = short ? { kind: 'parameter', name: short } : undefined;
      const target: Target | undefined = flag.startsWith('--') ? this.find(flag.slice(2)) : own ? { kind: 'argument', name: own[0], arg: own[1] } : parameter;
      if (!target) return { given, flag: false };
      if (typeOf(target) !== 'bool') return { given, flag: true, ...slotTarget(target) };
      if (target.kind === 'argument') given.add(target.name);
    }
    if (this.open) return { given, flag: false, ...slotTarget(this.open) };
    const next = this.positional.find(([name, arg]) => !this.given.has(name) || isList(arg));
    return { given, flag: false, ...(next ? { argument: { name: next[0], arg: next[1] } } : {}) };
  }

  /** A word without a name: for the open list, or the next positional argument. */
  private word(value: Value): void {
    if (this.open) {
      this.add(this.open, value);
      return;
    }
    while (this.positional[0] && this.given.has(this.positional[0][0]) && !isList(this.positional[0][1])) this.positional.shift();
    const next = this.positional[0];
    if (!next) {
      const takes = Object.entries(this.command.args).some(([, arg]) => arg.positional === true);
      this.fail(
        `${this.command.name} takes ${takes ? 'no more words' : 'no words without a name'}: '${value.text}' is too many.${didYouMean(value.text, Object.keys(this.command.args))}`,
        value,
      );
    }
    this.add({ kind: 'argument', name: next[0], arg: next[1] }, value);
    if (!isList(next[1])) this.positional.shift();
  }

  /** `name=value`. A word such as `a=b` may also be a value with an equals sign in it. */
  private named(name: string, value: Value, place: Place): void {
    this.open = undefined;
    const target = this.find(name);
    if (target) {
      this.add(target, value);
      return;
    }
    const next = this.positional[0]?.[1].type;
    const literal = next === 'string' || next === 'strings' || next === 'regex' || next === 'path';
    if (literal && similar(name, this.names()).length === 0) {
      this.word({ text: this.words.line.slice(place.start, place.end), quoted: true, start: place.start, end: place.end });
      return;
    }
    this.unknown(name, this.words.line.startsWith(`${name}=`, place.start) ? { start: place.start, end: place.start + name.length } : place);
  }

  /** The last part of a word as a value of its own. A word that a shell had quoted is taken as a whole for its place. */
  private behind(word: Value, text: string): Value {
    const start = this.words.line.slice(word.start, word.end) === word.text ? word.end - text.length : word.start;
    return { ...word, text, start };
  }

  /** `--name`, `--name=value`, `--name value …`, `--no-name`. */
  private long(value: Value): void {
    this.open = undefined;
    const [, name = '', given] = /^--([^=]*)(?:=(.*))?$/s.exec(value.text) ?? [];
    const target = this.find(name);
    if (!target && name.startsWith('no')) {
      const denied = this.find(name.replace(/^no[-_]/, ''));
      if (denied && typeOf(denied) === 'bool' && given === undefined) {
        this.add(denied, { ...value, text: 'no' });
        return;
      }
    }
    if (!target) this.unknown(name, value);
    if (given !== undefined) this.add(target, this.behind(value, given));
    else this.follow(target, value);
  }

  /** `-D value`, `-Dvalue`; several flags in one word as `-vq`. */
  private short(value: Value): void {
    this.open = undefined;
    const letter = value.text[1] ?? '';
    const own = Object.entries(this.command.args).find(([, arg]) => arg.short === letter);
    const parameter = own ? undefined : shortParameter(letter);
    const target: Target | undefined = own ? { kind: 'argument', name: own[0], arg: own[1] } : parameter ? { kind: 'parameter', name: parameter } : undefined;
    if (!target) this.unknown(letter, value, `-${letter}`);
    const rest = value.text.slice(2);
    if (typeOf(target) === 'bool') {
      this.add(target, { ...value, text: 'yes' });
      if (rest !== '') this.short({ ...value, text: `-${rest}` });
    } else if (rest !== '') this.add(target, { ...value, text: rest.replace(/^=/, '') });
    else this.follow(target, value);
  }

  /** Takes the value of a flag from the words that follow it. */
  private follow(target: Target, flag: Value): void {
    const next = this.words.args[this.at + 1];
    const following = next?.kind === 'word' ? next.value : undefined;
    if (typeOf(target) === 'bool') {
      const explicit = following && !following.quoted && following.text.length > 1 ? parseBoolean(following.text) : undefined;
      if (explicit !== undefined) this.at++;
      this.add(target, { ...flag, text: explicit === false ? 'no' : 'yes' });
      return;
    }
    if (!following || (!following.quoted && isFlag(following.text))) {
      const expected = target.kind === 'argument' ? target.arg.type : parameterOf(target.name).type;
      this.fail(`${flag.text} needs a value (${expected}).`, flag);
    }
    this.at++;
    this.add(target, following);
    if (typeOf(target) === 'list') this.open = target;
  }

  private add(target: Target, value: Value): void {
    const values = target.kind === 'argument' ? this.given : this.parameters;
    const known = (values as Map<string, Value[]>).get(target.name);
    if (known) known.push(value);
    else (values as Map<string, Value[]>).set(target.name, [value]);
  }

  /** What a name or its beginning stands for; undefined where it stands for nothing. Throws where it is ambiguous. */
  private find(typed: string): Target | undefined {
    const wanted = typed.replaceAll('-', '_').toLowerCase();
    if (wanted === '') return undefined;
    const own = Object.entries(this.command.args).map(([name, arg]) => ({ kind: 'argument', name, arg }) as const);
    const spelt = (name: string): string => name.replaceAll('-', '_').toLowerCase();
    const exact = own.find(({ name }) => spelt(name) === wanted);
    if (exact) return exact;
    const parameters = parametersMatching(wanted);
    if (parameters.length === 1 && parameterNames().includes(wanted)) return { kind: 'parameter', name: parameters[0] as ParameterName };
    const begun = own.filter(({ name }) => spelt(name).startsWith(wanted));
    if (begun.length === 1) return begun[0];
    const several = begun.length > 1 ? begun.map(({ name }) => name) : parameters;
    if (several.length === 1) return { kind: 'parameter', name: several[0] as ParameterName };
    if (several.length > 1) {
      const at = this.words.args[this.at] as Argument;
      this.fail(`${typed} may be ${several.join(' or ')}.`, at);
    }
    return undefined;
  }

  private unknown(name: string, place: Place, shown = name): never {
    const own = Object.keys(this.command.args);
    const guess = didYouMean(name, this.names());
    const has = own.length > 0 ? `It has ${own.join(', ')}.` : 'It has none.';
    return this.fail(`${this.command.name} has no argument ${shown}.${guess === '' ? ` ${has}` : guess}`, place);
  }

  private names(): string[] {
    return [...Object.keys(this.command.args), ...parameterNames()];
  }
}

function slotTarget(target: Target): Pick<Slot, 'argument' | 'parameter'> {
  return target.kind === 'argument' ? { argument: { name: target.name, arg: target.arg } } : { parameter: target.name };
}

function isList(arg: Arg): boolean {
  return arg.type === 'ints' || arg.type === 'addresses' || arg.type === 'strings' || arg.type === 'choices';
}

function typeOf(target: Target): 'bool' | 'list' | 'one' {
  if (target.kind === 'parameter') {
    const { type } = parameterOf(target.name);
    return type === 'bool' || type === 'list' ? type : 'one';
  }
  return target.arg.type === 'bool' ? 'bool' : isList(target.arg) ? 'list' : 'one';
}

/** A word that is a flag and no negative number. */
function isFlag(text: string): boolean {
  return (text.startsWith('--') || /^-[A-Za-z]$/.test(text)) && parseNumber(text) === undefined;
}
