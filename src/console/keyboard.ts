import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** What a terminal's input can do besides being read. */
export type TerminalInput = NodeJS.ReadableStream & {
  setRawMode?(raw: boolean): unknown;
  readonly isRaw?: boolean;
  readonly isTTY?: boolean;
};

export interface KeyboardOptions {
  /** keys rather than lines: Ctrl-C and Ctrl-Z are looked for */
  readonly terminal: boolean;
  /** Ctrl-C while a statement runs */
  interrupt(): void;
}

const CTRL_C = '\x03';
const CTRL_Z = '\x1a';
/** Marks around a paste (xterm's bracketed paste mode), and a mark whose end has not come yet. */
const ESCAPE = '\x1b';
const PASTE = new RegExp(`${ESCAPE}\\[20[01]~`);
const PASTE_START = `${ESCAPE}[200~`;
const PASTE_CUT = new RegExp(`${ESCAPE}\\[20[01]?$`);

/**
 * Stands between the terminal and the line editor. While a statement runs, keys are held back (all but Ctrl-C and Ctrl-Z), and given to
 * the line editor line by line when it is ready: so what is typed ahead or pasted is shown behind its own prompt and runs in order.
 * Another reader (a prompt with a list) can be given the keys for a while.
 */
export class Keyboard extends EventEmitter {
  /** as node's line editor asks */
  isRaw = false;
  readonly isTTY: boolean;
  private held = '';
  /** the beginning of a mark of a paste */
  private cut = '';
  /** until the line editor is there */
  private busy = true;
  private ended = false;
  private pasting = false;
  private other: PassThrough | undefined;
  private readonly decoder = new StringDecoder('utf8');

  constructor(
    private readonly source: TerminalInput,
    private readonly options: KeyboardOptions,
  ) {
    super();
    this.isTTY = options.terminal;
    source.on('data', (chunk: Buffer | string) =>
      this.take(typeof chunk === 'string' ? chunk : this.decoder.write(chunk)),
    );
    source.on('end', () => {
      this.ended = true;
      this.deliver();
    });
  }

  /** A statement runs: keys are held back until {@link release}. */
  hold(): void {
    this.busy = true;
  }

  /** The line editor is ready again. */
  release(): void {
    this.busy = false;
    this.deliver();
  }

  /** The line that would come next, where all of it is there already. */
  get nextLine(): string | undefined {
    return /^([^\r\n]*)\r?[\r\n]/.exec(this.held)?.[1] ?? (this.ended && this.held !== '' ? this.held : undefined);
  }

  setRawMode(raw: boolean): this {
    this.isRaw = raw;
    this.source.setRawMode?.(raw);
    return this;
  }

  /** Gives all keys to another reader, a stream of its own, until the function is called that is returned with it. */
  divert(): { readonly input: NodeJS.ReadableStream; restore(): void } {
    const input = Object.assign(new PassThrough(), { isTTY: true, isRaw: true, setRawMode: (): void => undefined });
    this.other = input;
    return {
      input,
      restore: () => {
        this.other = undefined;
        input.end();
      },
    };
  }

  /** Leaves the terminal to another program. */
  suspend(): void {
    this.source.pause();
    this.source.setRawMode?.(false);
  }

  /** Takes it back. */
  takeBack(): void {
    this.source.setRawMode?.(this.isRaw);
    this.source.resume();
  }

  /** Stops this process as the terminal would, and goes on when it is told to. */
  private stop(): void {
    const raw = this.isRaw;
    this.source.setRawMode?.(false);
    process.once('SIGCONT', () => this.source.setRawMode?.(raw));
    process.kill(process.pid, 'SIGTSTP');
  }

  // What a line editor asks of a stream. What has the keys is decided above; the source itself keeps flowing.
  resume(): this {
    this.source.resume();
    return this;
  }

  pause(): this {
    return this;
  }

  private take(text: string): void {
    if (this.other) {
      this.other.write(text);
      return;
    }
    this.held += this.options.terminal ? this.unwrapped(text) : text;
    if (this.busy && this.options.terminal) {
      const stop = this.held.lastIndexOf(CTRL_C);
      if (stop >= 0) {
        // As on any terminal, what was typed before it is gone.
        this.held = this.held.slice(stop + 1);
        this.pasting = false;
        this.options.interrupt();
      }
      if (this.held.includes(CTRL_Z)) {
        this.held = this.held.replaceAll(CTRL_Z, '');
        this.stop();
      }
    }
    this.deliver();
  }

  /** Gives the line editor what is there, up to the end of a line or a tab, which set something going. */
  private deliver(): void {
    while (!this.busy && this.held !== '') {
      const end = (this.options.terminal ? /\r\n|[\r\n\t]/ : /\r\n|[\r\n]/).exec(this.held);
      const until = end ? end.index + end[0].length : this.held.length;
      const text = this.held.slice(0, until);
      this.held = this.held.slice(until);
      const line = end && end[0] !== '\t' && this.options.terminal;
      this.emit('data', line ? `${text.slice(0, end.index)}\r` : text);
    }
    if (this.ended && !this.busy && this.held === '') {
      this.ended = false;
      this.emit('end');
    }
  }

  /** Takes the marks of pastes away; a tab in a paste is no key. */
  private unwrapped(typed: string): string {
    let rest = this.cut + typed;
    let text = '';
    for (let mark = PASTE.exec(rest); mark; mark = PASTE.exec(rest)) {
      text += this.plain(rest.slice(0, mark.index));
      rest = rest.slice(mark.index + mark[0].length);
      this.pasting = mark[0] === PASTE_START;
    }
    this.cut = PASTE_CUT.exec(rest)?.[0] ?? '';
    return text + this.plain(rest.slice(0, rest.length - this.cut.length));
  }

  private plain(text: string): string {
    return this.pasting ? text.replaceAll('\t', '  ') : text;
  }
}
