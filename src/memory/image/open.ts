import { ImageError, type ImageFile, type ImageFormat, type PhysicalImage } from '../image.js';
import { elfCore } from './elf.js';
import { openFile, shifted } from './file.js';
import { kdump } from './kdump.js';
import { lime } from './lime.js';
import { raw } from './raw.js';

/** In the order in which they are asked; raw takes what nobody else knows. */
const formats: readonly ImageFormat[] = [elfCore, lime, kdump, raw];

/**
 * Opens an image, recognised by its content.
 * @param options.fileOffset bytes to skip at the start of the file
 * @throws {ImageError} what is wrong with the file, and the next command to try
 */
export function openImage(path: string, options: { readonly fileOffset?: number } = {}): PhysicalImage {
  const whole = openFile(path);
  const file: ImageFile = options.fileOffset === undefined ? whole : shifted(whole, options.fileOffset);
  try {
    for (const format of formats) {
      const image = format.open(file);
      if (image) return image;
    }
    throw new ImageError(`${path} is no image that is known here. Try: file ${path}`);
  } catch (error) {
    file.close();
    throw error;
  }
}

export { openFile };
