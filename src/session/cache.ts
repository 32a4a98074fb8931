import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DetectionCache } from '../kernel/detect.js';
import type { PhysicalSpace } from '../memory/physical.js';
import { makeFolders } from '../memory/folders.js';
import { build } from './version.js';

/** Raised when what is stored changes its meaning: older files are then ignored. */
const VERSION = 4;
/** Pages of the image that its fingerprint is made of. */
const SAMPLES = 48;

/**
 * What was learnt of one image, kept across sessions in `<cache_dir>/images/<fingerprint>.json`. Safe to delete; a file that
 * is damaged (it states its digest) or of another version counts as none. Values are JSON.
 */
export class ImageCache implements DetectionCache {
  readonly build: string | undefined;
  private changed = false;

  private constructor(
    private readonly path: string | undefined,
    private readonly values: Record<string, unknown>,
    readonly fingerprint: string,
  ) {
    this.build = path === undefined ? undefined : build();
  }

  /**
   * @param folder undefined: nothing is read or kept
   * @param fingerprint of the image, see {@link fingerprintOf}
   */
  static open(folder: string | undefined, fingerprint: string): ImageCache {
    if (folder === undefined) return new ImageCache(undefined, {}, fingerprint);
    const path = join(folder, 'images', `${fingerprint}.json`);
    return new ImageCache(path, load(path), fingerprint);
  }

  get(key: string): unknown {
    return this.values[key];
  }

  set(key: string, value: unknown): void {
    this.values[key] = value;
    this.changed = true;
  }

  /**
   * Writes what is new. A second session on the same image may have written meanwhile: what it learnt is merged, and the file
   * is replaced in one step. A cache that cannot be written (a read-only home) is no reason to fail.
   */
  save(): void {
    if (!this.changed || this.path === undefined) return;
    this.changed = false;
    const text = cacheText({ ...load(this.path), ...this.values });
    const temporary = `${this.path}.${process.pid}.tmp`;
    try {
      makeFolders(join(this.path, '..'));
      writeFileSync(temporary, text);
      renameSync(temporary, this.path);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
    }
  }
}

/** A cache file: JSON, that states the digest of its values in front of them. */
export function cacheText(values: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(values);
  return `${headOf(text)}${text}}`;
}

function headOf(values: string): string {
  return `{"version":${VERSION},"digest":"${createHash('sha256').update(values).digest('hex')}","values":`;
}

function load(path: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    return {};
  }
  // Answers of profiles are taken from here as they are: what is not exactly what was written counts as nothing.
  const values = text.slice(headOf('').length, -1);
  return text === `${headOf(values)}${values}}` ? (JSON.parse(values) as Record<string, unknown>) : {};
}

/** A digest of the image's run list and of pages spread evenly over it: the same for the same memory in the same form. */
export function fingerprintOf(physical: PhysicalSpace): string {
  const hash = createHash('sha256');
  const { runs } = physical;
  hash.update(`${physical.image.format} ${runs.length} ${physical.end}\n`);
  // A triage dump has no pages: what it says of its crash tells it from others.
  const { crash } = physical.hints;
  if (crash) hash.update(Object.values({ ...crash.header, ...crash.header.bugCheck }).join(' '));
  for (const run of runs.slice(0, 64)) hash.update(`${run.start}-${run.end}\n`);
  const total = runs.reduce((sum, run) => sum + run.end - run.start, 0);
  const page = Buffer.alloc(4096);
  for (let sample = 0; sample < SAMPLES; sample++) {
    let offset = Math.floor(((sample + 0.5) * total) / SAMPLES);
    for (const run of runs) {
      if (offset >= run.end - run.start) {
        offset -= run.end - run.start;
        continue;
      }
      const count = physical.readInto(run.start + offset - (offset % 4096), page, 0, 4096);
      hash.update(page.subarray(0, count));
      break;
    }
  }
  return hash.digest('hex').slice(0, 40);
}
