import { Absent, orElse } from '../../memory/absent.js';
import type { ArrayView } from '../../object/array.js';
import { decodeText } from '../../object/text.js';
import type { Struct } from '../../object/struct.js';
import type { LinuxKernel } from './kernel.js';
import { cpusIn, perCpu } from './lists/percpu.js';

/** arch/x86/include/asm/processor.h. What changed its name or place is read by the functions below. */
export interface CpuInfo extends Struct {
  readonly x86: number;
  readonly x86_vendor_id: string;
  readonly x86_model: number;
  readonly x86_model_id: string;
  readonly x86_cache_size: number;
  readonly x86_phys_bits: number;
  readonly x86_virt_bits: number;
  readonly x86_capability: ArrayView<number>;
  readonly loops_per_jiffy: bigint | number;
  readonly booted_cores: number;
  readonly microcode: number;
  readonly cpuid_level: number;
}

/** A processor that runs. */
export interface Processor {
  readonly number: number;
  readonly info: CpuInfo;
}

/** Words of bug bits at the end of x86_capability (NBUGINTS): one until 6.5, then two (kernel commit 0e52740ffd10). More are not expected soon. */
const MOST_BUG_WORDS = 8;
const LONGEST_FLAG = 64;

/** The processors that were online, by number: the per-CPU cpu_info, or boot_cpu_data in a kernel for one processor. */
export function* processors(kernel: LinuxKernel): Generator<Processor> {
  if (kernel.symbol('cpu_info') === undefined || kernel.symbol('__per_cpu_offset') === undefined) {
    yield { number: 0, info: kernel.global<CpuInfo>('boot_cpu_data', 'cpuinfo_x86') };
    return;
  }
  // The variable behind cpu_online_mask had no underscores' name of its own until 4.5 (kernel commit 4b804c85dc37).
  const mask = ['__cpu_online_mask', 'cpu_online_bits'].find((name) => kernel.symbol(name) !== undefined) ?? '__cpu_online_mask';
  for (const number of cpusIn(kernel, mask)) yield { number, info: perCpu<CpuInfo>(kernel, 'cpu_info', 'cpuinfo_x86', number) };
}

/** x86_stepping was called x86_mask until 4.16 (kernel commit b399151cb48d). */
export function stepping(info: CpuInfo): number {
  return info.$get(info.$has('x86_stepping') ? 'x86_stepping' : 'x86_mask') as number;
}

/** A number of the topology: from cpuinfo_x86.topo since 6.7 (kernel commit b9655e702dc5), from cpuinfo_x86 itself before. */
export function topology(info: CpuInfo, member: 'apicid' | 'pkg_id' | 'core_id'): number {
  if (info.$has('topo')) return (info.$get('topo') as Struct).$get(member) as number;
  const before = { apicid: 'apicid', pkg_id: 'phys_proc_id', core_id: 'cpu_core_id' };
  return info.$get(before[member]) as number;
}

/** Frequency of the time stamp counter's clock, in MHz: what /proc/cpuinfo shows of a processor that does not change it. */
export function megahertz(kernel: LinuxKernel): number {
  return kernel.space.readU32(kernel.profile.address('cpu_khz')) / 1000;
}

/** Names of a processor's abilities and of its bugs, as /proc/cpuinfo lists them. */
export function capabilities(kernel: LinuxKernel, info: CpuInfo): { readonly flags: string[]; readonly bugs: string[] } {
  const words = info.x86_capability;
  const bugWords = bugWordsOf(kernel);
  const abilities = words.length - bugWords;
  const names = (symbol: string, from: number, to: number): string[] => {
    const table = kernel.profile.address(symbol);
    const found: string[] = [];
    for (let bit = from * 32; bit < to * 32; bit++) {
      if ((((words.at(bit >> 5) >>> (bit & 31)) & 1) === 0)) continue;
      const name = flagName(kernel, table, bit - from * 32);
      if (name !== undefined) found.push(name);
    }
    return found;
  };
  return {
    flags: names('x86_cap_flags', 0, abilities),
    bugs: kernel.symbol('x86_bug_flags') === undefined ? [] : names('x86_bug_flags', abilities, words.length),
  };
}

/** Length of x86_bug_flags (arch/x86/kernel/cpu/capflags.c), in words of 32 names: up to the next symbol. */
function bugWordsOf(kernel: LinuxKernel): number {
  return kernel.memo('NBUGINTS', () => {
    const table = kernel.symbol('x86_bug_flags');
    if (table === undefined) return 0;
    const { symbols } = kernel.profile;
    const word = BigInt(32 * kernel.profile.pointerSize);
    let count = 1;
    if (symbols.nearest(table)?.symbol.address === table) {
      while (count < MOST_BUG_WORDS && symbols.nearest(table + word * BigInt(count))?.symbol.address === table) count++;
      return count;
    }
    // The symbol came from a file, and the image's own know functions only.
    let next = table + word * BigInt(MOST_BUG_WORDS);
    for (const { address } of symbols.symbols()) if (address > table && address < next) next = address;
    return Math.max(1, Number((next - table) / word));
  });
}

/** Undefined for what has no name: bits that Linux made up and does not show. */
function flagName(kernel: LinuxKernel, table: bigint, index: number): string | undefined {
  const known = kernel.memo(`flag names ${table}`, () => new Map<number, string | undefined>());
  if (!known.has(index)) {
    const name = orElse(() => {
      const pointer = kernel.space.readPointer(table + BigInt(index * kernel.profile.pointerSize));
      if (pointer === 0n) throw new Absent('not-applicable', 'no name');
      return decodeText(kernel.space.readCString(pointer, LONGEST_FLAG));
    }, undefined);
    known.set(index, name === '' ? undefined : name);
  }
  return known.get(index);
}
