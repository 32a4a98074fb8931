import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Session } from './session.js';

/** Characters of output that are kept in memory; older ones go to a temporary file. */
const IN_MEMORY = 4 << 20;
/** Bytes that one line's output may take; of what comes after them only the lines are counted. */
const MOST = 16 << 20;

/** A line that was typed, and what came of it. */
export interface Exchange {
  readonly line: string;
  /** number and name of the session that was current when it was typed */
  readonly session: number;
  readonly name: string;
  readonly at: Date;
  /** milliseconds from the line to its end; undefined while it runs */
  readonly ms: number | undefined;
  readonly failed: boolean;
  /** rows of the table that it gave; undefined where it gave none */
  readonly rows: number | undefined;
  /** lines of output, also those that were not kept */
  readonly lines: number;
}

/** What identifies an image, and what was found in it; known as long as the conversation lasts, also when its session is gone. */
export interface ImageFacts {
  readonly path: string;
  readonly format: string;
  /** bytes of memory in the image */
  readonly bytes: number;
  /** digest of its runs and of pages spread over it: of the same memory in the same form it is the same */
  readonly fingerprint: string;
  readonly kernel: string;
  readonly banner: string;
  /** physical address of the kernel's page tables */
  readonly dtb: number;
  /** file that types and symbols came from; undefined: the image itself */
  readonly profile: string | undefined;
}

/** A file that the conversation was saved to. */
export interface SavedReport {
  /** exchanges that are in it */
  readonly exchanges: number;
  readonly bytes: number;
  readonly at: Date;
  /** milliseconds: a file that was changed since is the analyst's */
  readonly modified: number;
}

interface Recorded extends Exchange {
  ms: number | undefined;
  failed: boolean;
  rows: number | undefined;
  lines: number;
  /** what is in memory of the output */
  text: string;
  /** bytes of output, kept or not */
  bytes: number;
  /** where the kept output stands in the temporary file, where it does */
  stored: { readonly start: number; readonly length: number } | undefined;
}

/**
 * The conversation of a console: each line with its output as it was shown, without the sequences that move a cursor or set
 * colours. Memory is bounded: older outputs stand in a temporary file, which `close` removes.
 */
export class Transcript {
  /** by number of the session */
  readonly facts = new Map<number, ImageFacts>();
  /** by absolute path */
  readonly saved = new Map<string, SavedReport>();
  private readonly recorded: Recorded[] = [];
  private current: Recorded | undefined;
  private inMemory = 0;
  private file: { readonly folder: string; readonly descriptor: number; end: number } | undefined;

  /** @param memory characters of output kept in memory */
  constructor(private readonly memory = IN_MEMORY) {}

  /** A line begins. */
  begin(line: string, session: Session): void {
    this.current = {
      ...{ line, session: session.id, name: session.name, at: new Date(), ms: undefined, failed: false, rows: undefined, lines: 0 },
      ...{ text: '', bytes: 0, stored: undefined },
    };
    this.recorded.push(this.current);
  }

  /** Something is shown. What comes while no line runs belongs to the last one. */
  show(text: string): void {
    const entry = this.current ?? this.recorded.at(-1);
    if (!entry || entry.stored) return;
    const plain = stripVTControlCharacters(text).replaceAll('\r\n', '\n');
    entry.lines += count(plain);
    entry.bytes += plain.length;
    if (entry.text.length >= MOST) return;
    const kept = plain.slice(0, MOST - entry.text.length);
    entry.text += kept;
    this.inMemory += kept.length;
    if (this.inMemory > this.memory) this.spill();
  }

  /** The line ends. @param session the one that is current now */
  end(session: Session, failed: boolean, rows?: number): void {
    if (!this.current) return;
    this.note(session);
    this.current.ms = Date.now() - this.current.at.getTime();
    this.current.failed = failed;
    this.current.rows = rows;
    this.current = undefined;
  }

  /** What was typed so far, in order; the line that runs is the last. */
  get exchanges(): readonly Exchange[] {
    return this.recorded;
  }

  /** The output of a line, as far as it was kept. */
  output(exchange: Exchange): string {
    const entry = exchange as Recorded;
    if (!entry.stored || !this.file) return entry.text;
    const bytes = Buffer.alloc(entry.stored.length);
    readSync(this.file.descriptor, bytes, 0, bytes.length, entry.stored.start);
    return bytes.toString('utf8');
  }

  /** Removes the temporary file, where there is one. */
  close(): void {
    if (!this.file) return;
    closeSync(this.file.descriptor);
    rmSync(this.file.folder, { recursive: true, force: true });
    this.file = undefined;
  }

  /** Keeps what identifies the image of a session, once its kernel is known. */
  private note(session: Session): void {
    const kernel = session.detected;
    if (!kernel || this.facts.get(session.id)?.path === session.imagePath) return;
    const { image, runs } = session.physical();
    this.facts.set(session.id, {
      path: session.imagePath ?? '',
      format: image.format,
      bytes: runs.reduce((sum, run) => sum + run.end - run.start, 0),
      fingerprint: session.fingerprint(),
      kernel: kernel.description,
      banner: kernel.banner,
      dtb: kernel.space.dtb,
      profile: session.parameters.profile,
    });
  }

  /** Moves the outputs of lines that have ended to the temporary file. */
  private spill(): void {
    if (!this.file) {
      const folder = mkdtempSync(join(tmpdir(), 'rekall-transcript-'));
      this.file = { folder, descriptor: openSync(join(folder, 'output'), 'w+', 0o600), end: 0 };
      // An open file needs no name: so it goes in any case when the program ends. Windows keeps the name until then.
      if (process.platform !== 'win32') rmSync(folder, { recursive: true });
    }
    for (const entry of this.recorded) {
      if (entry === this.current || entry.stored || entry.text === '') continue;
      const bytes = Buffer.from(entry.text, 'utf8');
      writeSync(this.file.descriptor, bytes, 0, bytes.length, this.file.end);
      entry.stored = { start: this.file.end, length: bytes.length };
      this.file.end += bytes.length;
      this.inMemory -= entry.text.length;
      entry.text = '';
    }
  }
}

function count(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}
