import { Absent } from '../../../memory/absent.js';
import type { Struct } from '../../../object/struct.js';
import type { LinuxKernel } from '../kernel.js';

/** CONFIG_NR_CPUS of the largest x86 kernels (MAXSMP). */
const MOST_CPUS = 8192;

/** Numbers of the processors in a cpumask: `__cpu_online_mask`, `__cpu_possible_mask`, `__cpu_present_mask` (kernel/cpu.c). */
export function cpusIn(kernel: LinuxKernel, mask: string): number[] {
  const count = cpuCount(kernel);
  const bytes = kernel.space.read(kernel.profile.address(mask), Math.ceil(count / 8));
  const cpus: number[] = [];
  for (let cpu = 0; cpu < count; cpu++) if ((((bytes[cpu >> 3] as number) >> (cpu & 7)) & 1) === 1) cpus.push(cpu);
  return cpus;
}

/** Processors there can be: nr_cpu_ids (kernel/smp.c), which is a constant, and no variable, in a kernel without SMP. */
export function cpuCount(kernel: LinuxKernel): number {
  const address = kernel.symbol('nr_cpu_ids');
  if (address === undefined) return 1;
  const count = kernel.space.readU32(address);
  if (count === 0 || count > MOST_CPUS) throw new Absent('corrupt', `nr_cpu_ids is ${count}`, address);
  return count;
}

/**
 * What is added to the address of a per-CPU variable to find a processor's own: __per_cpu_offset[cpu] (arch/x86/kernel/
 * setup_percpu.c). Zero in a kernel without SMP. On x86-64 the variables were linked at 0 until 6.15 (kernel commit
 * 9d7de2aa8b41 links them with the rest); kallsyms gives the right base for both.
 */
export function perCpuOffset(kernel: LinuxKernel, cpu: number): bigint {
  const table = kernel.symbol('__per_cpu_offset');
  if (table === undefined) return 0n;
  if (cpu < 0 || cpu >= cpuCount(kernel)) throw new Absent('not-applicable', `processor ${cpu} of ${cpuCount(kernel)}`);
  return kernel.space.readPointer(table + BigInt(cpu * kernel.profile.pointerSize));
}

/** Address of a processor's own copy of a per-CPU variable, from the address that the symbol (or a pointer to it) gives. */
export function perCpuAddress(kernel: LinuxKernel, base: bigint, cpu: number): bigint {
  return BigInt.asUintN(kernel.space.bits, base + perCpuOffset(kernel, cpu));
}

/** A processor's own struct at a per-CPU symbol. Throws Absent where the kernel has no such symbol or processor. */
export function perCpu<T extends Struct = Struct>(kernel: LinuxKernel, symbol: string, struct: string, cpu: number): T {
  return kernel.at<T>(struct, perCpuAddress(kernel, kernel.profile.address(symbol), cpu));
}
