import { readdirSync } from 'node:fs';
import type { Filter, Host } from './host.js';
import { ProgressLine } from './progress.js';

/** The process's own streams, programs started by a shell, progress on a terminal. */
export class TerminalHost implements Host {
  readonly output = process.stdout;
  readonly error = process.stderr;
  /** called before another program takes the terminal, and after */
  suspend: (() => void) | undefined;
  resume: (() => void) | undefined;
  readonly progress: ProgressLine | undefined;

  constructor(
    readonly pager: string | undefined,
    quiet: boolean,
  ) {
    this.progress = quiet ? undefined : new ProgressLine(process.stderr);
  }

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
    if (host.progress) host.progress.muted = true;
    this.child = start(command);
  }

  async write(text: string): Promise<void> {
    return (await this.child).write(text);
  }

  async end(): Promise<number> {
    const status = await (await this.child).end();
    if (this.host.progress) this.host.progress.muted = false;
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
