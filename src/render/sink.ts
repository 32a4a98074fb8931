import { appendFileSync, closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { once } from 'node:events';
import type { FileOutput, Sink } from './renderer.js';

/** The part of a stream that is written to; `isTTY` and `columns` as process.stdout has them. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** Cells of a terminal's line; undefined for what is no terminal. A pseudo terminal that nobody sized says 0. */
export function terminalWidth(stream: Output): number | undefined {
  if (stream.isTTY !== true) return undefined;
  const { columns = 0 } = stream;
  return columns > 0 ? columns : 80;
}

/** Writes to a stream, no faster than its reader reads. */
export class StreamSink implements Sink {
  constructor(private readonly stream: Output) {}

  get width(): number | undefined {
    return terminalWidth(this.stream);
  }

  async write(text: string): Promise<void> {
    if (text === '' || this.stream.write(text)) return;
    // A reader that went away closes the stream and drains nothing. What was waited for in vain is no longer listened to: a table may have thousands of such waits.
    const over = new AbortController();
    const { signal } = over;
    try {
      await Promise.race([once(this.stream, 'drain', { signal }), once(this.stream, 'close', { signal })]);
    } finally {
      over.abort();
    }
  }
}

/**
 * Writes a file that appears under its name when it is complete: what stood there before stays until then, and for good when
 * the command fails.
 */
export class FileSink implements Sink, FileOutput {
  readonly width = undefined;
  private readonly temporary: string;
  private open: number | undefined;

  /** @param append add to what the file holds already */
  constructor(
    readonly path: string,
    readonly append = false,
  ) {
    this.temporary = `${path}.${process.pid}.tmp`;
    // Opened now, so that a folder that is not there is told before the work begins.
    this.open = append ? undefined : openSync(this.temporary, 'w');
    if (append) appendFileSync(path, '');
  }

  get file(): FileOutput {
    return this;
  }

  async write(text: string): Promise<void> {
    if (this.open === undefined) appendFileSync(this.path, text);
    else writeSync(this.open, text);
    return Promise.resolve();
  }

  rewrite(): void {
    this.open ??= openSync(this.temporary, 'w');
  }

  async writeBytes(bytes: Uint8Array): Promise<void> {
    if (this.open === undefined) appendFileSync(this.path, bytes);
    else for (let at = 0; at < bytes.length; ) at += writeSync(this.open, bytes, at);
    return Promise.resolve();
  }

  /** Puts the file in its place. */
  commit(): void {
    if (this.open === undefined) return;
    closeSync(this.open);
    this.open = undefined;
    renameSync(this.temporary, this.path);
  }

  /** Leaves the place as it was. */
  discard(): void {
    if (this.open === undefined) return;
    closeSync(this.open);
    this.open = undefined;
    rmSync(this.temporary, { force: true });
  }
}

/** Keeps what is written: for tests, and for output that is shown later. */
export class TextSink implements Sink {
  text = '';

  constructor(readonly width: number | undefined = undefined) {}

  async write(text: string): Promise<void> {
    this.text += text;
    return Promise.resolve();
  }
}
