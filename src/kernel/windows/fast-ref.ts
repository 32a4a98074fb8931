import type { Struct } from '../../object/struct.js';

/** The address in an `_EX_FAST_REF`, without the count of references in its low bits (3 on x86, 4 on amd64). */
export function fastRef(ref: Struct): bigint {
  const value = ref.$space.readPointer(ref.$address);
  return value & (ref.$space.bits === 64 ? ~0xfn : ~7n);
}
