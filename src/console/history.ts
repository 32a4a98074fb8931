import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Lines that were typed, for the next time. */
export interface History {
  /** oldest first */
  load(): string[];
  add(line: string): void;
}

/** Lines that are kept. */
const KEPT = 5000;
/** The file is shortened when it has grown to so many lines. */
const MOST = 2 * KEPT;

/**
 * History in a file to which each line is added as it is typed, in one write: consoles that share it lose nothing. A home that cannot
 * be written is no reason to fail.
 */
export class FileHistory implements History {
  constructor(private readonly path: string) {}

  load(): string[] {
    const lines = this.read();
    if (lines.length <= MOST) return lines.slice(-KEPT);
    const kept = lines.slice(-KEPT);
    this.attempt(() => {
      const temporary = `${this.path}.${process.pid}.tmp`;
      writeFileSync(temporary, kept.map((line) => `${line}\n`).join(''), { mode: 0o600 });
      renameSync(temporary, this.path);
    });
    return kept;
  }

  add(line: string): void {
    if (line.trim() === '' || line.startsWith(' ')) return;
    this.attempt(() => {
      mkdirSync(dirname(this.path), { recursive: true });
      appendFileSync(this.path, `${line.replaceAll('\n', ' ')}\n`, { mode: 0o600 });
    });
  }

  private read(): string[] {
    let text = '';
    this.attempt(() => {
      text = readFileSync(this.path, 'utf8');
    });
    return text.split('\n').filter((line) => line !== '');
  }

  /** Does it unless the file system refuses. */
  private attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
    }
  }
}
