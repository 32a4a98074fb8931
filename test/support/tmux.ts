import { execFileSync, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** False where there is tmux, which plays the terminal; otherwise why the tests are skipped. */
export function skipWithoutTmux(): string | false {
  return spawnSync('tmux', ['-V']).status === 0 ? false : 'no tmux: it plays the terminal of these tests';
}

let number = 0;

/** A program in a terminal of its own, on a tmux server of its own: keys go in, the screen can be read. */
export class Tmux {
  private readonly socket = `rekall-test-${process.pid}-${++number}`;

  /**
   * @param command the program and its arguments
   * @param environment variables added to this process's
   */
  constructor(
    command: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    columns = 100,
    rows = 30,
  ) {
    const variables = Object.entries(environment).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    this.tmux('-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', String(rows), ...variables, 'sh');
    this.tmux('set-option', '-g', 'history-limit', '5000');
    // In a shell with job control, as an analyst has it: Ctrl-C and Ctrl-Z concern the program alone.
    this.keys(`clear; ${command.map(quoted).join(' ')}; echo "ended with $?"`, 'Enter');
  }

  /** Presses keys by tmux's names (`Enter`, `C-c`); other words are typed. */
  keys(...keys: readonly string[]): void {
    this.tmux('send-keys', ...keys);
  }

  /** Types a text as it is. */
  type(text: string): void {
    // A semicolon at the end of a word separates tmux's own commands.
    this.tmux('send-keys', '-l', text.replace(/;$/, '\\;'));
  }

  /** Pastes a text, marked as a paste where the program asked for that. */
  paste(text: string): void {
    execFileSync('tmux', ['-L', this.socket, 'load-buffer', '-'], { input: text });
    this.tmux('paste-buffer', '-p');
  }

  resize(columns: number, rows: number): void {
    this.tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** What the screen shows, with what went off its upper edge. */
  screen(): string {
    return this.tmux('capture-pane', '-p', '-S', '-').trimEnd();
  }

  /** Waits until the screen shows something; rejects after a minute, which none needs on any machine. */
  async until(what: RegExp | ((screen: string) => boolean), patience = 60_000): Promise<void> {
    const start = performance.now();
    for (;;) {
      const screen = this.screen();
      if (typeof what === 'function' ? what(screen) : what.test(screen)) return;
      if (performance.now() - start > patience)
        throw new Error(`still waiting for ${String(what)}; the screen says:\n${screen}`);
      await sleep(10);
    }
  }

  /** Ends the terminal and all that runs in it. */
  end(): void {
    spawnSync('tmux', ['-L', this.socket, 'kill-server']);
  }

  private tmux(...args: readonly string[]): string {
    return execFileSync('tmux', ['-L', this.socket, ...args], { encoding: 'utf8' });
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
