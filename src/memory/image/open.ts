import { ImageError, type ImageFile, type ImageFormat, type PhysicalImage } from '../image.js';
import { PAGE_SIZE } from '../page.js';
import { avmlFormat } from './avml.js';
import { readUpTo } from './bytes.js';
import { crashDumpFormat } from './crashdump.js';
import { elfFormat } from './elf.js';
import { FileWindow, openFile } from './file.js';
import { FlattenedImage, openFlattened } from './flattened.js';
import { foreignFormat } from './foreign.js';
import { kdumpFormat } from './kdump.js';
import { limeFormat } from './lime.js';
import { programFormat } from './program.js';
import { openRaw } from './raw.js';

export { openFile };

/** Formats that have a signature. Each looks at the first bytes only, so the order matters for nothing but speed. */
const FORMATS: readonly ImageFormat[] = [elfFormat, kdumpFormat, limeFormat, avmlFormat, crashDumpFormat, programFormat];

/**
 * Opens a memory image, read-only, and recognises its format by content. What no format claims and could be memory is a raw image.
 *
 * @param options.fileOffset where the image begins in the file, in bytes (default 0)
 * @throws ImageError where it is no image: says what the file is instead and which command to try next
 */
export function openImage(path: string, options: { fileOffset?: number } = {}): PhysicalImage {
  const whole = openFile(path);
  try {
    const { fileOffset = 0 } = options;
    return openContent(fileOffset === 0 ? whole : new FileWindow(whole, fileOffset));
  } catch (error) {
    whole.close();
    throw error;
  }
}

/** The same for an opened file, which the image closes when it is closed itself. */
export function openContent(file: ImageFile): PhysicalImage {
  const flattened = openFlattened(file);
  if (flattened) {
    const image = openMarked(flattened);
    if (!image) {
      throw new ImageError(
        `${file.path} is a flattened makedumpfile stream, but neither a kdump nor an ELF core is in it. Try: makedumpfile -R dump < ${file.path}`,
      );
    }
    return new FlattenedImage(image, flattened);
  }
  const image = openMarked(file);
  if (image) return image;
  const start = readUpTo(file, 0, 65536);
  const foreign = foreignFormat(start, file.path);
  if (foreign !== undefined) throw new ImageError(`${file.path} is ${foreign}`);
  if (start.length < PAGE_SIZE) {
    throw new ImageError(
      `${file.path} has ${start.length} bytes, less than one page: no memory image. See: file ${file.path}`,
    );
  }
  return openRaw(file);
}

function openMarked(file: ImageFile): PhysicalImage | undefined {
  for (const format of FORMATS) {
    const image = format.open(file);
    if (image) return image;
  }
  return undefined;
}
