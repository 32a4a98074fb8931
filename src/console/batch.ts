import type { Session } from '../session/session.js';
import type { Host } from './host.js';
import { Shell } from './shell.js';
import { Statements } from './statements.js';

/**
 * Runs statements from a stream as they come: commands, queries, JavaScript, on one line or several. An image that cannot be opened is
 * told by the statements that need it; where there are none, the error is thrown that opening it throws.
 * @returns the exit status: 1 where one of them failed
 */
export async function runLines(session: Session, input: NodeJS.ReadableStream, host: Host): Promise<0 | 1> {
  const shell = new Shell(session, host);
  const statements = new Statements((text) => shell.completeness(text));
  let failed = false;
  let none = true;
  const run = async (text: string | undefined): Promise<boolean> => {
    if (text !== undefined && text.trim() !== '') none = false;
    const outcome = text === undefined ? 'done' : await shell.execute(text);
    if (outcome === 'failed') failed = true;
    return outcome === 'quit';
  };
  try {
    const lines = new Lines(input);
    for (let line = await lines.next(); line !== undefined; line = await lines.next()) {
      if (await run(await statements.add(line, { next: () => lines.peek() }))) return failed ? 1 : 0;
    }
    await run(statements.take());
    if (none && session.parameters.filename !== undefined) session.physical();
    return failed ? 1 : 0;
  } finally {
    shell.close();
  }
}

/** Where a line may belong to the statement before it, so many milliseconds are waited for it: a program that waits for an answer sends none. */
const PATIENCE_MS = 60;

/** The lines of a stream. */
class Lines {
  private readonly chunks: AsyncIterator<string>;
  private held = '';
  private ended = false;
  private reading: Promise<void> | undefined;

  constructor(input: NodeJS.ReadableStream) {
    input.setEncoding('utf8');
    this.chunks = (input as AsyncIterable<string>)[Symbol.asyncIterator]();
  }

  /** The next line, when it comes; undefined at the end. */
  async next(): Promise<string | undefined> {
    while (!this.complete && !this.ended) await this.read();
    const line = this.first;
    if (line === undefined) return undefined;
    this.held = this.held.slice(line.length).replace(/^\r?\n/, '');
    return line;
  }

  /** The line that `next` will give, where it is there or comes at once. */
  async peek(): Promise<string | undefined> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!this.complete && !this.ended && Date.now() < deadline) {
      await Promise.race([this.read(), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref())]);
    }
    return this.complete || this.ended ? this.first : undefined;
  }

  private get complete(): boolean {
    return this.held.includes('\n');
  }

  private get first(): string | undefined {
    if (this.held === '') return undefined;
    return /^[^\n]*?(?=\r?\n|$)/.exec(this.held)?.[0];
  }

  private read(): Promise<void> {
    return (this.reading ??= this.chunks.next().then(({ done, value }) => {
      this.reading = undefined;
      if (done === true) this.ended = true;
      else this.held += value;
    }));
  }
}
