import { ValueError } from './error.js';

/**
 * How a backtracking engine's work may grow with the text: at most about `factor * length ** degree` steps. A degree of Infinity:
 * exponentially.
 */
export interface PatternCost {
  readonly factor: number;
  readonly degree: number;
  /** only backtracking engines have it (a back-reference, a look-around): named for the message */
  readonly beyondRegular: string | undefined;
}

/** Ways in which a piece may match from one place: `factor * length ** degree`; `first`: the only character it can begin with, if known. */
interface Ways {
  readonly factor: number;
  readonly degree: number;
  readonly first?: string | undefined;
}

const ONE: Ways = { factor: 1, degree: 0 };
const EXPONENTIAL: Ways = { factor: 1, degree: Infinity };
/** More ways than this from one place are as bad as exponential. */
const MOST_WAYS = 1e12;
const DEEPEST = 200;

/**
 * Estimates a pattern (as V8 reads it, which has accepted it). It counts the ways in which the pattern can be laid over a text: a step at
 * least is spent on each by an engine that tries them all. Nested quantifiers and repeated alternatives count as exponential even where
 * their pieces exclude one another; that costs speed, never an answer.
 */
export function patternCost(source: string): PatternCost {
  const reader = new CostReader(source);
  const ways = reader.alternatives(0);
  // Unanchored: all of that from each place of the text.
  const anchored = source.startsWith('^') && !reader.branched;
  return { factor: ways.factor, degree: ways.degree + (anchored ? 0 : 1), beyondRegular: reader.beyondRegular };
}

class CostReader {
  private at = 0;
  /** an alternative on the outermost level */
  branched = false;
  beyondRegular: string | undefined;

  constructor(private readonly source: string) {}

  alternatives(depth: number): Ways {
    if (depth > DEEPEST) throw new ValueError(`a regular expression with more than ${DEEPEST} groups in one another`);
    const branches = [this.sequence(depth)];
    while (this.source[this.at] === '|') {
      if (depth === 0) this.branched = true;
      this.at++;
      branches.push(this.sequence(depth));
    }
    if (branches.length === 1) return branches[0] as Ways;
    const firsts = branches.map((branch) => branch.first);
    const distinct = firsts.every((first) => first !== undefined) && new Set(firsts).size === firsts.length;
    const degree = Math.max(...branches.map((branch) => branch.degree));
    const factors = branches.map((branch) => branch.factor);
    return capped({
      factor: distinct ? Math.max(...factors) : factors.reduce((sum, factor) => sum + factor, 0),
      degree,
    });
  }

  private sequence(depth: number): Ways {
    let all = ONE;
    let first: string | undefined;
    let count = 0;
    while (this.at < this.source.length && this.source[this.at] !== '|' && this.source[this.at] !== ')') {
      const piece = this.piece(depth);
      if (count++ === 0) first = piece.first;
      all = capped({ factor: all.factor * piece.factor, degree: all.degree + piece.degree });
    }
    return { ...all, first };
  }

  private piece(depth: number): Ways {
    const atom = this.atom(depth);
    const quantifier = this.quantifier();
    if (!quantifier) return atom;
    const { least, most } = quantifier;
    const single = atom.factor === 1 && atom.degree === 0;
    const first = least > 0 ? atom.first : undefined;
    if (most === Infinity) return single ? { factor: 1, degree: 1, first } : EXPONENTIAL;
    return capped({
      factor: atom.factor ** most * (most - least + 1),
      degree: atom.degree === 0 ? 0 : atom.degree * most,
      first,
    });
  }

  private atom(depth: number): Ways {
    const character = this.source[this.at++] ?? '';
    if (character === '(') return this.group(depth);
    if (character === '[') return this.characterClass();
    if (character === '\\') return this.escape();
    return '.^$'.includes(character) ? ONE : { ...ONE, first: character.toLowerCase() };
  }

  private group(depth: number): Ways {
    const look = /^\?(?:=|!|<=|<!)/.exec(this.source.slice(this.at, this.at + 3));
    if (look) this.beyondRegular ??= 'a look-around';
    const opening = look ?? /^\?(?::|<[^>]*>)/.exec(this.source.slice(this.at, this.at + 100));
    this.at += opening?.[0].length ?? 0;
    const inside = this.alternatives(depth + 1);
    this.at++;
    return look ? { factor: inside.factor, degree: inside.degree } : inside;
  }

  private characterClass(): Ways {
    while (this.at < this.source.length && this.source[this.at] !== ']')
      this.at += this.source[this.at] === '\\' ? 2 : 1;
    this.at++;
    return ONE;
  }

  private escape(): Ways {
    const character = this.source[this.at++] ?? '';
    if (/[1-9]/.test(character) || (character === 'k' && this.source[this.at] === '<')) {
      this.beyondRegular ??= 'a back-reference';
      while (/[0-9]/.test(this.source[this.at] ?? '')) this.at++;
      if (character === 'k') this.at = this.source.indexOf('>', this.at) + 1;
    }
    if (character === 'x' || character === 'u')
      this.at +=
        /^(?:[0-9a-f]{4}|[0-9a-f]{2})?/i.exec(this.source.slice(this.at, this.at + (character === 'x' ? 2 : 4)))?.[0]
          .length ?? 0;
    return /[a-z0-9]/i.test(character) ? ONE : { ...ONE, first: character };
  }

  private quantifier(): { least: number; most: number } | undefined {
    const found = /^(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/.exec(this.source.slice(this.at, this.at + 40));
    if (!found) return undefined;
    this.at += found[0].length;
    const [, sign, low, comma, high] = found;
    if (sign !== undefined) return { least: sign === '+' ? 1 : 0, most: sign === '?' ? 1 : Infinity };
    const least = Number(low);
    return { least, most: comma === undefined ? least : high === '' || high === undefined ? Infinity : Number(high) };
  }
}

function capped(ways: Ways): Ways {
  return ways.factor > MOST_WAYS || ways.degree > 20 ? EXPONENTIAL : ways;
}
