import type { Steps } from '../../memory/breathe.js';
import type { AddressSpace } from '../../memory/space.js';
import { memorySize } from './headers.js';
import type { LoadedPe } from './loaded.js';

/** Bytes of code that are looked at at once, and at most altogether: no executable has more. */
const CHUNK = 1 << 16;
const MOST_CODE = 1 << 28;
/** IMAGE_SCN_MEM_EXECUTE */
const EXECUTE = 0x20000000;
/** An instruction of this kind: opcode, ModRM, displacement of 32 bits. */
const LENGTH = 6;

/** A range of code. */
export interface CodeRange {
  readonly start: bigint;
  /** bytes */
  readonly size: number;
}

/** The parts of an executable that hold code; all of it where its headers say of none that it does. */
export function codeRanges(pe: LoadedPe): CodeRange[] {
  const ranges = pe.sections.filter(({ characteristics }) => (characteristics & EXECUTE) !== 0).map((section) => ({ start: pe.address(section.rva), size: memorySize(section) }));
  return ranges.length > 0 ? ranges : [{ start: pe.base, size: pe.sizeOfImage }];
}

/**
 * Places where a call or a jump through a pointer of a fixed address may stand (`CALL [RIP+d]`, `JMP [d]`: FF /2 and FF /4 with that addressing, Intel SDM vol. 2A,
 * table 2-2). They are candidates: whoever asks decodes what stands there. Found by their bytes, because between functions there are data, behind which
 * decoding one instruction after the other loses its way. Pages that are missing are passed over.
 */
export function* indirectCalls(space: AddressSpace, ranges: readonly CodeRange[]): Steps<bigint> {
  let left = MOST_CODE;
  for (const { start, size } of ranges) {
    for (let at = 0; at < size && left > 0; at += CHUNK) {
      left -= CHUNK;
      const { bytes } = space.readPartial(start + BigInt(at), Math.min(CHUNK + LENGTH - 1, size - at));
      for (let found = bytes.indexOf(0xff); found >= 0 && found < CHUNK && found + LENGTH <= bytes.length; found = bytes.indexOf(0xff, found + 1)) {
        const next = bytes[found + 1];
        if (next === 0x15 || next === 0x25) yield start + BigInt(at + found);
      }
      yield undefined;
    }
  }
}
