import { orElse } from '../../../memory/absent.js';
import type { AddressSpace } from '../../../memory/space.js';
import type { Struct } from '../../../object/struct.js';
import type { Profile } from '../../../symbols/profile.js';
import type { WindowsKernel } from '../kernel.js';

/** Processors that any Windows supports (2048 since Server 2019; nt!KiProcessorBlock is as long). */
const MOST_PROCESSORS = 2048;
/** Where XP and Server 2003 on x86 map the control region of each processor (KIP0PCRADDRESS, ntddk.h). */
const FIXED_PCR = 0xffdff000n;

/** How the control region of a processor was found. */
export type KpcrMethod = 'KiProcessorBlock' | 'KiInitialPCR' | 'fixed address';

/** A processor, by its control region (`_KPCR`) and the control block within it (`_KPRCB`). */
export interface Processor {
  readonly number: number;
  readonly pcr: Struct;
  readonly prcb: Struct;
  readonly method: KpcrMethod;
  /** what its own pointers say against it; undefined where they confirm it */
  readonly problem: string | undefined;
}

/** Names of `_KPCR`'s members, which x86 and x64 call differently (ntddk.h, ntosp.h). */
const MEMBERS = {
  /** its own address */
  self: ['Self', 'SelfPcr'],
  /** the address of the control block */
  prcb: ['CurrentPrcb', 'Prcb'],
  /** the control block itself */
  block: ['PrcbData', 'Prcb'],
  idt: ['IdtBase', 'IDT'],
  gdt: ['GdtBase', 'GDT'],
  tss: ['TssBase', 'TSS'],
} as const;

/** Value of a pointer of a control region by its meaning. Throws Absent. */
export function pcrPointer(pcr: Struct, what: 'self' | 'prcb' | 'idt' | 'gdt' | 'tss'): bigint {
  const names = MEMBERS[what];
  return pcr.$pointer(names.find((name) => pcr.$has(name)) ?? names[0]);
}

/** Bytes from the start of `_KPCR` to the `_KPRCB` in it. Throws Absent. */
function blockOffset(profile: Profile): number {
  const type = profile.struct('_KPCR');
  // x64 has the block under the name that x86 has for the pointer to it.
  const name = MEMBERS.block.find((member) => type.has(member)) ?? MEMBERS.block[1];
  return type.offsetOf(name);
}

/**
 * What speaks against a `_KPCR` at an address: it must name itself and the control block that is within it. Undefined where it does;
 * for whoever looks for one, as a check that no chance hit passes.
 */
export function kpcrProblem(profile: Profile, space: AddressSpace, address: bigint): string | undefined {
  return orElse(() => {
    const pcr = profile.struct('_KPCR').at(space, address);
    const self = pcrPointer(pcr, 'self');
    if (self !== address) return `it names 0x${self.toString(16)} as itself`;
    const block = pcrPointer(pcr, 'prcb');
    const within = address + BigInt(blockOffset(profile));
    return block === within ? undefined : `it names 0x${block.toString(16)} as its control block, which is at 0x${within.toString(16)}`;
  }, 'it is not in memory');
}

/** Number of processors, by nt!KeNumberProcessors; undefined where that cannot be read or makes no sense. */
export function processorCount(kernel: WindowsKernel): number | undefined {
  const at = kernel.symbol('KeNumberProcessors');
  // A byte until Vista, which had no groups of processors; a ULONG since Windows 7.
  const wide = kernel.symbol('KeNumberProcessorsGroup0') !== undefined;
  const count = at === undefined ? 0 : orElse(() => (wide ? kernel.space.readU32(at) : kernel.space.readU8(at)), 0);
  if (count >= 1 && count <= MOST_PROCESSORS) return count;
  const stated = kernel.physical.hints.crash?.header.processors;
  return stated !== undefined && stated >= 1 && stated <= MOST_PROCESSORS ? stated : undefined;
}

/**
 * The processors in the order of nt!KiProcessorBlock, which holds the address of each one's control block; where that table gives
 * none, the first processor by nt!KiInitialPCR, or by the address that XP maps it at.
 * @param onFault told what is missing or does not fit
 */
export function processors(kernel: WindowsKernel, onFault?: (what: string) => void): readonly Processor[] {
  const { found, faults } = kernel.memo('processors', () => {
    const faults: string[] = [];
    return { found: [...listed(kernel, (what) => faults.push(what))], faults };
  });
  for (const what of faults) onFault?.(what);
  return found;
}

function* listed(kernel: WindowsKernel, onFault: (what: string) => void): Generator<Processor> {
  const table = kernel.symbol('KiProcessorBlock');
  const count = processorCount(kernel);
  const pointer = BigInt(kernel.profile.pointerSize);
  const seen = new Set<bigint>();
  for (let number = 0; table !== undefined && number < (count ?? MOST_PROCESSORS); number++) {
    const prcb = orElse(() => kernel.space.readPointer(table + BigInt(number) * pointer), undefined);
    if (prcb === undefined || prcb === 0n || seen.has(prcb)) {
      if (count !== undefined) onFault(`nt!KiProcessorBlock has no processor ${number} of ${count}`);
      break;
    }
    seen.add(prcb);
    yield processorOf(kernel, number, prcb - BigInt(blockOffset(kernel.profile)), 'KiProcessorBlock');
  }
  if (seen.size > 0) return;
  const initial = kernel.symbol('KiInitialPCR');
  const known: readonly (readonly [bigint, KpcrMethod])[] = [
    ...(initial === undefined ? [] : [[initial, 'KiInitialPCR'] as const]),
    ...(pointer === 4n ? [[FIXED_PCR, 'fixed address'] as const] : []),
  ];
  for (const [address, method] of known) {
    if (kpcrProblem(kernel.profile, kernel.space, address) !== undefined) continue;
    onFault(`nt!KiProcessorBlock gives no processor; the first one is known by its ${method === 'KiInitialPCR' ? 'symbol nt!KiInitialPCR' : 'fixed address'}`);
    yield processorOf(kernel, 0, address, method);
    return;
  }
  onFault('nt!KiProcessorBlock gives no processor, and none was found otherwise');
}

function processorOf(kernel: WindowsKernel, number: number, address: bigint, method: KpcrMethod): Processor {
  const prcb = kernel.at('_KPRCB', address + BigInt(blockOffset(kernel.profile)));
  const problem = kpcrProblem(kernel.profile, kernel.space, address) ?? otherNumber(prcb, number);
  return { number, pcr: kernel.at('_KPCR', address), prcb, method, problem };
}

/** The block's own number: one byte on x86 until Vista, a ULONG since Windows 7, which kept the byte as LegacyNumber. */
function otherNumber(prcb: Struct, number: number): string | undefined {
  const own = orElse(() => Number(prcb.$get('Number')), number);
  return own === number ? undefined : `its control block has the number ${own}`;
}

/** A table register as the processor had it: `_KPRCB.ProcessorState.SpecialRegisters`. */
export interface TableRegister {
  readonly base: bigint;
  /** offset of the last byte */
  readonly limit: number;
}

/**
 * A processor's IDTR or GDTR, as it was last saved: when the machine was started, froze, or slept. Undefined where it was never
 * saved.
 */
export function savedRegister(prcb: Struct, which: 'Idtr' | 'Gdtr'): TableRegister | undefined {
  return orElse(() => {
    const state = prcb.$get('ProcessorState') as Struct;
    const descriptor = (state.$get('SpecialRegisters') as Struct).$get(which) as Struct;
    const base = descriptor.$pointer('Base');
    return base === 0n ? undefined : { base, limit: Number(descriptor.$get('Limit')) };
  }, undefined);
}
