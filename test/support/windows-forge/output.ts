import { closeSync, openSync, writeSync } from 'node:fs';
import { PAGE_SIZE } from '../../../src/memory/page.js';
import { elfBytes, samplePage } from '../images.js';
import type { Machine } from './machine.js';

/** An ELF core of the frames in use, as QEMU writes them: one segment a run. */
export function elfCore(machine: Machine): Buffer {
  const segments: { physical: number; bytes: Buffer }[] = [];
  let run: { physical: number; parts: Buffer[] } | undefined;
  const close = (): void => {
    if (run) segments.push({ physical: run.physical, bytes: Buffer.concat(run.parts) });
    run = undefined;
  };
  for (const frame of [...machine.frames.keys()].sort((one, other) => one - other)) {
    if (run && run.physical + run.parts.length * PAGE_SIZE !== frame * PAGE_SIZE) close();
    run ??= { physical: frame * PAGE_SIZE, parts: [] };
    run.parts.push(machine.bytes(frame));
  }
  close();
  return elfBytes(segments, { machine: machine.wide ? 62 : 3 });
}

const BLOCK = 1024;

/** A raw image of all of memory. @param fill what stands in free frames: nothing, or pages that look used */
export function writeRaw(machine: Machine, path: string, fill: boolean): void {
  const file = openSync(path, 'w');
  try {
    const filler = fill ? Array.from({ length: 64 }, (_, index) => samplePage(index * 7919 + 1)) : [];
    const hole = Buffer.alloc(PAGE_SIZE);
    for (let first = 0; first < machine.pages; first += BLOCK) {
      const parts: Buffer[] = [];
      for (let frame = first; frame < Math.min(machine.pages, first + BLOCK); frame++) {
        const used = machine.frames.get(frame);
        // One free page in four is zero.
        parts.push(used ?? (fill && frame % 4 !== 0 ? (filler[(frame * 31) % filler.length] as Buffer) : hole));
      }
      writeSync(file, Buffer.concat(parts));
    }
  } finally {
    closeSync(file);
  }
}
