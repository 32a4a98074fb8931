import type { ImageFile, PhysicalImage } from '../image.js';
import { PAGE_SIZE } from '../page.js';
import { sizeText } from './bytes.js';
import { FlatImage } from './flat.js';

/**
 * A raw image: byte n of the file is physical address n, holes between memory ranges are filled (QEMU's `pmemsave`, LiME's
 * `padded`, VMware's `.vmem`, a memory device). Nothing marks it, so this is what remains when no other format fits.
 */
export function openRaw(file: ImageFile): PhysicalImage {
  const { size } = file;
  const tail = size % PAGE_SIZE;
  const warnings =
    tail === 0
      ? []
      : [`truncated: the file ends inside a page, ${sizeText(PAGE_SIZE - tail)} of the last one are missing`];
  return new FlatImage(file, 'raw', [{ physical: 0, length: size, offset: 0 }], warnings);
}
