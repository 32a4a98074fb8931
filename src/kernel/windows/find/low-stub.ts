import type { Steps } from '../../../memory/breathe.js';
import type { PhysicalSpace } from '../../../memory/physical.js';
import { readPhysical } from '../../../symbols/window.js';
import { rootSpace, sharedVersion, type WindowsRoot } from './dtb.js';

/**
 * The page of real-mode code from which each further processor starts (`PROCESSOR_START_BLOCK`, called the low stub): x64 Windows keeps it
 * in the first mebibyte. Facts: Alex Ionescu, "Getting Physical with USB Type-C" (2017); MemProcFS, vmmwininit.c.
 */
const END = 0x100000;
/** a near jump of 0x600 and some bytes in real mode, padding, then CompletionFlag */
const JUMP = 0xe9;
const JUMP_FAR = 6;
const COMPLETION_FLAG = 1;
/** LmTarget: the address in long mode at which the processor goes on */
const LM_TARGET = 0x70;
/** ProcessorState.SpecialRegisters.Cr3 */
const CR3 = 0xa0;

/** Roots that the low stubs of an image name: the tables of the System process, which a processor starts with. */
export function* rootsOfLowStub(physical: PhysicalSpace): Steps<WindowsRoot> {
  for (let at = 0x1000; at < Math.min(END, physical.end); at += 0x1000) {
    const page = readPhysical(physical, at, CR3 + 8);
    if (page?.[0] !== JUMP || page.readUInt16LE(2) !== JUMP_FAR || page.readUInt32LE(4) !== COMPLETION_FLAG) continue;
    const target = page.readBigUInt64LE(LM_TARGET);
    const root = page.readBigUInt64LE(CR3);
    if (target < 0xfffff80000000000n || (target & 3n) !== 0n || root === 0n || (root & 0xffffff0000000fffn) !== 0n) continue;
    const dtb = Number(root);
    if (dtb < physical.end && sharedVersion(rootSpace(physical, { paging: 'amd64', dtb }))) yield { dtb, paging: 'amd64', method: `low stub at 0x${at.toString(16)}`, hint: target };
  }
}
