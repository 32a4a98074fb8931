import { appendFileSync, readFileSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolders } from '../memory/folders.js';

/** Lines that were typed, for the next time. */
export interface History {
  /** oldest first */
  load(): string[];
  add(line: string): void;
}

/** Entries that are kept. */
const KEPT = 5000;
/** Stands for the end of a line inside of an entry: no terminal types it. */
const LINE_END = '\x1e';

/**
 * History in a file to which each statement is added as it is typed, in one write: consoles that share it lose nothing. When it has
 * grown it is put aside as a whole (`history.1`), never written anew. A home that cannot be written is no reason to fail.
 */
export class FileHistory implements History {
  /** @param kept entries from which the file is put aside */
  constructor(
    private readonly path: string,
    private readonly kept = KEPT,
  ) {}

  load(): string[] {
    const current = read(this.path);
    const all = [...read(`${this.path}.1`), ...current].slice(-this.kept);
    if (current.length > this.kept) attempt(() => renameSync(this.path, `${this.path}.1`));
    return all.map((entry) => entry.replaceAll(LINE_END, '\n'));
  }

  add(line: string): void {
    if (line.trim() === '' || line.startsWith(' ')) return;
    attempt(() => {
      makeFolders(dirname(this.path));
      appendFileSync(this.path, `${line.replaceAll(/\r?\n/g, LINE_END)}\n`, { mode: 0o600 });
    });
  }
}

function read(path: string): string[] {
  let text = '';
  attempt(() => {
    text = readFileSync(path, 'utf8');
  });
  return text.split('\n').filter((line) => line !== '');
}

/** Does it unless the file system refuses. */
function attempt(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}
