import type { PhysicalImage } from '../../src/memory/image.js';
import { openImage } from '../../src/memory/image/open.js';
import { PhysicalSpace } from '../../src/memory/physical.js';
import { occurrences } from '../../src/symbols/window.js';

/** Where texts begin in images, by both: a large image is looked through once for each. */
const found = new Map<string, readonly number[]>();

/** An image with other bytes in some places: a copy that costs only the pages that are written to. */
export class Mutated {
  private readonly pages = new Map<number, Buffer>();
  private readonly original: PhysicalSpace;

  constructor(private readonly path: string) {
    this.original = new PhysicalSpace(openImage(path));
  }

  /** Writes at a physical address. */
  write(at: number, bytes: Buffer): this {
    for (let done = 0; done < bytes.length; ) {
      const number = Math.floor((at + done) / 4096);
      let page = this.pages.get(number);
      if (!page) {
        page = Buffer.alloc(4096);
        this.original.readInto(number * 4096, page, 0, 4096);
        this.pages.set(number, page);
      }
      done += bytes.copy(page, (at + done) % 4096, done);
    }
    return this;
  }

  /** Overwrites with zeros. */
  wipe(at: number, length: number): this {
    return this.write(at, Buffer.alloc(length));
  }

  /** Writes over each place where a text of the original begins. */
  replaceAll(text: string, by: string): this {
    const key = `${this.path} ${text}`;
    const places = found.get(key) ?? [...occurrences(this.original, Buffer.from(text, 'latin1'), 0, this.original.end)];
    found.set(key, places);
    for (const at of places) this.write(at, Buffer.from(by, 'latin1'));
    return this;
  }

  /** The original's bytes. */
  bytes(at: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    this.original.readInto(at, bytes, 0, length);
    return bytes;
  }

  physical(): PhysicalSpace {
    const { image } = this.original;
    const changed: PhysicalImage = {
      format: image.format,
      runs: image.runs,
      blockSize: image.blockSize,
      hints: image.hints,
      warnings: image.warnings,
      read: (physical, target, targetOffset, length) => {
        const count = image.read(physical, target, targetOffset, length);
        for (const [number, page] of this.pages) {
          const from = Math.max(number * 4096, physical);
          const to = Math.min(number * 4096 + 4096, physical + count);
          if (from < to) page.copy(target, targetOffset + from - physical, from - number * 4096, to - number * 4096);
        }
        return count;
      },
      close: () => image.close(),
    };
    return new PhysicalSpace(changed);
  }
}
