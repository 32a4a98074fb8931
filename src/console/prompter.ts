import { Writable } from 'node:stream';
import { escapeText } from '../render/escape.js';
import { terminalWidth, type Output } from '../render/sink.js';
import type { Choice, Prompter } from '../session/prompter.js';
import type { Keyboard } from './keyboard.js';
import type { ProgressLine } from './progress.js';

const ESCAPE = '\x1b';
/** How `@inquirer/prompts` calls its ends without an answer: Ctrl-C, and the signal. */
const LEFT = new Set(['ExitPromptError', 'AbortPromptError', 'CancelPromptError']);
/** Choices that are shown at once. */
const PAGE = 12;

/**
 * Asks on the terminal with `@inquirer/prompts`, in the middle of the console's own line editor: the keyboard gives its keys to the
 * prompt meanwhile, so that neither hears what is meant for the other.
 */
export class TerminalPrompter implements Prompter {
  constructor(
    private readonly keyboard: Keyboard,
    private readonly output: Output,
    private readonly progress?: ProgressLine,
  ) {}

  async search<T>(message: string, choices: readonly Choice<T>[]): Promise<T | undefined> {
    // From now on keys are meant for the prompt, also those that come before it is there.
    const { input, restore } = this.keyboard.divert();
    // Who is asked has the terminal: a progress line would be drawn over the question.
    this.progress?.clear();
    if (this.progress) this.progress.muted = true;
    const left = new AbortController();
    // A key that is more than Esc arrives in one piece with it.
    input.on('data', (keys: Buffer) => {
      if (keys.toString() === ESCAPE) left.abort();
    });
    const shown = choices.map((choice, index) => ({
      ...choice,
      name: escapeText(choice.name),
      value: index,
      short: escapeText(choice.name),
    }));
    try {
      const { search } = await import('@inquirer/prompts');
      const chosen = await search<number>(
        { message, pageSize: PAGE, source: (term) => matching(shown, term ?? '') },
        { input, output: this.writable(), signal: left.signal, clearPromptOnDone: true },
      );
      return choices[chosen]?.value;
    } catch (error) {
      if (error instanceof Error && LEFT.has(error.name)) return undefined;
      throw error;
    } finally {
      restore();
      if (this.progress) this.progress.muted = false;
    }
  }

  /** The output as a stream that the prompt may end. */
  private writable(): NodeJS.WritableStream {
    const { output } = this;
    const writable = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        output.write(chunk);
        done();
      },
    });
    return Object.assign(writable, {
      isTTY: true,
      columns: terminalWidth(output) ?? 80,
      rows: (output as { rows?: number }).rows ?? 24,
    });
  }
}

/** Choices that hold every word of what was typed, those that begin with it first. */
function matching<C extends { readonly name: string }>(choices: readonly C[], term: string): C[] {
  const words = term
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const found = choices.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
  const first = (choice: C): number =>
    words[0] !== undefined && choice.name.toLowerCase().trimStart().startsWith(words[0]) ? 0 : 1;
  return found.sort((a, b) => first(a) - first(b));
}
