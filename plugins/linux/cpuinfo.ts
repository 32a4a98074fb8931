import { capabilities, megahertz, processors, stepping, topology } from '../../src/kernel/linux/cpu.js';
import { untilAbsent } from '../../src/kernel/linux/lists/guard.js';
import { ticksPerSecond } from '../../src/kernel/linux/ticks.js';
import { col } from '../../src/plugin/columns.js';
import { linuxOf } from '../../src/plugin/context.js';
import { definePlugin } from '../../src/plugin/plugin.js';

export const cpuinfo = definePlugin({
  name: 'cpuinfo',
  needs: ['linux'],
  topic: 'kernel',
  summary: 'the processors that were online',
  notes: "Each processor's cpu_info (struct cpuinfo_x86, a per-CPU variable), for those in __cpu_online_mask. Names of flags and bugs come from the kernel's own x86_cap_flags and x86_bug_flags.",
  args: {},
  columns: {
    CPU: col.int('number'),
    vendor: col.string('vendor                         cpuinfo_x86.x86_vendor_id'),
    model: col.string('model name                     cpuinfo_x86.x86_model_id'),
    family: col.int('family                           cpuinfo_x86.x86'),
    model_number: col.int('model                            cpuinfo_x86.x86_model'),
    stepping: col.int('stepping                         cpuinfo_x86.x86_stepping'),
    microcode: col.physical('revision of the microcode      cpuinfo_x86.microcode'),
    MHz: col.float('clock                          cpu_khz', { unit: 'MHz' }),
    bogomips: col.float('cpuinfo_x86.loops_per_jiffy', { hidden: true }),
    cache: col.int('largest cache                    cpuinfo_x86.x86_cache_size', { unit: 'KiB' }),
    package: col.int('number of the package            cpuinfo_x86.topo.pkg_id, phys_proc_id'),
    core: col.int('number of the core in it         cpuinfo_x86.topo.core_id, cpu_core_id'),
    cores: col.int('cores that run in it             cpuinfo_x86.booted_cores'),
    apicid: col.int('interrupt controller             cpuinfo_x86.topo.apicid, apicid', { hidden: true }),
    phys_bits: col.int('width of physical addresses      cpuinfo_x86.x86_phys_bits'),
    virt_bits: col.int('width of virtual addresses       cpuinfo_x86.x86_virt_bits'),
    flag_count: col.int('number of flags'),
    flags: col.list('abilities                        cpuinfo_x86.x86_capability', { hidden: true }),
    bugs: col.list('known bugs                       cpuinfo_x86.x86_capability', { hidden: true }),
    cpuinfo: col.struct('cpuinfo_x86', 'the struct', { hidden: true }),
  },
  examples: [{ line: 'cpuinfo' }],
  *collect(context) {
    const kernel = linuxOf(context);
    for (const { number, info } of untilAbsent('the list of processors', () => processors(kernel), { onFault: context.note })) {
      yield {
        CPU: number,
        vendor: () => info.x86_vendor_id,
        model: () => info.x86_model_id,
        family: () => info.x86,
        model_number: () => info.x86_model,
        stepping: () => stepping(info),
        microcode: () => info.microcode,
        MHz: () => megahertz(kernel),
        // arch/x86/kernel/cpu/proc.c: loops_per_jiffy / (500000 / HZ), with two decimals cut off.
        bogomips: () => Math.floor(Number(info.loops_per_jiffy) / (5000 / ticksPerSecond(kernel))) / 100,
        cache: () => info.x86_cache_size,
        package: () => topology(info, 'pkg_id'),
        core: () => topology(info, 'core_id'),
        cores: () => info.booted_cores,
        apicid: () => topology(info, 'apicid'),
        phys_bits: () => info.x86_phys_bits,
        virt_bits: () => info.x86_virt_bits,
        flag_count: () => capabilities(kernel, info).flags.length,
        flags: () => capabilities(kernel, info).flags,
        bugs: () => capabilities(kernel, info).bugs,
        cpuinfo: info,
      };
    }
  },
});
