import { orElse } from '../../../memory/absent.js';
import type { NarrowAddresses, WindowsPte } from '../../../memory/paging/windows.js';
import type { AddressSpace } from '../../../memory/space.js';
import type { Struct } from '../../../object/struct.js';
import type { Profile } from '../../../symbols/profile.js';

/** Kernels of 32 bits have the upper half of the addresses at least. */
const NARROW_KERNEL = 0x80000000n;

/**
 * Where a build keeps what in entries that are not present, from its own types. What stands in variables of the kernel (the mask against
 * speculation, where the paged pool begins) is read when it is first asked for.
 * @param kernel gives the kernel's space, which is made with this
 */
export function windowsPte(profile: Profile, kernel: () => AddressSpace): WindowsPte {
  const wide = entrySizeOf(profile) === 8;
  const swizzle = bitsOf(profile, '_MMPTE_SOFTWARE', 'SwizzleBit')?.start;
  const frame = bitsOf(profile, '_MMPTE_TRANSITION', 'PageFrameNumber')?.bits;
  let mask: { readonly value: bigint | undefined } | undefined;
  return {
    pageFileLow: bitsOf(profile, '_MMPTE_SOFTWARE', 'PageFileLow')?.start ?? 1,
    pageFileHigh: bitsOf(profile, '_MMPTE_SOFTWARE', 'PageFileHigh')?.start ?? (wide ? 32 : 12),
    ...(frame === undefined ? {} : { frameBits: frame }),
    ...(swizzle === undefined ? {} : { swizzleBit: swizzle }),
    get invalidMask(): bigint | undefined {
      if (mask) return mask.value;
      // Reading it translates addresses of the kernel, which may ask for it again.
      mask = { value: undefined };
      return (mask = { value: orElse(() => invalidMask(profile, kernel()), undefined) }).value;
    },
    ...(wide ? {} : { narrow: narrowAddresses(profile, kernel) }),
  };
}

/** Bytes of a page-table entry: the size of `_MMPTE`, which only on x86 without PAE is 4. */
export function entrySizeOf(profile: Profile): 4 | 8 {
  return profile.has('_MMPTE') && profile.struct('_MMPTE').size === 4 ? 4 : 8;
}

/** `nt!MiState.Hardware.InvalidPteMask` (since the updates of August 2018); 0 where the processor needs none. */
function invalidMask(profile: Profile, space: AddressSpace): bigint | undefined {
  if (!profile.has('_MI_HARDWARE_STATE', 'InvalidPteMask')) return undefined;
  const state = profile.object(space, 'MiState', '_MI_SYSTEM_INFORMATION');
  return BigInt((state.$get('Hardware') as Struct).$get('InvalidPteMask') as number | bigint);
}

/**
 * Addresses in entries of 32 bits. Until Server 2003 a prototype is counted from `MmPagedPoolStart`, in 7 bits and 21 bits of it; a subsection from
 * `MmSubsectionBase`, or backwards from `MmNonPagedPoolEnd`, as the pool's bit says (ntos/mm/i386: MiPteToProto, MiGetSubsectionAddress).
 * Since Vista the widths of the members leave room for one reading: 29 bits are a place in the kernel's half, 30 bits a whole address, both without the two bits that
 * alignment makes zero.
 */
function narrowAddresses(profile: Profile, kernel: () => AddressSpace): NarrowAddresses {
  const value = (symbol: string): bigint | undefined => orElse(() => kernel().readPointer(profile.address(symbol)), undefined);
  const known = new Map<string, bigint | undefined>();
  const variable = (symbol: string): bigint | undefined => {
    if (!known.has(symbol)) known.set(symbol, undefined).set(symbol, value(symbol));
    return known.get(symbol);
  };
  const whole = bitsOf(profile, '_MMPTE_PROTOTYPE', 'ProtoAddressLow')?.bits === 8;
  return {
    prototype(entry) {
      if (whole) return NARROW_KERNEL + BigInt((entry >>> 11) * 0x400 + ((entry >>> 1) & 0xff) * 4);
      const base = variable('MmPagedPoolStart');
      return base === undefined ? undefined : base + BigInt((entry >>> 11) * 0x200 + ((entry >>> 1) & 0x7f) * 4);
    },
    subsection(entry) {
      if (whole) return BigInt((entry & 0xfffff800) >>> 0) + BigInt(((entry >>> 1) & 0x1ff) * 4);
      const distance = BigInt(((entry >>> 11) & 0xfffff) * 0x80 + ((entry >>> 1) & 0xf) * 8);
      const paged = entry >>> 31 === 1;
      const base = variable(paged ? 'MmSubsectionBase' : 'MmNonPagedPoolEnd');
      return base === undefined ? undefined : paged ? base + distance : base - distance;
    },
  };
}

function bitsOf(profile: Profile, struct: string, member: string): { readonly start: number; readonly bits: number } | undefined {
  if (!profile.has(struct)) return undefined;
  const type = profile.struct(struct).members.get(member)?.type;
  return type?.kind === 'bitfield' ? { start: type.startBit, bits: type.bits } : undefined;
}
