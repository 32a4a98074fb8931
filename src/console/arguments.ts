import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { explainCommand, isKnownElsewhere } from '../plugin/elsewhere.js';
import { UsageError } from '../plugin/error.js';
import type { Argument, Place, Value } from '../../grammar/command-tree.js';
import type { Registry } from '../plugin/registry.js';
import { anyName, isQuery } from '../../grammar/line-kind.js';
import { home } from './help-examples.js';
import { didYouMean } from '../plugin/similar.js';
import { type Words, wordsOf } from '../plugin/words.js';
import { parametersMatching, parameterNames, parameterOf, parameterValue, shortParameter, assign } from '../session/flags.js';
import { splitParameters } from '../plugin/bind.js';
import { parameterNamed, type ParameterName, type ParameterValues } from '../session/parameters.js';

/** What the program was started with. */
export interface Invocation {
  readonly parameters: Partial<ParameterValues>;
  /** the command, or undefined for the console */
  readonly command: string | undefined;
  readonly words: Words;
  /** a query instead of a command: its text, or the file that holds it */
  readonly query?: { readonly text: string; readonly at: Place } | { readonly file: string };
  /** help was asked for: of the command, or of the program */
  readonly help: boolean;
  readonly version: boolean;
}

/** True for a page of the help: `rekall help windows`. */
function isPage(name: string): boolean {
  return /^[a-z]+$/.test(name) && existsSync(join(home, 'docs', 'help', `${name}.md`));
}

/** Endings of scripts. */
const SCRIPT = /\.(?:rk|rekall|efilter|[cm]?js)$/i;

/** True for a file of statements: by its ending, where it is there. */
function isScript(path: string): boolean {
  return SCRIPT.test(path) && existsSync(path);
}

/** Parameters that decide which commands there are. */
const EARLY: readonly ParameterName[] = ['home', 'cache', 'cache_dir', 'plugin_path'];

/**
 * The parameters among the program's words that have to be known before the words can be read, since commands come from them. Of the
 * words behind `--plugin` those are taken that are there as files. Mistakes are left to {@link readArguments}.
 * @param exists says whether there is a file or a folder
 */
export function earlyParameters(argv: readonly string[], exists: (path: string) => boolean): Partial<ParameterValues> {
  const values: Partial<ParameterValues> = {};
  for (const [at, word] of argv.entries()) {
    const [, typed, given] = /^--([\w-]+)(?:=(.*))?$/s.exec(word) ?? [];
    const name = typed === undefined ? undefined : parameterNamed(typed);
    if (name === undefined || !EARLY.includes(name)) continue;
    let texts = given === undefined ? [] : [given];
    if (given === undefined && name === 'plugin_path') {
      const end = argv.findIndex((other, index) => index > at + 1 && (other.startsWith('-') || !exists(other)));
      texts = argv.slice(at + 1, end < 0 ? undefined : end);
    } else if (given === undefined) texts = argv.slice(at + 1, at + 2);
    const fine = texts.length > 0 && texts.every((text) => text !== '') && (name !== 'cache' || /^(?:file|memory)$/i.test(texts[0] ?? ''));
    if (fine) assign(values, name, parameterValue(name, texts));
  }
  return values;
}

/** Rekall's flag for a running system, also with the three dashes that a slide of its workshop has. */
const LIVE = /^-{2,3}live(?:=.*)?$/i;

/** Words that run the console rather than a command. */
const SHELL = 'shell';

/**
 * Reads the words that the program was started with: global flags, then the first word that names a command, then its
 * arguments, among which global flags may stand too. A flag that only the command can know may stand before it.
 * Throws UsageError with the place of the mistake.
 */
export function readArguments(argv: readonly string[], registry: Registry): Invocation {
  return new Reader(argv, registry).read();
}

class Reader {
  private readonly words: Words;
  private readonly parameters: Partial<ParameterValues> = {};
  /** words before the command that are no global flags */
  private readonly leading: Argument[] = [];
  private help = false;
  private version = false;
  private at = 0;

  constructor(
    argv: readonly string[],
    private readonly registry: Registry,
  ) {
    this.words = wordsOf(argv, 'rekall');
  }

