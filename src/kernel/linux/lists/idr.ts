import { Absent, orAbsent } from '../../../memory/absent.js';
import type { Struct } from '../../../object/struct.js';
import type { LinuxKernel } from '../kernel.js';
import type { WalkOptions } from './list.js';
import { walkXarray } from './xarray.js';

/** More layers than this no IDR had: identifiers have 31 bits. */
const MOST_LAYERS = 1 << 20;

/** An identifier and the pointer that it stands for. */
export interface IdrEntry {
  readonly id: number;
  readonly entry: bigint;
}

/**
 * What an IDR holds, ascending by identifier. Since 4.11 it is a radix tree or XArray (kernel commit 0a835c4f090a), whose indices
 * begin at idr_base (since 4.16, 6ce711f27500); before, a tree of idr_layer.
 * @param idr the struct idr: `init_pid_ns.idr`
 */
export function* walkIdr(kernel: LinuxKernel, idr: Struct, options: WalkOptions = {}): Generator<IdrEntry> {
  if (idr.$has('idr_rt')) {
    const base = idr.$has('idr_base') ? BigInt(idr.$get('idr_base') as number) : 0n;
    for (const { first, last, entry } of walkXarray(kernel, idr.$get('idr_rt') as Struct, options)) {
      if (last !== first) options.onFault?.(`idr at 0x${idr.$address.toString(16)}: identifier ${first + base} is a range`);
      yield { id: Number(first + base), entry };
    }
    return;
  }
  yield* walkLayers(kernel, idr, options);
}

/** include/linux/idr.h until 4.10: idr.top, and idr_layer.ary whose slots are layers, or at layer 0 the pointers. */
function* walkLayers(kernel: LinuxKernel, idr: Struct, options: WalkOptions): Generator<IdrEntry> {
  const type = kernel.struct('idr_layer');
  const slots = type.member('ary').type;
  const count = slots.kind === 'array' ? slots.count : 0;
  const width = kernel.profile.pointerSize;
  const limit = options.limit ?? MOST_LAYERS * count;
  const seen = new Set<bigint>();
  let given = 0;
  const fault = (what: string): void => options.onFault?.(`idr at 0x${idr.$address.toString(16)}: ${what}`);
  const stack: { address: bigint; base: number; above: number }[] = [];
  const top = idr.$pointer('top');
  if (top !== 0n) stack.push({ address: top, base: 0, above: Infinity });
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { address, base, above } = next;
    if (seen.has(address) || seen.size >= MOST_LAYERS) {
      fault(`layer 0x${address.toString(16)} is met twice`);
      continue;
    }
    seen.add(address);
    const layer = type.at(kernel.space, address);
    const read = orAbsent(() => ({ height: Number(layer.$get('layer')), links: kernel.space.read(layer.$addressOf('ary'), count * width) }));
    if (read instanceof Absent) {
      fault(`layer 0x${address.toString(16)} is unreadable: ${read.reason}`);
      continue;
    }
    const { height, links } = read;
    // Below a layer stands one that is lower by one.
    if (height < 0 || height > 7 || (above !== Infinity && height !== above - 1)) {
      fault(`layer 0x${address.toString(16)} is number ${height}`);
      continue;
    }
    const span = count ** height;
    const below: typeof stack = [];
    for (let index = 0; index < count; index++) {
      const link = width === 8 ? links.readBigUInt64LE(index * 8) : BigInt(links.readUInt32LE(index * 4));
      if (link === 0n) continue;
      if (height > 0) below.push({ address: link, base: base + index * span, above: height });
      else if (given++ >= limit) {
        fault(`more than ${limit} entries`);
        return;
      } else yield { id: base + index, entry: link };
    }
    // The stack gives back the last that was put there: lowest identifiers on top.
    stack.push(...below.reverse());
  }
}
