import { createPagedSpace, type PagingKind } from '../../memory/paging/create.js';
import type { PhysicalSpace } from '../../memory/physical.js';
import type { SymbolSource } from '../../symbols/types.js';

/** The kernel's top page table. */
export interface KernelRoot {
  /** physical address */
  readonly dtb: number;
  readonly paging: PagingKind;
  /** how it was found */
  readonly method: string;
}

/** A possible top page table, and the kinds of paging it may be for, likeliest first. */
export interface RootCandidate {
  readonly dtb: number;
  readonly pagings: readonly PagingKind[];
  readonly method: string;
}

/** A place of the kernel image whose physical address is known. */
export interface Probe {
  readonly virtual: bigint;
  readonly physical: number;
}

interface ImagePlace {
  readonly symbols: SymbolSource;
  readonly bits: 32 | 64;
  readonly delta: bigint;
  readonly text: number;
  readonly window: { readonly from: number; readonly to: number };
}

/** swapper_pg_dir of x86 since 2.6; init_level4_pgt until 4.13, then init_top_pgt (kernel commit 65ade2f872b4). */
const ROOT_SYMBOLS = ['init_top_pgt', 'init_level4_pgt', 'swapper_pg_dir', 'initial_page_table'];

/**
 * Candidates for the kernel's top page table by independent methods: the analyst's word, the kernel's symbol, the text of
 * VMCOREINFO, the CPUs' CR3 that the dump's header keeps, and, where all fail, every page of the kernel image.
 */
export function* candidateRoots(physical: PhysicalSpace, image: ImagePlace, stated?: number): Generator<RootCandidate> {
  const pagings = pagingKinds(physical, image);
  if (stated !== undefined) {
    yield { dtb: stated, pagings, method: '--dtb' };
    return;
  }
  for (const name of ROOT_SYMBOLS) {
    const address = image.symbols.address(name);
    if (address !== undefined) yield { dtb: Number(address - image.delta), pagings, method: `symbol ${name}` };
  }
  const noted = /^SYMBOL\((?:init_top_pgt|init_level4_pgt|swapper_pg_dir)\)=([0-9a-f]+)/m.exec(physical.hints.vmcoreinfo ?? '')?.[1];
  if (noted !== undefined) yield { dtb: Number(BigInt(`0x${noted}`) - image.delta), pagings, method: 'VMCOREINFO' };
  for (const root of physical.hints.pageTableRoots ?? []) {
    // The low bits are PCID or cache control; bit 12 tells user from kernel tables under page table isolation.
    const dtb = image.bits === 32 ? Number(root & ~0x1fn) : Number(root & ~0x1fffn);
    yield { dtb, pagings, method: "a CPU's CR3" };
  }
  for (let dtb = image.text; dtb < image.window.to; dtb += 4096) {
    yield { dtb, pagings, method: 'page by page' };
  }
}

/** Which kinds of paging the kernel may use, likeliest first: __pgtable_l5_enabled says (arch/x86/boot/compressed/pgtable_64.c). */
function pagingKinds(physical: PhysicalSpace, image: ImagePlace): readonly PagingKind[] {
  if (image.bits === 32) return ['i386-pae', 'i386'];
  const symbol = image.symbols.address('__pgtable_l5_enabled');
  const page = symbol === undefined ? undefined : physical.pageAt(Math.floor(Number(symbol - image.delta) / 4096));
  const five = symbol !== undefined && page !== undefined && page.view.getUint32(Number(symbol & 0xfffn), true) === 1;
  return five ? ['amd64-la57', 'amd64'] : ['amd64', 'amd64-la57'];
}

/** Why a candidate is not the kernel's page table, or undefined when it maps every probe to where it is. */
export function verifyRoot(physical: PhysicalSpace, root: { dtb: number; paging: PagingKind }, probes: readonly Probe[]): string | undefined {
  if (root.dtb < 0 || !Number.isSafeInteger(root.dtb) || !physical.isValid(BigInt(root.dtb))) return 'not in the image';
  const space = createPagedSpace(root.paging, physical, root.dtb, { name: 'candidate', os: 'linux' });
  for (const probe of probes) {
    const found = space.translate(probe.virtual);
    if (found !== probe.physical) {
      return `0x${probe.virtual.toString(16)} translates to ${found === undefined ? 'nothing' : `0x${found.toString(16)}`}, not 0x${probe.physical.toString(16)}`;
    }
  }
  return undefined;
}
