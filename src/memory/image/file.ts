import { closeSync, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs';
import { ImageError, type ImageFile } from '../image.js';
import { MAX_OFFSET } from './bytes.js';

/** One read call takes at most this much (the system's limit is just below 2 GiB). */
const MAX_READ = 1024 * 1024 * 1024;

/** No device is larger: where the search for the end of a device stops. */
const MAX_DEVICE = 2 ** 52;

/**
 * Opens a file that may be an image, read-only. Throws {@link ImageError} where there is no such file, where it is a folder,
 * a pipe or empty, or where it may not be read.
 */
export function openFile(path: string): ImageFile {
  const stats = attempt(path, () => statSync(path));
  if (stats.isDirectory()) throw new ImageError(`${path} is a directory, not an image. Name a file in it: ls ${path}`);
  if (stats.isFIFO() || stats.isSocket()) {
    throw new ImageError(
      `${path} is a pipe, and an image is read at any place. Save it first: cat ${path} > image.raw`,
    );
  }
  const descriptor = attempt(path, () => openSync(path, 'r'));
  try {
    return new DiskFile(path, descriptor, fstatSync(descriptor));
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Runs a system call on a path; turns what the system refuses into an {@link ImageError}. */
function attempt<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new ImageError(`${path}: there is no such file. See what is there: ls -l`);
    if (code === 'EACCES' || code === 'EPERM') {
      throw new ImageError(`${path} may not be read by this user. Try: sudo rekall -f ${path}`);
    }
    throw new ImageError(`${path} cannot be opened: ${(error as Error).message}`);
  }
}

/** `EIO` and its like, or undefined where the error is not the system's (Node's own begin with ERR_). */
function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return error.code.startsWith('ERR_') ? undefined : error.code;
}

/** A file, block device or character device on this machine. */
class DiskFile implements ImageFile {
  private known: number | undefined;
  private closed = false;

  constructor(
    readonly path: string,
    private readonly descriptor: number,
    stats: Stats,
  ) {
    if (stats.size > 0) this.known = Math.min(stats.size, MAX_OFFSET);
    else if (!this.hasByte(0)) {
      throw new ImageError(
        stats.isFile()
          ? `${path} is empty: the acquisition has written nothing. See: ls -l ${path}`
          : `${path} is a device that gives no bytes. See: ls -l ${path}`,
      );
    }
  }

  /** stat gives 0 for block devices and for files in /proc: then the end is searched for, when somebody asks. */
  get size(): number {
    return (this.known ??= this.searchEnd());
  }

  read(offset: number, target: Buffer, targetOffset: number, length: number): number {
    if (this.closed || !(offset >= 0 && offset <= MAX_OFFSET)) return 0;
    let done = 0;
    while (done < length) {
      const count = this.readOnce(offset + done, target, targetOffset + done, Math.min(length - done, MAX_READ));
      if (count <= 0) break;
      done += count;
    }
    return done;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    closeSync(this.descriptor);
  }

  private readOnce(offset: number, target: Buffer, targetOffset: number, length: number): number {
    try {
      return readSync(this.descriptor, target, targetOffset, length, offset);
    } catch (error) {
      // Bad blocks, holes of /proc/kcore, protected pages of /dev/mem: no bytes here.
      if (errorCode(error) !== undefined) return 0;
      throw error;
    }
  }

  private hasByte(offset: number): boolean {
    return this.readOnce(offset, Buffer.alloc(1), 0, 1) === 1;
  }

  /** One past the last readable byte: doubling, then halving. */
  private searchEnd(): number {
    let readable = 0;
    let beyond = 4096;
    while (beyond < MAX_DEVICE && this.hasByte(beyond)) {
      readable = beyond;
      beyond *= 2;
    }
    while (beyond - readable > 1) {
      const middle = readable + Math.floor((beyond - readable) / 2);
      if (this.hasByte(middle)) readable = middle;
      else beyond = middle;
    }
    return beyond;
  }
}

/** The part of a file that begins at `start`: for images that lie inside another file. */
export class FileWindow implements ImageFile {
  readonly path: string;

  constructor(
    private readonly file: ImageFile,
    private readonly start: number,
  ) {
    if (!Number.isSafeInteger(start) || start < 0)
      throw new ImageError(`file offset ${start} is not a position in a file`);
    this.path = file.path;
    if (start >= file.size)
      throw new ImageError(`${file.path} has ${file.size} bytes: nothing begins at file offset ${start}`);
  }

  get size(): number {
    return this.file.size - this.start;
  }

  read(offset: number, target: Buffer, targetOffset: number, length: number): number {
    return this.file.read(this.start + offset, target, targetOffset, length);
  }

  close(): void {
    this.file.close();
  }
}
