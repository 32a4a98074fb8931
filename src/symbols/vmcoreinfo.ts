import type { PhysicalSpace } from '../memory/physical.js';
import { occurrences, readPhysical } from './window.js';

/**
 * What a kernel says of itself for crash dumps: /sys/kernel/vmcoreinfo, a note of dump files, and a text in memory
 * (kernel/vmcore_info.c; until 6.8 kernel/crash_core.c; Documentation/admin-guide/kdump/vmcoreinfo.rst).
 */
export interface Vmcoreinfo {
  /** `6.1.0-56-cloud-amd64` */
  readonly osrelease: string;
  readonly buildId?: string;
  /** bytes */
  readonly pageSize?: number;
  /** KERNELOFFSET: bytes that KASLR moved the kernel's virtual addresses by */
  readonly kernelOffset?: bigint;
  /** x86_64's phys_base: physical minus virtual address of the image, from __START_KERNEL_map (0xffffffff80000000); may be negative */
  readonly physBase?: bigint;
  /** virtual addresses, relocated */
  readonly symbols: ReadonlyMap<string, bigint>;
  /** bytes of structs */
  readonly sizes: ReadonlyMap<string, number>;
  /** `task_struct.tasks` → bytes */
  readonly offsets: ReadonlyMap<string, number>;
  /** elements of arrays */
  readonly lengths: ReadonlyMap<string, number>;
  readonly numbers: ReadonlyMap<string, bigint>;
  /** all other lines: `CONFIG_X86_PAE` → `y`, `CRASHTIME` → seconds since 1970 */
  readonly others: ReadonlyMap<string, string>;
}

const NEEDLE = Buffer.from('OSRELEA');
const FIRST = 'OSRELEASE=';
/** VMCOREINFO_BYTES: a page (include/linux/vmcore_info.h); arm64 kernels may have pages of 64 KiB, the text is no longer for that. */
const LONGEST = 16384;

/** Decodes the text; undefined when it does not begin with OSRELEASE. Lines that make no sense are left out. */
export function parseVmcoreinfo(text: string): Vmcoreinfo | undefined {
  if (!text.startsWith(FIRST)) return undefined;
  const symbols = new Map<string, bigint>();
  const sizes = new Map<string, number>();
  const offsets = new Map<string, number>();
  const lengths = new Map<string, number>();
  const numbers = new Map<string, bigint>();
  const others = new Map<string, string>();
  for (const line of text.slice(0, LONGEST).split('\n')) {
    const [, kind, name, value] = /^(?:(SYMBOL|SIZE|OFFSET|LENGTH|NUMBER)\()?([^()=\s]+)\)?=(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    if (kind === 'SYMBOL') put(symbols, name, hexadecimal(value));
    else if (kind === 'NUMBER') put(numbers, name, integer(value));
    else if (kind === undefined) others.set(name, value);
    else put(kind === 'SIZE' ? sizes : kind === 'OFFSET' ? offsets : lengths, name, count(value));
  }
  const buildId = others.get('BUILD-ID');
  const pageSize = count(others.get('PAGESIZE') ?? '');
  const kernelOffset = hexadecimal(others.get('KERNELOFFSET') ?? '');
  const physBase = numbers.get('phys_base');
  return {
    osrelease: others.get('OSRELEASE') ?? '',
    ...(buildId !== undefined && { buildId }),
    ...(pageSize !== undefined && { pageSize }),
    ...(kernelOffset !== undefined && { kernelOffset }),
    ...(physBase !== undefined && { physBase }),
    symbols,
    sizes,
    offsets,
    lengths,
    numbers,
    others,
  };
}

function put<T>(map: Map<string, T>, name: string, value: T | undefined): void {
  if (value !== undefined) map.set(name, value);
}

/** 64-bit numbers as `%lx` writes them. */
function hexadecimal(text: string): bigint | undefined {
  return /^[0-9a-fA-F]{1,16}$/.test(text) ? BigInt(`0x${text}`) : undefined;
}

/** `%ld`, and for some on arm64 and x86 `0x%lx`. */
function integer(text: string): bigint | undefined {
  if (/^0x[0-9a-fA-F]{1,16}$/.test(text) || /^\d{1,20}$/.test(text)) return BigInt(text);
  return /^-\d{1,20}$/.test(text) ? BigInt(text) : undefined;
}

function count(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** A text found in memory. */
export interface FoundVmcoreinfo {
  /** physical address of its first byte */
  readonly physical: number;
  readonly text: string;
  readonly info: Vmcoreinfo;
}

/**
 * The texts in a window of physical memory, ascending. The kernel keeps it in a page of its own, anywhere in memory, and in the ELF
 * note made of it; texts of an earlier kernel (before a kexec, or in a page cache) are found too: compare with the banner.
 * @param window physical bytes, `from` inclusive, `to` exclusive; all of the image when left out
 */
export function* findVmcoreinfo(
  physical: PhysicalSpace,
  window: { from?: number; to?: number } = {},
): Generator<FoundVmcoreinfo> {
  const to = Math.min(window.to ?? Infinity, physical.end);
  for (const at of occurrences(physical, NEEDLE, window.from ?? 0, to)) {
    // To the end of the page, so that a hole behind it does not matter; longer where it goes on.
    const rest = 4096 - (at % 4096);
    const bytes = readPhysical(physical, at, Math.min(LONGEST, physical.end - at)) ?? readPhysical(physical, at, rest);
    const nul = bytes?.indexOf(0) ?? -1;
    if (!bytes || nul < 0) continue;
    const text = bytes.toString('latin1', 0, nul);
    const info = parseVmcoreinfo(text);
    // The kernel's own format string, `OSRELEASE=%s`, is no text of this kind.
    if (info?.pageSize !== undefined && info.symbols.size > 0) yield { physical: at, text, info };
  }
}
