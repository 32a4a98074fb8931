import type { Steps } from '../../memory/breathe.js';
import type { PhysicalSpace } from '../../memory/physical.js';
import { bannerSteps } from './banner.js';

/** x86 aligns the kernel image to 2 MiB at least (CONFIG_PHYSICAL_ALIGN). */
const ALIGNMENT = 2 * 1024 * 1024;
/** `mov %rax,%cr3` / `mov %eax,%cr3` */
const LOAD_CR3 = Buffer.from([0x0f, 0x22, 0xd8]);
/** Kernel images are smaller than this from _text to _end. */
export const IMAGE_SPAN = 128 * 1024 * 1024;

/** A part of physical memory that a kernel image may lie in. */
export interface KernelWindow {
  readonly from: number;
  readonly to: number;
  /** physical address of _text, where the method tells it */
  readonly text?: number;
  /** how it was found, for the trace */
  readonly method: string;
}

/**
 * Places where a kernel may lie, cheapest method first, so that most images are never read as a whole.
 *
 * 1. The entry code. The image begins, at a 2 MiB boundary, with the code that switches page tables on
 *    (arch/x86/kernel/head_64.S, head_32.S): within its first page stand a load of CR3 and a load of CR4.
 * 2. Banners, wherever they are: the window around each.
 * @param quick the first method alone
 */
export function* kernelWindows(physical: PhysicalSpace, quick = false): Steps<KernelWindow> {
  const seen: KernelWindow[] = [];
  for (const text of entryPoints(physical)) {
    if (text === undefined) {
      yield undefined;
      continue;
    }
    const window = { from: text, to: Math.min(physical.end, text + IMAGE_SPAN), text, method: 'entry code at a 2 MiB boundary' };
    seen.push(window);
    yield window;
  }
  if (quick) return;
  for (const hit of bannerSteps(physical)) {
    if (hit === undefined) {
      yield undefined;
      continue;
    }
    const { physical: at } = hit;
    if (seen.some((window) => at >= window.from && at < window.to)) continue;
    const window = {
      from: Math.max(0, at - IMAGE_SPAN / 2),
      to: Math.min(physical.end, at + IMAGE_SPAN / 2),
      method: `banner at 0x${at.toString(16)}`,
    };
    seen.push(window);
    yield window;
  }
}

/** Physical addresses at which x86 kernel entry code stands. */
export function* entryPoints(physical: PhysicalSpace): Steps<number> {
  const page = Buffer.allocUnsafeSlow(4096);
  for (const run of physical.runs) {
    for (let at = Math.ceil(run.start / ALIGNMENT) * ALIGNMENT; at + page.length <= run.end; at += ALIGNMENT) {
      yield physical.readInto(at, page, 0, page.length) === page.length && isEntryCode(page) ? at : undefined;
    }
  }
}

function isEntryCode(page: Buffer): boolean {
  if (page.indexOf(LOAD_CR3) < 0) return false;
  // `mov %reg,%cr4`: 0f 22 e0 to e7
  for (let at = page.indexOf(0x22); at >= 0; at = page.indexOf(0x22, at + 1)) {
    if (page[at - 1] === 0x0f && ((page[at + 1] ?? 0) & 0xf8) === 0xe0) return true;
  }
  return false;
}
