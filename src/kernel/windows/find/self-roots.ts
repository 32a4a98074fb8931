import type { Steps } from '../../../memory/breathe.js';
import type { PhysicalSpace } from '../../../memory/physical.js';
import { occurrenceSteps } from '../../../symbols/window.js';
import { rootSpace, sharedVersion, type WindowsRoot } from './dtb.js';

/** Bytes that are looked through in one step. */
const CHUNK = 512 * 1024;
/** Where Windows on x86 maps its page tables: the entry of 0xc0000000 (Windows Internals, 7th ed., part 1, chapter 5, "x86 virtual address translation"). */
const NARROW_SELF = 0x300;

/**
 * Roots without a profile: a page of which an entry names the page itself, the tables' own window into the address space, and that maps
 * the shared page. On x64 that entry's place is random since Windows 10 1607; with PAE the last of four directories names all four.
 */
export function* rootsThatNameThemselves(physical: PhysicalSpace, bits: 32 | 64): Steps<WindowsRoot> {
  const buffer = Buffer.allocUnsafeSlow(CHUNK);
  const words = new Uint32Array(buffer.buffer, buffer.byteOffset, CHUNK / 4);
  for (const run of physical.runs) {
    const start = Math.ceil(run.start / 4096) * 4096;
    for (let from = start; from + 4096 <= run.end; from += CHUNK) {
      yield undefined;
      const count = physical.readInto(from, buffer, 0, Math.min(CHUNK, run.end - from));
      for (let at = 0; at + 4096 <= count; at += 4096) {
        if (bits === 64) yield* wideRoot(physical, words, at, from + at);
        else yield* narrowRoots(physical, words, at, from + at);
      }
    }
  }
}

function* wideRoot(physical: PhysicalSpace, words: Uint32Array, at: number, page: number): Generator<WindowsRoot> {
  const low = (page % 2 ** 32) >>> 0;
  const high = Math.floor(page / 2 ** 32);
  for (let entry = 256; entry < 512; entry++) {
    const index = at / 4 + entry * 2;
    const word = words[index] as number;
    if ((word & 1) === 0 || (word & 0xfffff000) >>> 0 !== low || ((words[index + 1] as number) & 0xfffff) !== high) continue;
    const root: WindowsRoot = { dtb: page, paging: 'amd64', method: `entry ${entry} names its own table` };
    if (sharedVersion(rootSpace(physical, root))) yield root;
  }
}

function* narrowRoots(physical: PhysicalSpace, words: Uint32Array, at: number, page: number): Steps<WindowsRoot> {
  if (page >= 2 ** 32) return;
  const first = at / 4;
  const own = words[first + NARROW_SELF] as number;
  if ((own & 1) !== 0 && (own & 0xfffff000) >>> 0 === page) {
    const root: WindowsRoot = { dtb: page, paging: 'i386', method: `entry ${NARROW_SELF} names its own table` };
    if (sharedVersion(rootSpace(physical, root))) yield root;
  }
  // With PAE: entries 0 to 3 of the directory for the last gigabyte are the four of the 32-byte table above.
  const last = words[first + 6] as number;
  if ((last & 1) === 0 || (last & 0xfffff000) >>> 0 !== page) return;
  const table = Buffer.alloc(32);
  for (let entry = 0; entry < 4; entry++) {
    const word = words[first + entry * 2] as number;
    if ((word & 1) === 0) return;
    table.writeUInt32LE(((word & 0xfffff000) | 1) >>> 0, entry * 8);
    table.writeUInt32LE((words[first + entry * 2 + 1] as number) & 0xf, entry * 8 + 4);
  }
  for (const dtb of occurrenceSteps(physical, table, 0, Math.min(physical.end, 2 ** 32))) {
    yield undefined;
    if (dtb === undefined || dtb % 32 !== 0) continue;
    const root: WindowsRoot = { dtb, paging: 'i386-pae', method: 'the directory that names all four' };
    if (sharedVersion(rootSpace(physical, root))) yield root;
  }
}
