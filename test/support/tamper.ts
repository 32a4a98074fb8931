import { closeSync, copyFileSync, openSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openImage } from '../../src/memory/image/open.js';
import { Registry } from '../../src/plugin/registry.js';
import { Session } from '../../src/session/session.js';
import { temporary } from './folder.js';

/** RAM of the samples ends below; what lies above (ROM just under 4 GiB) is left out of the copies. */
const RAM_END = 512 * 1024 * 1024;

/** Images as raw files, by their paths: each is unpacked once. */
const raws = new Map<string, string>();

function rawOf(source: string): string {
  const known = raws.get(source);
  if (known !== undefined) return known;
  const path = join(temporary(), 'raw');
  const fd = openSync(path, 'w');
  const image = openImage(source);
  const buffer = Buffer.alloc(1 << 20);
  for (const run of image.runs) {
    for (let at = run.start; at < Math.min(run.end, RAM_END); at += buffer.length) {
      const count = image.read(at, buffer, 0, Math.min(buffer.length, run.end - at));
      writeSync(fd, buffer, 0, count, at);
    }
  }
  image.close();
  closeSync(fd);
  raws.set(source, path);
  return path;
}

/** A raw copy of an image that a test may damage; removed by {@link remove}. */
export class Tampered {
  readonly path: string;
  private readonly folder: string;
  private readonly fd: number;

  constructor(source: string) {
    this.folder = temporary();
    this.path = join(this.folder, 'image.raw');
    copyFileSync(rawOf(source), this.path);
    this.fd = openSync(this.path, 'r+');
  }

  /** Writes bytes at a physical address. */
  write(physical: number, bytes: Buffer): void {
    writeSync(this.fd, bytes, 0, bytes.length, physical);
  }

  /** Cuts the file. */
  cut(size: number): void {
    truncateSync(this.path, size);
  }

  session(): Session {
    return new Session({ filename: this.path, cache: 'memory' }, new Registry([], ''));
  }

  remove(): void {
    closeSync(this.fd);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
