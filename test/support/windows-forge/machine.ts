import { PAGE_SIZE } from '../../../src/memory/page.js';

export type Paging = 'amd64' | 'i386' | 'i386-pae';

/** What the PFN database will say of a frame. */
export type FrameUse =
  /** mapped by the entry at `pte`, which stands in the frame `table` */
  | { readonly kind: 'page'; pte: bigint; table: number }
  /** shared: its own entry is the prototype at `pte`, in paged pool; `share` processes map it */
  | { readonly kind: 'prototype'; pte: bigint; table: number; share: number; original: bigint; state: 'active' | 'standby' | 'modified' }
  /** no longer mapped: in transition */
  | { readonly kind: 'transition'; pte: bigint; table: number; original: bigint };

/** Numbers that look random, and are the same in every run (xorshift32). */
export class Dice {
  constructor(private state = 0x2545f491) {}

  next(limit: number): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x >>> 0;
    return this.state % limit;
  }
}

/** Frames that are taken out of order together: used memory stays low, and yet no two neighbours are neighbours twice. */
const CHUNK = 128;

/** Physical memory: frames of 4 KiB, given out in a scattered order, as in life. */
export class Machine {
  readonly frames = new Map<number, Buffer>();
  readonly uses = new Map<number, FrameUse>();
  private readonly taken = new Set<number>();
  private chunk: number[] = [];
  private next = 0;

  /**
   * @param pages number of frames, the hole below 1 MiB included
   * @param keep frames that are not given out: they are asked for by number
   */
  constructor(
    readonly paging: Paging,
    readonly pages: number,
    keep: readonly (readonly [first: number, count: number])[],
    private readonly dice = new Dice(),
  ) {
    this.keep(0, 1);
    this.keep(0x9f, 0x100 - 0x9f);
    for (const [first, count] of keep) this.keep(first, count);
  }

  /** Runs of memory that the machine has, in frames. */
  get runs(): readonly (readonly [first: number, count: number])[] {
    return [
      [1, 0x9e],
      [0x100, this.pages - 0x100],
    ];
  }

  get wide(): boolean {
    return this.paging === 'amd64';
  }

  /** A frame that nobody has. */
  take(): number {
    while (this.chunk.length === 0) {
      if (this.next >= this.pages) throw new Error('the machine has not enough memory');
      for (let end = Math.min(this.pages, this.next + CHUNK); this.next < end; this.next++) if (!this.taken.has(this.next)) this.chunk.push(this.next);
    }
    const [frame = 0] = this.chunk.splice(this.dice.next(this.chunk.length), 1);
    return this.claim(frame);
  }

  /** A frame behind another: the system's tables are the first of their kind, as in life. */
  takeAbove(frame: number): number {
    const passed: number[] = [];
    let found = this.take();
    for (; found <= frame; found = this.take()) passed.push(found);
    for (const one of passed) {
      this.taken.delete(one);
      this.frames.delete(one);
    }
    this.chunk.push(...passed);
    return found;
  }

  /** A frame by its number. */
  claim(frame: number): number {
    this.taken.add(frame);
    if (!this.frames.has(frame)) this.frames.set(frame, Buffer.alloc(PAGE_SIZE));
    return frame;
  }

  bytes(frame: number): Buffer {
    const bytes = this.frames.get(frame);
    if (!bytes) throw new Error(`frame ${frame.toString(16)} was not taken`);
    return bytes;
  }

  private keep(first: number, count: number): void {
    for (let frame = first; frame < first + count; frame++) this.taken.add(frame);
  }
}
