import type { REPLServer } from 'node:repl';
import { stripVTControlCharacters } from 'node:util';
import { escapeText } from '../render/escape.js';
import { colorsOn, paintFor } from '../render/paint.js';
import { terminalWidth } from '../render/sink.js';
import { cellWidth } from '../render/width.js';
import { wrapLines } from '../render/wrap.js';
import type { Session } from '../session/session.js';
import { greeting } from './banner.js';
import { complete } from './completion.js';
import { forReadline } from './completion-list.js';
import type { History } from './history.js';
import type { Host } from './host.js';
import { errorText } from './report.js';
import { Keyboard } from './keyboard.js';
import { TerminalPrompter } from './prompter.js';
import { Shell } from './shell.js';
import { Statements } from './statements.js';

/** Milliseconds from the first prompt to the preparation of the first command: keys that were typed ahead come first. */
const WARM_MS = 50;

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
 * output of its own. Statements run one after another, also when they arrive together (a paste).
 */
export class Console {
  private readonly shell: Shell;
  private readonly keyboard: Keyboard;
  private readonly statements: Statements;
  private readonly terminal: boolean;
  private editor: REPLServer | undefined;
  /** the statement that runs */
  private running: AbortController | undefined;
  private queue: Promise<void> = Promise.resolve();
  private ended = false;
  /** Ctrl-C was pressed at an empty prompt, and nothing since */
  private asked = false;
  private told = false;

  constructor(private readonly options: ConsoleOptions) {
    const { session, host, input } = options;
    this.terminal = options.terminal ?? host.output.isTTY === true;
    // While JavaScript runs that never gives way, Ctrl-C must be a signal: a key would not be read.
    this.shell = new Shell(session, host, {
      signals: (wanted) => void input.setRawMode?.(!wanted && this.keyboard.isRaw),
    });
    this.keyboard = new Keyboard(input, { terminal: this.terminal, interrupt: () => this.interrupt() });
    this.statements = new Statements((text) => this.shell.completeness(text));
  }

  /** Greets, then reads lines until `quit`, Ctrl-D or the end of the input. */
  async run(): Promise<void> {
    const { host, input, history } = this.options;
    await this.greet();
    const editor = await this.startEditor();
    this.editor = editor;
    if (history) historyOf(editor).push(...history.load().reverse());
    if (this.terminal) {
      this.shell.group.prompter = new TerminalPrompter(this.keyboard, host.output, host.progress);
      host.output.write(PASTE_ON);
    }
    editor.on('line', (line: string) => {
      this.keyboard.hold();
      this.queue = this.queue.then(() => this.line(line));
    });
    const closed = new Promise<void>((resolve) => {
      editor.on('close', resolve);
    });
    editor.setPrompt(this.prompt());
    editor.prompt();
    this.keyboard.release();
    this.warm();
    await closed;
    // The input may end while its last statements still run, or in the middle of one.
    await this.queue;
    const rest = this.statements.take();
    if (rest !== undefined && !this.ended) await this.execute(rest);
    if (this.terminal) host.output.write(`${PASTE_OFF}\n`);
    this.shell.close();
    this.shell.group.close();
    input.pause();
  }

  /** Prepares the first command while the analyst reads the greeting. */
  private warm(): void {
    if (!this.terminal) return;
    setTimeout(() => {
      if (!this.running && !this.ended) this.shell.session.warm();
    }, WARM_MS).unref();
  }

  /** Ctrl-C: stops the statement that runs, or drops the one that is being typed. */
  interrupt(): void {
    if (this.running) {
      this.running.abort();
      return;
    }
    const { editor } = this;
    const empty = editor?.line === '' && !this.statements.open;
    this.statements.drop();
    editor?.write(null, { ctrl: true, name: 'e' });
    editor?.write(null, { ctrl: true, name: 'u' });
    this.options.host.output.write('^C\n');
    if (empty && this.asked) this.options.host.output.write('(To leave: quit, or Ctrl-D.)\n');
    this.asked = empty;
    this.show();
  }

  /** Leaves the terminal to another program. */
  suspend(): void {
    if (this.terminal) this.options.host.output.write(PASTE_OFF);
    this.keyboard.suspend();
  }

  /** Takes it back. */
  resume(): void {
    this.keyboard.takeBack();
    if (this.terminal) this.options.host.output.write(PASTE_ON);
  }

  /** Node's REPL as a line editor: keys, history and its search. What a line says is ours. */
  private async startEditor(): Promise<REPLServer> {
    const { start } = await import('node:repl');
    const editor = start({
      prompt: '',
      input: this.keyboard as unknown as NodeJS.ReadableStream,
      output: this.options.host.output,
      terminal: this.terminal,
      preview: false,
      useGlobal: true,
      eval: (_code, _context, _file, done) => done(null, undefined),
      completer: (line: string, done: (error: null, result: [string[], string]) => void) => {
        // What is typed behind a tab belongs behind what it completes.
        this.keyboard.hold();
        void this.complete(line).then((result) => {
          done(null, result);
          // The editor puts it into the line in a later microtask.
          setImmediate(() => this.keyboard.release());
        });
      },
    });
    editor.removeAllListeners('line');
    editor.removeAllListeners('SIGINT');
    editor.removeAllListeners('SIGCONT');
    editor.on('SIGINT', () => this.interrupt());
    editor.on('SIGCONT', () => this.show());
    return editor;
  }

