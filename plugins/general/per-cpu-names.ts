import type { Kernel } from '../../src/kernel/kernel.js';
import type { LinuxKernel } from '../../src/kernel/linux/kernel.js';
import { cpuCount, perCpuAddress } from '../../src/kernel/linux/lists/percpu.js';
import { perCpuSymbol } from '../../src/kernel/linux/percpu-symbols.js';
import type { CommentSources } from '../../src/disasm/comment.js';
import { orElse } from '../../src/memory/absent.js';

/**
 * What kernel code finds behind a segment register: Linux keeps the running processor's own variables behind GS on x86-64 and behind FS on x86-32
 * (arch/x86/include/asm/percpu.h). The value shown is processor 0's, and its name says so where there are several.
 */
export function perCpuVariables(kernel: Kernel): NonNullable<CommentSources['segment']> {
  const linux = kernel.os === 'linux' ? (kernel as LinuxKernel) : undefined;
  const several = linux ? orElse(() => cpuCount(linux), 1) > 1 : false;
  const own = kernel.space.bits === 64 ? 'GS' : 'FS';
  const lowest = kernel.space.bits === 64 ? 1n << 63n : 0x80000000n;
  return (segment, offset, instruction) => {
    // In a program's code the registers are the program's: FS is where its thread's variables are, and only the thread knows.
    if (!linux || segment !== own || instruction.address < lowest) return undefined;
    const found = perCpuSymbol(linux, offset);
    const distance = found?.distance ?? 0n;
    const name = found ? `linux!${found.symbol.name}${distance === 0n ? '' : ` + 0x${distance.toString(16).toUpperCase()}`}` : undefined;
    const address = orElse(() => perCpuAddress(linux, offset, 0), undefined);
    return address === undefined ? undefined : { address, name: several ? `${name ?? ''} (cpu 0)`.trim() : name };
  };
}