  read(): Invocation {
    for (; this.at < this.words.args.length; this.at++) {
      const value = this.value(this.at);
      const { text } = value;
      if (text === '-h' || text === '--help') this.help = true;
      else if (text === '--version') this.version = true;
      else if (text === '-') continue;
      else if (text === '-q' || text === '--query') {
        const read = this.queryFile();
        if (read) return read;
        if (text === '--query') this.fail('--query needs the file that holds the query.', value);
        this.flag(value);
      }
      else if (LIVE.test(text)) this.fail('Analysis of a running system (--live) is not part of this release: acquire its memory (winpmem, AVML, LiME) and open the image, rekall -f IMAGE.', value);
      else if (text.startsWith('-')) this.flag(value);
      else if (this.isCommand(text)) return this.command(text);
      else if (isQueryText(text)) return this.query(value);
      else if (this.leading.length === 0 && isScript(text)) return this.script();
      else if (this.leading.length > 0) this.leading.push(this.words.args[this.at] as Argument);
      else if (isKnownElsewhere(text)) return this.elsewhere(text);
      else this.fail(`No command ${text}.${didYouMean(text, this.commands())}`, value);
    }
    const stray = this.leading[0];
    if (stray) {
      this.fail(`No flag ${stray.value.text}.${didYouMean(stray.value.text.replace(/^-+/, ''), parameterNames())} rekall --help lists them.`, stray.value);
    }
    return this.result(undefined, []);
  }

  /** `rekall -f image script.rk` is `run script.rk`. */
  private script(): Invocation {
    // The word is the command's first.
    this.at--;
    return this.command('run');
  }

  private command(name: string): Invocation {
    let rest = [...this.leading, ...this.words.args.slice(this.at + 1)];
    const own = this.registry.named(name);
    // `-h` is help unless the command has a flag of that letter.
    const isHelp = ({ value }: Argument): boolean =>
      value.text === '--help' || (value.text === '-h' && !own.some((entry) => Object.values(entry.args).some((arg) => arg.short === 'h')));
    if (rest.some(isHelp)) {
      this.help = true;
      rest = rest.filter((argument) => !isHelp(argument));
    }
    if (name === SHELL) {
      if (rest[0]) this.fail(`${SHELL} takes no words.`, rest[0].value);
      return this.result(undefined, []);
    }
    if (name === 'help') {
      this.help = true;
      const about = rest[0]?.value;
      if (about && own.length === 0) {
        if (this.registry.named(about.text).length === 0 && !isPage(about.text)) {
          const known = explainCommand(about.text, this.registry, undefined);
          this.fail(known?.message ?? `No command ${about.text}.${didYouMean(about.text, this.commands())}`, about);
        }
        return this.result(about.text, []);
      }
      if (own.length === 0) return this.result(undefined, []);
    }
    if (!this.help) {
      const args = Object.assign({}, ...own.map((entry) => entry.args)) as (typeof own)[number]['args'];
      Object.assign(this.parameters, splitParameters({ name, args }, { line: this.words.line, args: rest }));
    }
    return this.result(name, rest);
  }

  /** A command of another tool: the session is opened as it would be, so that the answer can name what fits its image. */
  private elsewhere(name: string): Invocation {
    const rest = this.words.args.slice(this.at + 1);
    try {
      Object.assign(this.parameters, splitParameters({ name, args: {} }, { line: this.words.line, args: rest }));
    } catch (error) {
      // Its own arguments mean nothing here, and are not what is wrong.
      if (!(error instanceof UsageError)) throw error;
    }
    this.help = false;
    return this.result(name, rest);
  }

  /** A query in one word, as a shell gives what stands in quotes; flags may follow. */
  private query(value: Value): Invocation {
    const quoted = this.words.line[value.start] === "'" && value.text !== this.words.line.slice(value.start, value.end);
    const start = value.start + (quoted ? 1 : 0);
    this.flags(this.words.args.slice(this.at + 1));
    return { ...this.result(undefined, []), query: { text: value.text, at: { start, end: start + value.text.length } } };
  }

