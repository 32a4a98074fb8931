import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Slot, type Tuple, tupleOf } from '../tuple.js';
import type { Codec } from './codec.js';

/** A block is written when it has so many bytes. */
const BLOCK = 1 << 16;
const HEADER = 8;

/**
 * Tuples in a temporary file, written once and then read from the start. The file has no name where the system allows it (it is gone
 * however the program ends), and is readable by nobody else.
 */
export class SpillFile {
  private readonly path: string;
  private readonly descriptor: number;
  private named = true;
  private end = 0;
  private pending = 0;
  private open = true;
  private block: Buffer[] = [];
  private blockBytes = 0;

  /** @param onWrite is told of bytes that were written */
  constructor(
    private readonly codec: Codec,
    private readonly slots: readonly Slot[],
    private readonly onWrite: (bytes: number) => void = () => undefined,
  ) {
    this.path = join(tmpdir(), `rekall-${process.pid}-${randomBytes(8).toString('hex')}.spill`);
    this.descriptor = openSync(this.path, 'wx+', 0o600);
    try {
      unlinkSync(this.path);
      this.named = false;
    } catch (error) {
      // Windows deletes no file that is open: then it goes when it is closed.
      if (!(error instanceof Error && 'code' in error)) throw error;
    }
  }

  /** rows written */
  rows = 0;

  write(tuple: Tuple): void {
    const { codec, slots } = this;
    codec.begin();
    for (let index = 0; index < slots.length; index++) codec.write(tuple[slots[index] as Slot]);
    const bytes = Buffer.from(codec.block());
    this.block.push(bytes);
    this.blockBytes += bytes.length;
    this.pending++;
    this.rows++;
    if (this.blockBytes >= BLOCK) this.flush();
  }

  private flush(): void {
    if (this.pending === 0) return;
    const header = Buffer.alloc(HEADER);
    header.writeUInt32LE(this.blockBytes, 0);
    header.writeUInt32LE(this.pending, 4);
    const bytes = Buffer.concat([header, ...this.block]);
    for (let from = 0; from < bytes.length;) from += writeSync(this.descriptor, bytes, from, bytes.length - from, this.end + from);
    this.end += bytes.length;
    this.onWrite(bytes.length);
    this.block = [];
    this.blockBytes = 0;
    this.pending = 0;
  }

  /** The tuples, a block at a time. May be read several times. */
  *read(): Generator<Tuple[], void, undefined> {
    this.flush();
    const byName = typeof this.slots[0] === 'string';
    for (let from = 0; from < this.end;) {
      const header = this.bytes(from, HEADER);
      const length = header.readUInt32LE(0);
      const count = header.readUInt32LE(4);
      const next = this.codec.reader(this.bytes(from + HEADER, length));
      from += HEADER + length;
      const tuples: Tuple[] = [];
      for (let index = 0; index < count; index++) tuples.push(byName ? this.row(next) : tupleOf(this.slots.map(next)));
      yield tuples;
    }
  }

  private row(next: () => unknown): Tuple {
    const row: Record<string, unknown> = {};
    for (const slot of this.slots) row[slot] = next();
    return row;
  }

  private bytes(from: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let done = 0; done < length;) {
      const read = readSync(this.descriptor, bytes, done, length - done, from + done);
      if (read === 0) throw new Error('a temporary file ends early');
      done += read;
    }
    return bytes;
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    closeSync(this.descriptor);
    if (this.named) unlinkSync(this.path);
  }
}