  private async greet(): Promise<void> {
    const { host } = this.options;
    const { session } = this.shell;
    // The first look at a large image takes seconds: Ctrl-C leaves it and gives the prompt.
    const running = new AbortController();
    this.running = running;
    this.shell.group.patience = running.signal;
    try {
      host.error.write(wrapLines(await greeting(session), terminalWidth(host.error)));
    } catch (error) {
      // What is no image may still be asked about (`why`, `plugins`).
      host.error.write(`${errorText(error, this.shell.errorStyle)}\n`);
    } finally {
      this.running = undefined;
      this.shell.group.patience = undefined;
    }
  }

  /** A line was typed: runs the statement that it ends, if it ends one. */
  private async line(line: string): Promise<void> {
    if (this.ended) return;
    this.asked = false;
    const statement = await this.statements.add(line, { next: () => this.keyboard.nextLine, live: this.terminal });
    if (statement !== undefined) {
      this.remember(statement);
      if (statement.trim() !== '') await this.execute(statement);
    } else if (this.statements.waiting && !this.told) {
      this.told = true;
      this.options.host.error.write('(an empty line or ; ends the query)\n');
    } else if (this.terminal && this.keyboard.nextLine === undefined && (await this.unclosed(line))) {
      this.options.host.error.write('(something is not closed yet: an empty line says what, Ctrl-C drops it)\n');
    }
    if (this.ended) this.editor?.close();
    else this.show();
    this.keyboard.release();
  }

  /** True where a first line that is a command goes on only because a quote or a bracket of it is open. */
  private async unclosed(line: string): Promise<boolean> {
    if (this.statements.text !== line) return false;
    const { incomplete, kind } = await this.shell.completeness(line);
    return incomplete && kind === 'command';
  }

  private async execute(statement: string): Promise<void> {
    const running = new AbortController();
    this.running = running;
    try {
      const outcome = await this.shell.execute(statement, running.signal);
      if (outcome === 'quit') this.ended = true;
    } finally {
      this.running = undefined;
    }
  }

  /** Puts a statement into the history, in one piece. */
  private remember(statement: string): void {
    this.options.history?.add(statement);
    const { editor } = this;
    if (!editor || !statement.includes('\n')) return;
    // The editor has put each of its lines there.
    const history = historyOf(editor);
    for (const line of statement.split('\n').reverse())
      if (history[0]?.trimEnd().replace(/\\$/, '').trimEnd() === line.trimEnd()) history.shift();
    history.unshift(statement);
  }

  private async complete(line: string): Promise<[string[], string]> {
    try {
      const { host } = this.options;
      const { session } = this.shell;
      const colors = session.parameters.colors !== 'no' && host.output.isTTY === true;
      // Lines above belong to the statement.
      const above = this.statements.open ? `${this.statements.text}\n` : '';
      const completion = await complete(this.shell, above + line);
      const start = completion.start - above.length;
      if (start < 0) return [[], line];
      return forReadline(
        line,
        { ...completion, start },
        { width: terminalWidth(host.output), colors, rest: this.editor?.line.slice(this.editor.cursor) ?? '' },
      );
    } catch (error) {
      // What cannot be completed is no reason to disturb who types; --debug says what went wrong.
      if (this.shell.session.parameters.debug) this.options.host.error.write(`\n${errorText(error, { debug: true })}\n`);
      return [[], line];
    }
  }

  private show(): void {
    this.editor?.setPrompt(this.statements.open ? this.continuation() : this.prompt());
    this.editor?.prompt();
  }

  /** `...> ` below the end of the prompt */
  private continuation(): string {
    return '...> '.padStart(cellWidth(stripVTControlCharacters(this.prompt())));
  }

  /** `[1] tiny.kdump (bash 135) 14:03:11> ` */
  private prompt(): string {
    const { clock } = this.options;
    const { session } = this.shell;
    const { context } = session;
    const { bold, dim, yellow } = paintFor(
      this.terminal && colorsOn(session.parameters.colors, this.options.host.output),
    );
    const process = context ? ` ${yellow(`(${escapeText(context.name)} ${context.pid})`)}` : '';
    const time = (clock?.() ?? new Date()).toTimeString().slice(0, 8);
    return `[${session.id}] ${bold(escapeText(session.name))}${process} ${dim(time)}> `;
  }
}

/** Asks the terminal to mark what is pasted (xterm's bracketed paste mode), and no longer. */
const PASTE_ON = '\x1b[?2004h';
const PASTE_OFF = '\x1b[?2004l';

/** The history of the line editor, newest first. */
function historyOf(editor: REPLServer): string[] {
  return (editor as unknown as { history: string[] }).history;
}
