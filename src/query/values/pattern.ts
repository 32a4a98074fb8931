import { createRequire } from 'node:module';
import type * as re2js from 're2js';
import { Absent } from '../../memory/absent.js';
import { ValueError } from './error.js';
import { type PatternCost, patternCost } from './pattern-cost.js';

/** Steps that V8's engine may need for one text; more (a few milliseconds of work) go to the engine whose time is linear. */
const BUDGET = 1e6;
const LONGEST = 20_000;
/** Time for all matches of a pattern in one text, in milliseconds: nothing hears Ctrl-C meanwhile. */
const MOST_MS = 3000;

/** A match: where, and its groups (the whole first). */
export interface Match {
  readonly start: number;
  readonly end: number;
  readonly groups: readonly (string | undefined)[];
  readonly named: Readonly<Record<string, string | undefined>>;
}

/** One of the two engines behind a pattern. */
interface Engine {
  test(text: string): boolean;
  /** the first match that begins at or behind a place */
  exec(text: string, from: number): Match | undefined;
}

/**
 * A regular expression that ignores case and is searched for anywhere, in bounded time. What may take V8's backtracking engine more than
 * a moment on the text at hand is done by re2js, whose time is linear in the text; what only a backtracking engine can do
 * (back-references, look-around) is refused for texts on which it might not end.
 */
export class Pattern {
  private readonly cost: PatternCost;
  private readonly fast: Engine;
  private linear: Engine | undefined;

  /** Throws ValueError where the source is no regular expression. */
  constructor(
    /** as it was written */
    readonly source: string,
  ) {
    if (source.length > LONGEST) throw new ValueError(`a regular expression of more than ${LONGEST} characters`);
    const { body, flags } = translate(source);
    this.fast = new BacktrackingEngine(body, flags, source);
    this.cost = patternCost(body);
    if (!this.isLinear(0)) this.fast.test('');
    if (this.cost.beyondRegular !== undefined && this.cost.degree === Infinity) {
      throw new ValueError(
        `the regular expression ${shown(source)} may take forever: it repeats what can match in several ways, and has ${this.cost.beyondRegular}, for which there is no other engine`,
      );
    }
    this.linearEngine = () => (this.linear ??= new LinearEngine(body, flags, source));
  }

  private readonly linearEngine: () => Engine;

  /** Whether it matches anywhere in the text. Throws Absent where that might not end. */
  test(text: string): boolean {
    return this.engine(text).test(text);
  }

  /** The first match at or behind a place. */
  exec(text: string, from = 0): Match | undefined {
    return this.engine(text).exec(text, from);
  }

  /**
   * All matches that do not overlap, first to last. Each is found in bounded time, but may need a look at all of the text behind it:
   * throws Absent where they take too long together.
   */
  *matches(text: string): Generator<Match> {
    const engine = this.engine(text);
    const until = performance.now() + MOST_MS;
    for (let from = 0; from <= text.length;) {
      if (performance.now() > until) {
        throw new Absent('not-applicable', `the matches of ${shown(this.source)} in a text of ${text.length} characters take too long`);
      }
      const match = engine.exec(text, from);
      if (!match) return;
      yield match;
      from = match.end > match.start ? match.end : match.end + 1;
    }
  }

  /** True where this text is left to the linear engine. */
  isLinear(length: number): boolean {
    // Even an empty text can be matched in so many ways as the factor says; and 1 ** Infinity is no number.
    return this.cost.factor * Math.max(2, length) ** this.cost.degree > BUDGET;
  }

  private engine(text: string): Engine {
    if (!this.isLinear(text.length)) return this.fast;
    if (this.cost.beyondRegular === undefined) return this.linearEngine();
    throw new Absent(
      'not-applicable',
      `${shown(this.source)} has ${this.cost.beyondRegular} and might not end on a text of ${text.length} characters`,
    );
  }
}

const cache = new Map<string, Pattern>();
const CACHED = 256;