  /** `-q FILE`: a query in a file. `-q` alone is quiet. */
  private queryFile(): Invocation | undefined {
    const file = this.words.args[this.at + 1]?.value.text;
    if (file === undefined || file.startsWith('-') || this.isCommand(file) || isQueryText(file)) return undefined;
    this.flags(this.words.args.slice(this.at + 2));
    return { ...this.result(undefined, []), query: { file } };
  }

  private flags(rest: readonly Argument[]): void {
    const isHelp = ({ value }: Argument): boolean => value.text === '--help' || value.text === '-h';
    this.help ||= rest.some(isHelp);
    const args = [...this.leading, ...rest.filter((argument) => !isHelp(argument))];
    Object.assign(this.parameters, splitParameters({ name: 'a query', args: {} }, { line: this.words.line, args }));
  }

  private result(command: string | undefined, args: readonly Argument[]): Invocation {
    return { parameters: this.parameters, command, words: { line: this.words.line, args }, help: this.help, version: this.version };
  }

  /** A flag before the command. */
  private flag(value: Value): void {
    const long = /^--([^=]+)(?:=(.*))?$/s.exec(value.text);
    if (!long) {
      this.short(value);
      return;
    }
    const [, typed = '', given] = long;
    const names = parametersMatching(typed);
    if (names.length > 1) this.fail(`${typed} may be ${names.join(' or ')}.`, value);
    const denied = names.length === 0 ? parametersMatching(typed.replace(/^no[-_]/, '')) : [];
    const [name] = names;
    if (name !== undefined) this.take(name, value, given);
    else if (typed.startsWith('no') && denied[0] !== undefined && parameterOf(denied[0]).type === 'bool') this.set(denied[0], ['no'], value);
    else this.leading.push(this.words.args[this.at] as Argument);
  }

  private short(value: Value): void {
    const name = shortParameter(value.text[1] ?? '');
    const rest = value.text.slice(2);
    if (name === undefined) this.leading.push(this.words.args[this.at] as Argument);
    else if (parameterOf(name).type === 'bool') {
      this.set(name, ['yes'], value);
      if (rest !== '') this.short({ ...value, text: `-${rest}` });
    } else this.take(name, value, rest === '' ? undefined : rest.replace(/^=/, ''));
  }

  /** Gives a flag its value: what stands in its own word, or the words that follow. */
  private take(name: ParameterName, flag: Value, given: string | undefined): void {
    const { type } = parameterOf(name);
    if (given !== undefined) this.set(name, [given], flag);
    else if (type === 'bool') this.set(name, ['yes'], flag);
    else {
      const texts: string[] = [];
      const most = type === 'list' ? Infinity : 1;
      while (texts.length < most && this.at + 1 < this.words.args.length) {
        const { text } = this.value(this.at + 1);
        if (/^--?[A-Za-z]/.test(text) || (type === 'list' && (text === '-' || (texts.length > 0 && (this.isCommand(text) || isQueryText(text)))))) break;
        texts.push(text);
        this.at++;
      }
      if (texts.length === 0) this.fail(`${flag.text} needs a value (${type}).`, flag);
      this.set(name, texts, texts.length === 1 ? this.value(this.at) : flag);
    }
  }

  private set(name: ParameterName, texts: readonly string[], place: Value): void {
    const value = parameterValue(name, texts, (message) => this.fail(message, place));
    // A list that is named twice is one: `--repository_path A --repository_path B`.
    const before = this.parameters[name];
    assign(this.parameters, name, Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value);
  }

  private isCommand(text: string): boolean {
    return text === SHELL || text === 'help' || this.registry.named(text).length > 0;
  }

  private commands(): string[] {
    return this.registry.list().map((entry) => entry.name);
  }

  private value(index: number): Value {
    return (this.words.args[index] as Argument).value;
  }

  private fail(message: string, place: Value): never {
    throw new UsageError(message, { line: this.words.line, start: place.start, end: place.end });
  }
}

/** Whether a word is a query: it begins as one and has more than one word, or it is a call: `hex(4096)`. */
function isQueryText(text: string): boolean {
  if (/^\s*[A-Za-z_]\w*\s*\([^]*\)\s*;?\s*$/.test(text)) return true;
  return /\s/.test(text.trim()) && isQuery(text.trimStart(), 0, anyName);
}
