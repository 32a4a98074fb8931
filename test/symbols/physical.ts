import { openImage } from '../../src/memory/image/open.js';
import { PhysicalSpace } from '../../src/memory/physical.js';
import { Frames } from '../support/frames.js';

/** The physical memory of an image file. */
export function openPhysical(path: string): PhysicalSpace {
  return new PhysicalSpace(openImage(path));
}

/** Physical memory of nothing but these bytes at a page-aligned address. */
export function memoryOf(at: number, bytes: Buffer): PhysicalSpace {
  const frames = new Frames();
  frames.write(at, bytes);
  return new PhysicalSpace(frames.image());
}
