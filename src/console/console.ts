import type { REPLServer } from 'node:repl';
import { escapeText } from '../render/escape.js';
import { terminalWidth } from '../render/sink.js';
import type { Session } from '../session/session.js';
import { greeting } from './banner.js';
import { complete } from './completion.js';
import { forReadline } from './completion-list.js';
import type { History } from './history.js';
import type { Host } from './host.js';
import { errorText } from './report.js';
import { Shell } from './shell.js';

export interface ConsoleOptions {
  readonly session: Session;
  readonly host: Host;
  readonly input: NodeJS.ReadableStream & { setRawMode?(raw: boolean): unknown };
  /** line editing, completion and Ctrl-C; default: where the output is a terminal */
  readonly terminal?: boolean;
  readonly history?: History;
  /** what the prompt shows; for tests */
  readonly clock?: () => Date;
}

/**
 * The conversation: prompt, line editing, completion, history, Ctrl-C. It is given its streams and its session and does no input or
 * output of its own. Lines run one after another, also when they arrive together (a paste).
 */
export class Console {
  private readonly shell: Shell;
  private repl: REPLServer | undefined;
  /** the command that runs */
  private running: AbortController | undefined;
  private queue: Promise<void> = Promise.resolve();
  private ended = false;

  constructor(private readonly options: ConsoleOptions) {
    this.shell = new Shell(options.session, options.host);
  }

  /** Greets, then reads lines until `quit`, Ctrl-D or the end of the input. */
  async run(): Promise<void> {
    const { session, host, input, history } = this.options;
    await this.greet();
    const { start } = await import('node:repl');
    const repl = start({
      prompt: this.prompt(),
      input,
      output: host.output,
      terminal: this.options.terminal ?? host.output.isTTY === true,
      ignoreUndefined: true,
      preview: false,
      eval: (code, _context, _file, done) => {
        this.queue = this.queue.then(() => this.line(code.replace(/\n$/, ''))).then(() => done(null, undefined));
      },
      completer: (line: string, done: (error: null, result: [string[], string]) => void) => {
        void this.complete(line).then((result) => done(null, result));
      },
    });
    this.repl = repl;
    // JavaScript's own dot commands (.load, .editor) mean nothing here.
    for (const name of Object.keys(repl.commands)) if (name !== 'exit') Reflect.deleteProperty(repl.commands, name);
    if (history) (repl as unknown as { history: string[] }).history = history.load().reverse();
    repl.removeAllListeners('SIGINT');
    repl.on('SIGINT', () => this.interrupt());
    await new Promise<void>((resolve) => {
      repl.on('exit', resolve);
    });
    // The input may end while its last commands still run.
    await this.queue;
    session.close();
  }

  /** Ctrl-C: stops the command that runs, or drops the line that is being typed. */
  interrupt(): void {
    if (this.running) {
      this.running.abort();
      return;
    }
    this.repl?.write(null, { ctrl: true, name: 'e' });
    this.repl?.write(null, { ctrl: true, name: 'u' });
    this.options.host.output.write('^C\n');
    this.show();
  }

  /** Leaves the terminal to another program. */
  suspend(): void {
    this.repl?.pause();
    this.options.input.setRawMode?.(false);
  }

  /** Takes it back. */
  resume(): void {
    this.options.input.setRawMode?.(true);
    this.repl?.resume();
  }

  private async greet(): Promise<void> {
    const { session, host } = this.options;
    try {
      host.error.write(await greeting(session));
    } catch (error) {
      // What is no image may still be asked about (`why`, `plugins`).
      host.error.write(`${errorText(error, session.parameters.debug)}\n`);
    }
  }

  private async line(text: string): Promise<void> {
    if (this.ended) return;
    this.options.history?.add(text);
    const running = new AbortController();
    this.running = running;
    const outcome = await this.shell.execute(text, running.signal);
    this.running = undefined;
    this.repl?.setPrompt(this.prompt());
    if (outcome === 'quit') {
      this.ended = true;
      this.repl?.close();
    }
  }

  private async complete(line: string): Promise<[string[], string]> {
    try {
      const { host, session } = this.options;
      const colors = session.parameters.colors !== 'no' && host.output.isTTY === true;
      return forReadline(line, await complete(this.shell, line), { width: terminalWidth(host.output), colors, rest: this.repl?.line.slice(this.repl.cursor) ?? '' });
    } catch (error) {
      // What cannot be completed is no reason to disturb who types; --debug says what went wrong.
      if (this.options.session.parameters.debug) this.options.host.error.write(`\n${errorText(error, true)}\n`);
      return [[], line];
    }
  }

  private show(): void {
    this.repl?.setPrompt(this.prompt());
    this.repl?.displayPrompt();
  }

  /** `[1] tiny.kdump (bash 135) 14:03:11> ` */
  private prompt(): string {
    const { session, clock } = this.options;
    const { context } = session;
    const process = context ? ` (${escapeText(context.name)} ${context.pid})` : '';
    const time = (clock?.() ?? new Date()).toTimeString().slice(0, 8);
    return `[1] ${escapeText(session.name)}${process} ${time}> `;
  }
}
