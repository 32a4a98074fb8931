import { orElse } from '../../../memory/absent.js';
import type { Struct } from '../../../object/struct.js';
import { descriptorAt, type Gate, gateAt, gateSize, TASK_GATE } from './descriptors.js';
import type { WindowsKernel } from '../kernel.js';
import { pcrPointer, type Processor, savedRegister } from './kpcr.js';
import { driverAt, OUTSIDE } from './modules.js';

/** Vectors that a processor has. */
const VECTORS = 256;
/** Vectors below are the processor's own: faults, traps, the NMI (Intel SDM vol. 3A, table 6-1). */
const EXCEPTIONS = 0x20;
/** Bytes of the segment table: as Windows makes it, where the register was not saved. */
const GDT_BYTES = { 32: 0x400, 64: 0x80 } as const;
/** The selector of the kernel's code: KGDT_R0_CODE, KGDT64_R0_CODE (ntosp.h). */
const KERNEL_CODE = { 32: 0x08, 64: 0x10 } as const;
/** `_KINTERRUPT.Type`: InterruptObject of `_KOBJECTS`. */
const INTERRUPT_OBJECT = 22;
/** Vectors that programs may raise: breakpoint, overflow, tick count, fast fail, callback return, assertion, debug service, system service. */
const FOR_PROGRAMS: ReadonlySet<number> = new Set([3, 4, 0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e]);
/** `_KTSS.Eip`: where a task begins (Intel SDM vol. 3A, figure 7-2). */
const TSS_EIP = 0x20n;

/** A table of a processor: where it is, and its bytes. */
export interface DescriptorTable {
  readonly base: bigint;
  readonly bytes: Buffer;
  /** false where the byte could not be read */
  readonly has: (offset: number, length: number) => boolean;
}

type Fault = (what: string) => void;

/**
 * A processor's interrupt or segment table: at the address in its control region, or where that is not in memory, at the one of the
 * register as it was saved, which also says how long it is. Undefined, and told, where the table is not in memory.
 */
export function descriptorTable(kernel: WindowsKernel, processor: Processor, which: 'idt' | 'gdt', onFault?: Fault): DescriptorTable | undefined {
  const saved = savedRegister(processor.prcb, which === 'idt' ? 'Idtr' : 'Gdtr');
  const stated = orElse(() => pcrPointer(processor.pcr, which), 0n);
  const what = `the ${which === 'idt' ? 'interrupt' : 'segment'} table of processor ${processor.number}`;
  if (saved && stated !== 0n && saved.base !== stated) onFault?.(`${what} is at 0x${stated.toString(16)} by its control region, and was at 0x${saved.base.toString(16)} when the register was saved`);
  const base = stated === 0n ? (saved?.base ?? 0n) : stated;
  if (base === 0n) {
    onFault?.(`${what} is not known: neither its control region nor the saved register is in memory`);
    return undefined;
  }
  const { bits } = kernel.space;
  const usual = which === 'idt' ? VECTORS * gateSize(bits) : GDT_BYTES[bits];
  // The limit has 16 bits; more than 256 vectors the processor never uses.
  const limit = saved && saved.base === base && saved.limit > 0 ? saved.limit + 1 : usual;
  const { bytes, gaps } = kernel.space.readPartial(base, Math.min(limit, which === 'idt' ? usual : 0x10000));
  const missing = gaps.reduce((sum, { start, end }) => sum + Number(end - start), 0);
  if (missing > 0) onFault?.(missing === bytes.length ? `${what} at 0x${base.toString(16)} is not in memory` : `${missing} bytes of ${what} at 0x${base.toString(16)} are not in memory`);
  if (missing === bytes.length) return undefined;
  const has = (offset: number, length: number): boolean => gaps.every(({ start, end }) => base + BigInt(offset + length) <= start || base + BigInt(offset) >= end);
  return { base, bytes, has };
}

/** An entry of an interrupt table. */
export interface Interrupt {
  readonly index: number;
  readonly gate: Gate;
  /** where the processor goes; undefined for an entry that is not used, and a task that cannot be read */
  readonly handler: bigint | undefined;
  /** a device's interrupt: the `_KINTERRUPT` that the handler belongs to */
  readonly object: Struct | undefined;
  /** the driver's own routine   _KINTERRUPT.ServiceRoutine */
  readonly service: bigint | undefined;
  /** why it is not as the system makes it; undefined where nothing speaks against it */
  readonly problem: string | undefined;
}

