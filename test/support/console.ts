import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { Console } from '../../src/console/console.js';
import type { History } from '../../src/console/history.js';
import type { Filter, Host } from '../../src/console/host.js';
import { Registry } from '../../src/plugin/registry.js';
import type { ParameterValues } from '../../src/session/parameters.js';
import { Session } from '../../src/session/session.js';

/** A stream that remembers what was written to it, and that may claim to be a terminal. */
export class Screen extends PassThrough {
  text = '';
  isTTY: boolean;
  columns = 100;
  rows = 30;

  constructor(terminal: boolean) {
    super();
    this.isTTY = terminal;
    this.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('utf8');
    });
  }

  /** What was written, without the sequences that move a cursor. */
  get plain(): string {
    return stripVTControlCharacters(this.text).replaceAll('\r', '');
  }
}

export interface ConversationOptions {
  readonly registry?: Registry;
  readonly parameters?: Partial<ParameterValues>;
  /** line editing and keys, as on a terminal */
  readonly terminal?: boolean;
  readonly history?: History;
  /** programs that output may go through: text in, text out */
  readonly programs?: Readonly<Record<string, (text: string) => string>>;
  readonly pager?: string;
  readonly files?: Host['files'];
}

/** A console in this process: lines go in, texts come out. */
export class Conversation {
  readonly input = new PassThrough();
  readonly output: Screen;
  readonly error: Screen;
  readonly session: Session;
  readonly console: Console;
  private readonly done: Promise<void>;

  constructor(options: ConversationOptions = {}) {
    const terminal = options.terminal ?? false;
    this.output = new Screen(terminal);
    this.error = new Screen(terminal);
    this.session = new Session({ cache: 'memory', ...options.parameters }, options.registry ?? Registry.builtIn());
    const { output, error } = this;
    const host: Host = {
      output,
      error,
      pager: options.pager,
      ...(options.files ? { files: options.files } : {}),
      filter: (command): Filter => {
        let text = '';
        return {
          width: undefined,
          write: async (more) => {
            text += more;
            return Promise.resolve();
          },
          end: async () => {
            const program = options.programs?.[command];
            output.write(program ? program(text) : '');
            return Promise.resolve(program ? 0 : 127);
          },
        };
      },
    };
    this.console = new Console({
      session: this.session,
      host,
      input: this.input,
      terminal,
      clock: () => new Date(2026, 10, 24, 14, 3, 11),
      ...(options.history ? { history: options.history } : {}),
    });
    this.done = this.console.run();
  }

  /** Types a line; resolves when the prompt is back (or the console has ended). */
  async say(line: string): Promise<{ output: string; error: string }> {
    await this.prompted();
    const [from, complaints, prompts] = [this.output.plain.length, this.error.plain.length, this.prompts()];
    this.input.write(`${line}${this.output.isTTY ? '\r' : '\n'}`);
    await Promise.race([this.until(() => this.prompts() > prompts), this.done]);
    return { output: this.output.plain.slice(from).replace(PROMPT, '').trimEnd(), error: this.error.plain.slice(complaints).trimEnd() };
  }

  /** Presses keys; nothing is waited for but that `until` holds. */
  async press(keys: string, until: () => boolean): Promise<void> {
    await this.prompted();
    for (const key of keys) {
      this.input.write(key);
      await tick();
    }
    await this.until(until);
  }

  /** Ends the input and waits for the console. */
  async end(): Promise<void> {
    this.input.end();
    await this.done;
  }

  /** Resolves when a condition holds; rejects after a minute, which none needs on any machine. */
  async until(condition: () => boolean, patience = 60_000): Promise<void> {
    const deadline = performance.now() + patience;
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`still waiting; the screen says:\n${this.output.plain}\n${this.error.plain}`);
      await tick();
    }
  }

  /** What stands behind the last prompt. */
  get typed(): string {
    return this.output.plain.split(PROMPT).at(-1) ?? '';
  }

  private prompts(): number {
    return this.output.plain.match(PROMPT)?.length ?? 0;
  }

  private async prompted(): Promise<void> {
    await this.until(() => this.prompts() > 0);
  }
}

/** The prompt, or the one of a statement that goes on. */
const PROMPT = /\[\d+\] [^>\n]*\d\d:\d\d:\d\d> | *\.\.\.> /g;

function tick(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 2);
  });
}
