import { ImageError, type ImageFile, type ImageFormat, type PhysicalImage } from '../image.js';
import { readBytes } from './file.js';

/** Flat files are read in pieces of this size: large enough for speed, small enough for random access. */
export const FLAT_BLOCK = 64 * 1024;

/** Files that are something else, by their first bytes: what they are, and what to do. */
const others: readonly (readonly [magic: string, encoding: BufferEncoding, is: string, next: (path: string) => string])[] = [
  ['1f8b', 'hex', 'a gzip file', (path) => `gunzip -k ${path}`],
  ['fd377a585a00', 'hex', 'an xz file', (path) => `unxz -k ${path}`],
  ['28b52ffd', 'hex', 'a zstd file', (path) => `unzstd ${path}`],
  ['425a68', 'hex', 'a bzip2 file', (path) => `bunzip2 -k ${path}`],
  ['PK\x03\x04', 'latin1', 'a zip file (or AFF4 volume)', (path) => `unzip -l ${path}`],
  ['377abcaf271c', 'hex', 'a 7-zip file', (path) => `7z x ${path}`],
  ['EVF\x09\x0d\x0a', 'latin1', 'an EnCase image (E01)', (path) => `ewfexport -t memory ${path}`],
  ['PAGEDU', 'latin1', 'a Windows crash dump', () => 'rekall -f RAW_IMAGE (of a Linux machine)'],
  ['hibr', 'latin1', 'a Windows hibernation file', () => 'rekall -f RAW_IMAGE'],
  ['HIBR', 'latin1', 'a Windows hibernation file', () => 'rekall -f RAW_IMAGE'],
  ['QFI\xfb', 'latin1', 'a qcow2 disk image', () => 'virsh dump --memory-only DOMAIN FILE'],
  ['d2bed2be', 'hex', 'a VMware state file', () => 'rekall -f FILE.vmem'],
  ['MZ', 'latin1', 'a Windows program', () => 'rekall -f IMAGE'],
  ['%PDF', 'latin1', 'a PDF document', () => 'rekall -f IMAGE'],
  ['SQLite format 3', 'latin1', 'an SQLite database', () => 'rekall -f IMAGE'],
];

/** A padded dump: byte n of the file is byte n of physical memory. Whatever is not recognised as something else, and could be one. */
export const raw: ImageFormat = {
  name: 'raw',
  open(file: ImageFile): PhysicalImage {
    const head = readBytes(file, 0, 4096);
    for (const [magic, encoding, is, next] of others) {
      const bytes = Buffer.from(magic, encoding);
      if (head.subarray(0, bytes.length).equals(bytes)) {
        throw new ImageError(`${file.path} is ${is}, which cannot be analysed as it is. Try: ${next(file.path)}`);
      }
    }
    if (file.size < 4096) throw new ImageError(`${file.path} has ${file.size} bytes: less than a page of memory. Try: ls -l ${file.path}`);
    if (isText(head)) throw new ImageError(`${file.path} is a text file, not an image of memory. Try: head ${file.path}`);
    return {
      format: 'raw',
      runs: [{ start: 0, end: file.size }],
      blockSize: FLAT_BLOCK,
      hints: {},
      warnings: file.size % 4096 === 0 ? [] : [`the size is no whole number of pages: ${file.size % 4096} bytes at the end are no page`],
      read: (physical, target, targetOffset, length) => (physical >= file.size ? 0 : file.read(physical, target, targetOffset, Math.min(length, file.size - physical))),
      close: () => file.close(),
    };
  },
};

function isText(bytes: Buffer): boolean {
  return bytes.every((byte) => (byte >= 0x20 && byte !== 0x7f) || byte === 0x09 || byte === 0x0a || byte === 0x0d);
}
