import { addressOf, type Page, PAGE_SIZE, pageNumber } from '../../memory/page.js';
import type { PageRun } from '../../memory/paging/leaves.js';
import { NO_FRAME } from '../../memory/paging/levels.js';
import { TablelessSpace } from '../../memory/paging/tableless.js';
import type { Translation } from '../../memory/paging/translation.js';
import type { PhysicalSpace } from '../../memory/physical.js';
import type { PeFileSpace } from '../../symbols/pe/file.js';
import type { PeHeaders } from '../../symbols/pe/headers.js';

/** A program's file as the loader would lay it out, in the place of a kernel's space: it has no page tables, and so maps and translates nothing. */
export class ProgramSpace extends TablelessSpace {
  readonly bits: 32 | 64;

  constructor(
    physical: PhysicalSpace,
    private readonly file: PeFileSpace,
    private readonly header: PeHeaders,
  ) {
    super(physical, 'program', 'a program');
    this.bits = file.bits;
  }

  override pageAt(number: number): Page | undefined {
    return this.file.pageAt(number);
  }

  override *leaves(from = 0, to = Infinity): Generator<PageRun, void, undefined> {
    const first = pageNumber(this.file.base);
    for (let page = Math.max(first, from); page < Math.min(to, first + Math.ceil(this.header.sizeOfImage / PAGE_SIZE)); page++) {
      if (this.pageAt(page)) yield { page, pages: 1, frame: NO_FRAME, bits: 0, leafPages: 1 };
    }
  }

  override walk(address: bigint): Translation {
    const rva = Number(address - this.file.base);
    const section = this.header.sections.find((one) => rva >= one.rva && rva < one.rva + one.rawSize);
    const offset = rva >= 0 && rva < this.header.sizeOfHeaders ? rva : section && section.rawOffset + rva - section.rva;
    const place = offset !== undefined ? `it has this byte at file offset 0x${offset.toString(16)}` : this.isValid(address) ? 'the loader has zeros there' : 'the address is outside of it';
    return { address, steps: [], reason: `a program's file has no page tables; ${place}` };
  }

  /** Addresses of the whole image. */
  get extent(): { readonly start: bigint; readonly end: bigint } {
    const start = addressOf(pageNumber(this.file.base), 0);
    return { start, end: start + BigInt(this.header.sizeOfImage) };
  }
}
