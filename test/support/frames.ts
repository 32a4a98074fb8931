import type { PhysicalImage, PhysicalRun } from '../../src/memory/image.js';
import { PAGE_SIZE } from '../../src/memory/page.js';

/** Physical memory that exists where something was written: page frames by number. */
export class Frames {
  readonly pages = new Map<number, Buffer>();
  private readonly reserved: { first: number; end: number }[] = [];
  private next = 1;

  /** Bytes of a frame, made when they are first asked for. */
  frame(number: number): Buffer {
    let bytes = this.pages.get(number);
    if (!bytes) this.pages.set(number, (bytes = Buffer.alloc(PAGE_SIZE)));
    return bytes;
  }

  /** Takes frames out of what {@link fresh} gives. A large page costs no bytes before something is written to it. */
  reserve(first: number, count: number): void {
    this.reserved.push({ first, end: first + count });
  }

  /** The first of `count` contiguous frames that are neither reserved nor written to, aligned to `count`. */
  fresh(count = 1): number {
    for (let first = Math.ceil(this.next / count) * count; ; first += count) {
      if (this.reserved.some((range) => first < range.end && first + count > range.first)) continue;
      let free = 0;
      while (free < count && !this.pages.has(first + free)) free++;
      if (free < count) continue;
      this.next = first + count;
      return first;
    }
  }

  /** Writes at a physical address, over frame boundaries. */
  write(physical: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const offset = (physical + done) % PAGE_SIZE;
      const part = bytes.subarray(done, done + PAGE_SIZE - offset);
      this.frame(Math.floor((physical + done) / PAGE_SIZE)).set(part, offset);
      done += part.length;
    }
  }

  /** Runs of contiguous frames. */
  runs(): PhysicalRun[] {
    const runs: { start: number; end: number }[] = [];
    for (const number of [...this.pages.keys()].sort((a, b) => a - b)) {
      const start = number * PAGE_SIZE;
      const last = runs.at(-1);
      if (last?.end === start) last.end += PAGE_SIZE;
      else runs.push({ start, end: start + PAGE_SIZE });
    }
    return runs;
  }

  /** The frames as they are now, as an opened image. */
  image(blockSize = PAGE_SIZE): PhysicalImage {
    return {
      format: 'fake',
      runs: this.runs(),
      blockSize,
      hints: {},
      warnings: [],
      read: (physical, target, targetOffset, length) => {
        let done = 0;
        while (done < length) {
          const page = this.pages.get(Math.floor((physical + done) / PAGE_SIZE));
          if (!page) break;
          const offset = (physical + done) % PAGE_SIZE;
          done += page.copy(target, targetOffset + done, offset, Math.min(PAGE_SIZE, offset + length - done));
        }
        return done;
      },
      close: () => undefined,
    };
  }
}
