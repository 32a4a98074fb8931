import type { PagingKind } from '../../../memory/paging/create.js';
import type { Steps } from '../../../memory/breathe.js';
import type { PhysicalSpace } from '../../../memory/physical.js';
import { readPhysical } from '../../../symbols/window.js';
import { rootSpace, sharedVersion, type WindowsRoot } from './dtb.js';

/** Bytes that are looked through in one step. */
const CHUNK = 512 * 1024;

/**
 * Where a processor's block (`_KPCR`) has what its finder needs: the same from XP to Windows 11, by the public symbols of 64 kernels. The
 * processor's state, whose CR3 is wanted, stands at one of two places: x64 builds since 1803 have it 0xc0 bytes later, Vista x86 4 bytes earlier.
 */
const LAYOUTS = {
  wide: { self: 0x18, current: 0x20, distance: 0x180, idt: 0x38, cr3: [0x1d0, 0x290], gate: 16 },
  narrow: { self: 0x1c, current: 0x20, distance: 0x120, idt: 0x38, cr3: [0x120 + 0x1c + 0x2d4, 0x120 + 0x18 + 0x2d4], gate: 8 },
} as const;

/**
 * Roots from the processors' own blocks: a KPCR states its address, and that of the KPRCB within it, which keeps the CR3 of when the processor's state was
 * last saved. Nothing of the kernel need be known. Where the interrupt table can be read, its first handler is a hint at the kernel's image.
 */
export function* rootsOfProcessors(physical: PhysicalSpace, bits: 32 | 64): Steps<WindowsRoot> {
  const layout = bits === 64 ? LAYOUTS.wide : LAYOUTS.narrow;
  const buffer = Buffer.allocUnsafeSlow(CHUNK);
  const words = new Uint32Array(buffer.buffer, buffer.byteOffset, CHUNK / 4);
  const seen = new Set<number>();
  for (const run of physical.runs) {
    for (let from = run.start; from < run.end; from += CHUNK) {
      yield undefined;
      const count = physical.readInto(from, buffer, 0, Math.min(CHUNK, run.end - from));
      for (const offset of bits === 64 ? wideBlocks(words, count >>> 2) : narrowBlocks(words, count >>> 2)) {
        for (const root of rootsOfBlock(physical, from + offset, layout)) {
          if (seen.has(root.dtb)) continue;
          seen.add(root.dtb);
          yield root;
        }
      }
    }
  }
}

/** Offsets at which two neighbouring pointers of the kernel's half are 0x180 apart: Self and CurrentPrcb, on both sides of a KPCR's start. */
function* wideBlocks(words: Uint32Array, count: number): Generator<number> {
  for (let at = 6; at + 3 < count; at += 2) {
    const high = words[at + 1] as number;
    if (high < 0xffff8000 || words[at + 3] !== high || (words[at + 2] as number) - (words[at] as number) !== 0x180) continue;
    yield at * 4 - LAYOUTS.wide.self;
  }
}

function* narrowBlocks(words: Uint32Array, count: number): Generator<number> {
  for (let at = 7; at + 1 < count; at++) {
    const self = words[at] as number;
    if (self < 0x80000000 || (words[at + 1] as number) - self !== 0x120) continue;
    yield at * 4 - LAYOUTS.narrow.self;
  }
}

function* rootsOfBlock(physical: PhysicalSpace, at: number, layout: (typeof LAYOUTS)['wide' | 'narrow']): Generator<WindowsRoot> {
  const wide = layout === LAYOUTS.wide;
  for (const offset of layout.cr3) {
    const bytes = readPhysical(physical, at, offset + 8);
    if (!bytes) continue;
    const pointer = (from: number): bigint => (wide ? bytes.readBigUInt64LE(from) : BigInt(bytes.readUInt32LE(from)));
    const self = pointer(layout.self);
    // A block stands at its own address within its page.
    if (Number(self & 0xfffn) !== at % 4096) continue;
    const cr3 = wide ? Number(BigInt.asUintN(52, pointer(offset))) : bytes.readUInt32LE(offset);
    const kinds: PagingKind[] = wide ? ['amd64'] : ['i386-pae', 'i386'];
    for (const paging of kinds) {
      const dtb = cr3 - (cr3 % (paging === 'i386-pae' ? 32 : 4096));
      if (dtb === 0 || dtb >= physical.end) continue;
      const space = rootSpace(physical, { paging, dtb });
      if (space.translate(self) !== at || !sharedVersion(space)) continue;
      const gate = space.readPartial(pointer(layout.idt), layout.gate);
      const hint = gate.gaps.length > 0 ? self : handlerOf(gate.bytes);
      yield { dtb, paging, method: `processor block at 0x${at.toString(16)}`, hint };
    }
  }
}

/** The handler that an interrupt gate names (Intel SDM, volume 3, "IDT Descriptors"). */
function handlerOf(gate: Buffer): bigint {
  const low = BigInt(gate.readUInt16LE(0)) | (BigInt(gate.readUInt16LE(6)) << 16n);
  return gate.length === 16 ? low | (BigInt(gate.readUInt32LE(8)) << 32n) : low;
}
