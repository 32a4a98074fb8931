import { readdirSync } from 'node:fs';
import type { Filter, Host } from './host.js';

/** Progress is shown for work that takes longer. */
const PATIENCE_MS = 500;
/** … and drawn so often. */
const REDRAW_MS = 100;
const BAR = 20;

/** The process's own streams, programs started by a shell, progress on a terminal. */
export class TerminalHost implements Host {
  readonly output = process.stdout;
  readonly error = process.stderr;
  /** called before another program takes the terminal, and after */
  suspend: (() => void) | undefined;
  resume: (() => void) | undefined;
  private since = 0;
  private drawn = 0;

  constructor(
    readonly pager: string | undefined,
    private readonly quiet: boolean,
  ) {}

  filter(command: string): Filter {
    return new ChildFilter(command, this);
  }

  files(folder: string): { name: string; folder: boolean }[] {
    try {
      return readdirSync(folder, { withFileTypes: true }).map((entry) => ({ name: entry.name, folder: entry.isDirectory() }));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      return [];
    }
  }

  progress(fraction?: number, what?: string): void {
    if (!this.error.isTTY || this.quiet) return;
    const now = performance.now();
    if (fraction === undefined && what === undefined) {
      if (this.drawn > 0) this.error.write('\r\x1b[K');
      this.since = 0;
      this.drawn = 0;
      return;
    }
    if (this.since === 0) this.since = now;
    if (now - this.since < PATIENCE_MS || now - this.drawn < REDRAW_MS) return;
    this.drawn = now;
    const done = Math.max(0, Math.min(1, fraction ?? 0));
    const left = done > 0.01 ? `  ${(((now - this.since) / 1000) * (1 / done - 1)).toFixed(0)} s left` : '';
    const bar = fraction === undefined ? '' : `${'█'.repeat(Math.round(done * BAR)).padEnd(BAR, '░')} ${(done * 100).toFixed(0)} %${left}  `;
    this.error.write(`\r${bar}${what ?? ''}\x1b[K`);
  }
}

/** A shell command that reads our rows; it has the terminal until it ends. */
class ChildFilter implements Filter {
  readonly width = undefined;
  private readonly child: Promise<{ write(text: string): Promise<void>; end(): Promise<number> }>;

  constructor(
    command: string,
    private readonly host: TerminalHost,
  ) {
    host.suspend?.();
    this.child = start(command);
  }

  async write(text: string): Promise<void> {
    return (await this.child).write(text);
  }

  async end(): Promise<number> {
    const status = await (await this.child).end();
    this.host.resume?.();
    return status;
  }
}

async function start(command: string): Promise<{ write(text: string): Promise<void>; end(): Promise<number> }> {
  const { spawn } = await import('node:child_process');
  const child = spawn(command, { shell: true, stdio: ['pipe', 'inherit', 'inherit'] });
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
  let open = true;
  child.stdin.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that has seen enough (head, a pager that was left) closes its end.
    if (error.code !== 'EPIPE') throw error;
    open = false;
  });
  child.stdin.on('close', () => {
    open = false;
  });
  return {
    async write(text) {
      if (!open || child.stdin.write(text)) return;
      await Promise.race([new Promise((resolve) => child.stdin.once('drain', resolve)), new Promise((resolve) => child.stdin.once('close', resolve))]);
    },
    async end() {
      if (open) child.stdin.end();
      return ended;
    },
  };
}
