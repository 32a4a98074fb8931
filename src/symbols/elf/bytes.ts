import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { ProfileError } from '../error.js';

/** Bytes that are read in pieces: of a file, or in memory. */
export interface Bytes {
  readonly size: number;
  /** @throws ProfileError where the range is not all there */
  read(offset: number, length: number): Buffer;
}

/** One read may not ask for more (a Buffer holds 4 GiB). */
const MAX_READ = 0x7fffffff;

/** A file, read with its own descriptor. Close it. */
export class FileBytes implements Bytes {
  readonly size: number;
  private readonly descriptor: number;

  constructor(readonly path: string) {
    this.descriptor = openSync(path, 'r');
    this.size = fstatSync(this.descriptor).size;
  }

  read(offset: number, length: number): Buffer {
    check(this, offset, length);
    const buffer = Buffer.allocUnsafeSlow(length);
    for (let done = 0; done < length;) {
      const count = readSync(this.descriptor, buffer, done, length - done, offset + done);
      if (count === 0) throw cutOff();
      done += count;
    }
    return buffer;
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

export class MemoryBytes implements Bytes {
  constructor(private readonly buffer: Buffer) {}

  get size(): number {
    return this.buffer.length;
  }

  read(offset: number, length: number): Buffer {
    check(this, offset, length);
    return this.buffer.subarray(offset, offset + length);
  }
}

/** A part of other bytes. */
export class PartOfBytes implements Bytes {
  constructor(
    private readonly whole: Bytes,
    private readonly start: number,
    readonly size: number,
  ) {
    check(whole, start, 0);
    check(whole, start + size, 0);
  }

  read(offset: number, length: number): Buffer {
    check(this, offset, length);
    return this.whole.read(this.start + offset, length);
  }
}

function check(bytes: Bytes, offset: number, length: number): void {
  if (!(offset >= 0 && length >= 0 && length <= MAX_READ && offset + length <= bytes.size)) throw cutOff();
}

function cutOff(): ProfileError {
  return new ProfileError('The file is damaged or cut off: it names bytes beyond its end.', 'Fetch or copy the file again and compare its size.');
}
