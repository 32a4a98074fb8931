import { orElse, unreadable } from '../../../memory/absent.js';
import type { WindowsKernel } from '../kernel.js';

/** What PatchGuard mixes pointers with, chosen at each start (x64). */
interface Keys {
  readonly never: bigint;
  readonly always: bigint;
}

/** nt!KiWaitNever and nt!KiWaitAlways; undefined on x86, which has none, and where they are not in memory. */
export function encodingKeys(kernel: WindowsKernel): Keys | undefined {
  return kernel.memo('encoding keys', () => {
    const [never, always] = [kernel.symbol('KiWaitNever'), kernel.symbol('KiWaitAlways')];
    if (never === undefined || always === undefined || kernel.profile.pointerSize === 4) return undefined;
    return orElse(() => ({ never: kernel.space.readU64(never), always: kernel.space.readU64(always) }), undefined);
  });
}

/** The pointer behind a word that a timer keeps encoded; where there are no keys, the word. Throws Absent where they are not in memory. */
export function decodePointer(kernel: WindowsKernel, word: bigint, timer: bigint): bigint {
  const keys = encodingKeys(kernel);
  const key = kernel.profile.pointerSize === 8 ? kernel.symbol('KiWaitNever') : undefined;
  if (!keys && key !== undefined) throw unreadable(key, 'nt!KiWaitNever and nt!KiWaitAlways, which the pointer is encoded with, are not in memory');
  return keys ? decodeWord(keys, word, timer) : word;
}

/**
 * The value behind an encoded word: mixed with KiWaitNever and turned left by it, mixed with an address, its bytes reversed, mixed with
 * KiWaitAlways. Timers' DPCs are kept so (nt!KiSetTimerEx; the address is the timer's), and since Windows 8 the debugger's data block
 * (nt!KdCopyDataBlock; the address is that of KdpDataBlockEncoded). Source: Skywing, "PatchGuard Reloaded", Uninformed vol. 8, 2007.
 */
export function decodeWord({ never, always }: Keys, word: bigint, address: bigint): bigint {
  const turn = never & 63n;
  const mixed = word ^ never;
  const turned = BigInt.asUintN(64, (mixed << turn) | (mixed >> (64n - turn)));
  return reversed(turned ^ address) ^ always;
}

/** The other way, for whoever makes such words. */
export function encodeWord({ never, always }: Keys, value: bigint, address: bigint): bigint {
  const turn = never & 63n;
  const mixed = reversed(value ^ always) ^ address;
  return BigInt.asUintN(64, (mixed >> turn) | (mixed << (64n - turn))) ^ never;
}

function reversed(word: bigint): bigint {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(word);
  return bytes.readBigUInt64BE(0);
}
