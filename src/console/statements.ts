import type { Completeness } from './shell.js';

/** What is known of a line besides its text. */
export interface Arrival {
  /** The line behind it, where that is there already (a paste, a file); asked only where it matters. */
  readonly next?: () => string | undefined | Promise<string | undefined>;
  /** somebody types it, and would be surprised to wait for a line behind */
  readonly live?: boolean;
}

/** Clauses of a query that are written on lines of their own. */
const CLAUSE =
  /^\s*(?:from|where|order|group|having|limit|offset|union|except|intersect|join|inner|left|cross|on|and|or|as|asc|desc|then|else|end|in|not|between|like)\b|^\s*[),=<>|+*/-]/i;
/** A line of JavaScript that goes on with the one before. */
const CHAINED = /^\s*(?:\??\.[\w$[(]|(?:else|catch|finally)\b|[?:]\s)/;
/** `\` at the end of a line, unless it ends a path of Windows. */
const CONTINUED = /(^|[^\\])\\[ \t]*$/;

/**
 * Puts lines together to statements. A statement ends where it is complete, with three exceptions: a line that ends in `\` goes on; a
 * query that began on lines before ends at a `;` or an empty line, so that clauses may follow; and where the next line is there already,
 * one that begins with a clause (of a query) or a `.` (of JavaScript) belongs to it.
 */
export class Statements {
  private lines: string[] = [];
  private blank = 0;
  /** some of the lines came together: a paste */
  private pasted = false;
  /** the query is complete, and waits for its clauses */
  waiting = false;

  constructor(private readonly completeness: (text: string) => Promise<Completeness>) {}

  /** True while a statement has begun and not ended. */
  get open(): boolean {
    return this.lines.length > 0;
  }

  /** The lines so far. */
  get text(): string {
    return this.lines.join('\n');
  }

  /** Takes a line. @returns the statement that it ends, or undefined where more is needed */
  async add(line: string, { next: ask = () => undefined, live = false }: Arrival = {}): Promise<string | undefined> {
    this.waiting = false;
    if (!this.open && line.trim() === '') return line;
    this.blank = line.trim() === '' ? this.blank + 1 : 0;
    if (continued(line)) {
      // A blank keeps all places behind it where they were.
      this.lines.push(line.replace(/\\([ \t]*)$/, ' $1'));
      return undefined;
    }
    this.lines.push(line);
    const { incomplete, kind } = await this.completeness(this.text);
    if (!incomplete && kind !== 'query' && kind !== 'javascript') return this.take();
    const next = await ask();
    if (next !== undefined) this.pasted = true;
    if (incomplete) return this.givenUp(kind, next) ? this.take() : undefined;
    if (kind === 'query' && this.goesOn(next, live)) return undefined;
    if (kind === 'javascript' && next !== undefined && CHAINED.test(next)) return undefined;
    return this.take();
  }

  /** Ends the statement as it is: at the end of the input. */
  take(): string | undefined {
    const { text } = this;
    const { open } = this;
    this.drop();
    return open ? text : undefined;
  }

  /** Forgets the statement. */
  drop(): void {
    this.lines = [];
    this.blank = 0;
    this.pasted = false;
    this.waiting = false;
  }

  /** Empty lines run what is not complete, so that its mistake is told: one of a command or a query, two of JavaScript. */
  private givenUp(kind: Completeness['kind'], next: string | undefined): boolean {
    return next === undefined && this.blank >= (kind === 'javascript' ? 2 : 1);
  }

  private goesOn(next: string | undefined, live: boolean): boolean {
    if (this.blank > 0 || /;\s*$/.test(this.text)) return false;
    if (next !== undefined) return CLAUSE.test(next);
    this.waiting = live && !this.pasted && this.lines.length > 1;
    return this.waiting;
  }
}

function continued(line: string): boolean {
  if (!CONTINUED.test(line)) return false;
  const word = /\S*$/.exec(line.trimEnd().slice(0, -1))?.[0] ?? '';
  return !/[:\\]/.test(word);
}
