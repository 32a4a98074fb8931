import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { PhysicalImage } from '../../../src/memory/image.js';
import { PhysicalSpace } from '../../../src/memory/physical.js';

/** The lab's folder: images made on demand, with what their guests said of themselves. */
export const lab = process.env['REKALL_LAB'] ?? join(homedir(), 'lab');

/** A raw image, without the formats of `src/memory/image/`: symbols are tested on their own. */
export function openRaw(path: string): PhysicalSpace {
  const file = openSync(path, 'r');
  const end = statSync(path).size;
  return new PhysicalSpace({
    format: 'raw',
    runs: [{ start: 0, end }],
    blockSize: 65536,
    hints: {},
    warnings: [],
    read: (physical, target, offset, length) =>
      physical >= end ? 0 : readSync(file, target, offset, Math.min(length, end - physical), physical),
    close: () => closeSync(file),
  } satisfies PhysicalImage);
}

/** Physical memory of nothing but these bytes at an address; holes everywhere else. */
export function memoryOf(segments: readonly { at: number; bytes: Buffer }[]): PhysicalSpace {
  const sorted = [...segments].sort((a, b) => a.at - b.at);
  return new PhysicalSpace({
    format: 'segments',
    runs: sorted.map(({ at, bytes }) => ({ start: at, end: at + bytes.length })),
    blockSize: 4096,
    hints: {},
    warnings: [],
    read(physical, target, offset, length) {
      for (const { at, bytes } of sorted) {
        if (physical >= at && physical < at + bytes.length)
          return bytes.copy(target, offset, physical - at, Math.min(bytes.length, physical - at + length));
      }
      return 0;
    },
    close: () => undefined,
  } satisfies PhysicalImage);
}