/** The entries of a processor's interrupt table that are in memory. */
export function* interrupts(kernel: WindowsKernel, processor: Processor, onFault?: Fault): Generator<Interrupt> {
  const table = descriptorTable(kernel, processor, 'idt', onFault);
  if (!table) return;
  const { bits } = kernel.space;
  const size = gateSize(bits);
  // Needed for segments with a base and for tasks, which x64 has not: no word where it is missing.
  const segments = bits === 32 ? descriptorTable(kernel, processor, 'gdt') : undefined;
  for (let index = 0; (index + 1) * size <= table.bytes.length; index++) {
    if (!table.has(index * size, size)) continue;
    const gate = gateAt(table.bytes, index * size, bits);
    const handler = gate.present ? handlerOf(kernel, gate, segments) : undefined;
    const object = handler === undefined ? undefined : interruptObject(kernel, processor, index, handler);
    const service = object && orElse(() => object.$pointer('ServiceRoutine'), undefined);
    const problem = gate.present ? problemOf(kernel, { index, gate, handler, object, service }) : undefined;
    yield { index, gate, handler, object, service, problem };
  }
}

/** Address that a gate leads to, with the base of its segment; of a task gate where the task begins. */
function handlerOf(kernel: WindowsKernel, gate: Gate, segments: DescriptorTable | undefined): bigint | undefined {
  if (kernel.space.bits === 64) return gate.offset;
  const segment = segments && segments.has(gate.selector & ~7, 8) ? descriptorAt(segments.bytes, gate.selector, 32) : undefined;
  if (gate.type !== TASK_GATE) return BigInt.asUintN(32, (segment?.base ?? 0n) + gate.offset);
  return segment && orElse(() => BigInt(kernel.space.readU32(segment.base + TSS_EIP)), undefined);
}

/**
 * The object of a device's interrupt. Until Windows 8.1 the processor enters code within the object itself, made for it
 * (`DispatchCode`); since Windows 10 one of 256 stubs of the kernel, and the object is in a table of the processor.
 */
function interruptObject(kernel: WindowsKernel, { prcb }: Processor, index: number, handler: bigint): Struct | undefined {
  return orElse(() => {
    if (prcb.$has('InterruptObject')) {
      const at = kernel.space.readPointer(prcb.$addressOf('InterruptObject') + BigInt(index * kernel.profile.pointerSize));
      return at === 0n ? undefined : objectAt(kernel, at);
    }
    return objectAt(kernel, handler - BigInt(kernel.struct('_KINTERRUPT').offsetOf('DispatchCode')));
  }, undefined);
}

function objectAt(kernel: WindowsKernel, address: bigint): Struct | undefined {
  const object = kernel.at('_KINTERRUPT', address);
  const isOne = Number(object.$get('Type')) === INTERRUPT_OBJECT && Number(object.$get('Size')) === object.$struct.size;
  return isOne ? object : undefined;
}

function problemOf(kernel: WindowsKernel, { index, gate, handler, object, service }: Omit<Interrupt, 'problem'>): string | undefined {
  const own = KERNEL_CODE[kernel.space.bits];
  if (gate.type !== TASK_GATE && (gate.selector & ~3) !== own) return `its segment 0x${gate.selector.toString(16)} is not the kernel's code`;
  if (handler === undefined) return undefined;
  const owner = driverAt(kernel, handler);
  if (!owner && !object) return `the handler is ${OUTSIDE}`;
  if (service !== undefined && !driverAt(kernel, service)) return `the service routine is ${OUTSIDE}`;
  // The HAL takes the NMI and the machine check over.
  if (index < EXCEPTIONS && !object && owner && owner.base !== kernel.location.base && !/^hal/i.test(owner.name)) return `an exception that ${owner.name} handles instead of the kernel`;
  if (gate.dpl === 3 && !FOR_PROGRAMS.has(index)) return 'programs may raise it';
  return undefined;
}