/** The pattern of a source; compiled once, also where the source comes from a column. */
export function patternOf(source: string): Pattern {
  let pattern = cache.get(source);
  if (!pattern) {
    pattern = new Pattern(source);
    if (cache.size >= CACHED) cache.clear();
    cache.set(source, pattern);
  }
  return pattern;
}

/** What Python writes and JavaScript does not: `(?i)` and other flags in front, `(?P<name>…)`, `\A`, `\Z`. */
function translate(source: string): { body: string; flags: string } {
  const prefix = /^\(\?([aiLmsux]+)\)/.exec(source);
  const letters = prefix?.[1] ?? '';
  if (letters.includes('x'))
    throw new ValueError('a regular expression with the flag x (spaces that do not count) is not supported');
  let flags = 'i';
  for (const flag of ['m', 's']) if (letters.includes(flag)) flags += flag;
  const body = source
    .slice(prefix?.[0].length ?? 0)
    .replace(/\\[\s\S]|\(\?P<|\(\?P=(\w+)\)/g, (piece, name: string | undefined) => {
      if (piece === '\\A') return '^';
      if (piece === '\\Z' || piece === '\\z') return '$';
      if (piece === '(?P<') return '(?<';
      return name === undefined ? piece : `\\k<${name}>`;
    });
  return { body, flags };
}

class BacktrackingEngine implements Engine {
  private readonly once: RegExp;
  private readonly global: RegExp;

  constructor(
    body: string,
    flags: string,
    private readonly source: string,
  ) {
    this.once = this.told(() => new RegExp(body, flags));
    this.global = new RegExp(body, `${flags}g`);
  }

  test(text: string): boolean {
    return this.told(() => this.once.test(text));
  }

  exec(text: string, from: number): Match | undefined {
    this.global.lastIndex = from;
    const found = this.told(() => this.global.exec(text));
    return found
      ? { start: found.index, end: found.index + found[0].length, groups: [...found], named: found.groups ?? {} }
      : undefined;
  }

  /** V8 finds some patterns too large only when they are first used. */
  private told<T>(use: () => T): T {
    try {
      return use();
    } catch (error) {
      if (!(error instanceof SyntaxError) && !(error instanceof RangeError)) throw error;
      throw new ValueError(`${shown(this.source)} is no regular expression: ${error.message.replace(/^.*: /s, '')}`);
    }
  }
}

type Re2 = typeof re2js;

class LinearEngine implements Engine {
  private readonly pattern: ReturnType<Re2['RE2JS']['compile']>;

  constructor(body: string, flags: string, source: string) {
    // Few queries need it, and those learn so in the middle of a row: hence not an import.
    const { RE2JS } = createRequire(import.meta.url)('re2js') as Re2;
    const bits =
      RE2JS.CASE_INSENSITIVE | (flags.includes('m') ? RE2JS.MULTILINE : 0) | (flags.includes('s') ? RE2JS.DOTALL : 0);
    try {
      this.pattern = RE2JS.compile(RE2JS.translateRegExp(body), bits);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new ValueError(
        `${shown(source)} may take too long, and the engine that would not cannot read it: ${error.message}`,
      );
    }
  }

  test(text: string): boolean {
    return this.pattern.test(text);
  }

  exec(text: string, from: number): Match | undefined {
    const matcher = this.pattern.matcher(text);
    if (!matcher.find(from)) return undefined;
    const groups: (string | undefined)[] = [];
    for (let group = 0; group <= matcher.groupCount(); group++) groups.push(matcher.group(group) ?? undefined);
    const named: Record<string, string | undefined> = {};
    for (const name of Object.keys(this.pattern.namedGroups())) named[name] = matcher.group(name) ?? undefined;
    return { start: matcher.start(), end: matcher.end(), groups, named };
  }
}

function shown(source: string): string {
  return `'${source.length > 60 ? `${source.slice(0, 60)}…` : source}'`;
}
