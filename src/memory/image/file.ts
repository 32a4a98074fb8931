import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type ImageFile, ImageError } from '../image.js';

/** Past this no file of memory ends: 8 PiB, so that every offset is exact in a number. */
const LARGEST = 2 ** 53;

/** Opens a file for reading. Throws ImageError that says what is wrong with it. */
export function openFile(path: string): ImageFile {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    throw fault(path, error);
  }
  try {
    const stat = fstatSync(fd);
    if (stat.isDirectory()) throw new ImageError(`${path} is a folder, not an image. Try: rekall -f ${path}/FILE`);
    const size = stat.isFile() && stat.size > 0 ? stat.size : sizeByReading(fd);
    if (size === 0) throw new ImageError(`${path} is empty: there is nothing to analyse. Try: ls -l ${path}`);
    return { path, size, read: (offset, target, targetOffset, length) => readAll(fd, path, offset, target, targetOffset, length), close: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function fault(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const reasons: Record<string, string> = {
    ENOENT: `There is no file ${path}. Try: ls -l ${path}`,
    EACCES: `${path} may not be read by this user. Try: sudo chmod a+r ${path}`,
    EPERM: `${path} may not be read by this user. Try: sudo rekall -f ${path}`,
    EISDIR: `${path} is a folder, not an image. Try: rekall -f ${path}/FILE`,
  };
  return new ImageError(reasons[String(error.code)] ?? `${path} cannot be read: ${error.message}. Try: ls -l ${path}`);
}

function readAll(fd: number, path: string, offset: number, target: Buffer, targetOffset: number, length: number): number {
  let done = 0;
  try {
    while (done < length) {
      const count = readSync(fd, target, targetOffset + done, length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
  } catch (error) {
    // A bad sector, or memory that a live kernel does not give: what was read before it counts.
    if (!(error instanceof Error) || !('code' in error)) throw error;
    if (String(error.code) === 'EISDIR') throw fault(path, error);
  }
  return done;
}

/** Size of a device, or of a file that states none: the end of what can be read, found by halving. */
function sizeByReading(fd: number): number {
  const byte = Buffer.alloc(1);
  const readable = (offset: number): boolean => {
    try {
      return readSync(fd, byte, 0, 1, offset) === 1;
    } catch (error) {
      if (error instanceof Error && 'code' in error) return false;
      throw error;
    }
  };
  if (!readable(0)) return 0;
  let low = 0;
  let high = 1;
  while (high < LARGEST / 2 && readable(high)) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    if (readable(middle)) low = middle;
    else high = middle;
  }
  return low + 1;
}

/** The same file without its first bytes. */
export function shifted(file: ImageFile, by: number): ImageFile {
  if (by >= file.size) throw new ImageError(`${file.path} has ${file.size} bytes; --file_offset ${by} leaves nothing.`);
  return {
    path: file.path,
    size: file.size - by,
    read: (offset, target, targetOffset, length) => file.read(offset + by, target, targetOffset, length),
    close: () => file.close(),
  };
}

/** `length` bytes at an offset, or fewer at the end of the file. */
export function readBytes(file: ImageFile, offset: number, length: number): Buffer {
  const wanted = Math.max(0, Math.min(length, file.size - offset));
  const bytes = Buffer.alloc(wanted);
  return bytes.subarray(0, file.read(offset, bytes, 0, wanted));
}
