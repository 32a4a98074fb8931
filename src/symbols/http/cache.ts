import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What is kept of an address beside its bytes. */
export interface CachedAnswer {
  readonly url: string;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  /** milliseconds since 1970 when it was fetched or found unchanged */
  readonly checked: number;
  readonly bytes: Buffer;
}

/**
 * Answers of servers in a folder: `<folder>/<digest of the address>.bin` with a `.json` beside it that has the digest of the bytes.
 * Names come from digests alone, so no address leads out of the folder; what does not fit together counts as not there. A folder that
 * cannot be written is no reason to fail: then nothing is kept.
 */
export class HttpCache {
  constructor(private readonly folder: string) {}

  get(url: string): CachedAnswer | undefined {
    const { body, about } = this.paths(url);
    try {
      const meta = JSON.parse(readFileSync(about, 'utf8')) as Record<string, unknown>;
      const bytes = readFileSync(body);
      if (meta['url'] !== url || meta['sha256'] !== digest(bytes)) return undefined;
      return { url, etag: text(meta['etag']), lastModified: text(meta['lastModified']), checked: typeof meta['checked'] === 'number' ? meta['checked'] : 0, bytes };
    } catch (error) {
      if (!(error instanceof SyntaxError) && !(error instanceof Error && 'code' in error)) throw error;
      return undefined;
    }
  }

  put(answer: CachedAnswer): void {
    const { body, about } = this.paths(answer.url);
    const { bytes, ...meta } = answer;
    try {
      mkdirSync(this.folder, { recursive: true });
      // Each appears whole; a reader between the two finds digests that differ.
      replace(body, bytes);
      replace(about, JSON.stringify({ ...meta, sha256: digest(bytes) }));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
    }
  }

  forget(url: string): void {
    const { body, about } = this.paths(url);
    rmSync(about, { force: true });
    rmSync(body, { force: true });
  }

  private paths(url: string): { body: string; about: string } {
    const name = join(this.folder, digest(url).slice(0, 40));
    return { body: `${name}.bin`, about: `${name}.json` };
  }
}

function replace(path: string, content: Buffer | string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, content);
  renameSync(temporary, path);
}

function digest(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
