import { Page, PAGE_SIZE, pageNumber } from '../../memory/page.js';
import { AddressSpace, BufferSpace } from '../../memory/space.js';
import { memorySize, type PeHeaders, readHeaders } from './headers.js';

/** Pages that are kept: a hostile section may claim gigabytes of zeros. */
const KEPT = 1 << 14;
/** The loader rounds a section's place in the file down to this, unless the file is aligned to less. */
const SECTOR = 512;

/** An executable file as the loader would lay it out at its preferred base. Relocations and imports are not applied. */
export class PeFileSpace extends AddressSpace {
  readonly bits: 32 | 64;
  readonly base: bigint;
  private readonly header: PeHeaders;
  private readonly pages = new Map<number, Page>();

  /** @throws Absent where the bytes are no executable */
  constructor(
    private readonly bytes: Buffer,
    readonly name: string,
  ) {
    super();
    this.header = readHeaders(new BufferSpace(bytes), 0n);
    this.bits = this.header.wide ? 64 : 32;
    this.base = this.header.imageBase & ~0xfffn;
  }

  override pageAt(number: number): Page | undefined {
    const known = this.pages.get(number);
    if (known) return known;
    const start = (number - pageNumber(this.base)) * PAGE_SIZE;
    const content = start < 0 ? undefined : this.content(start);
    if (!content) return undefined;
    if (this.pages.size >= KEPT) this.pages.clear();
    const page = new Page(content);
    this.pages.set(number, page);
    return page;
  }

  private content(start: number): Buffer | undefined {
    let page: Buffer | undefined;
    const put = (rva: number, size: number, offset: number, available: number): void => {
      if (rva + size <= start || rva >= start + PAGE_SIZE) return;
      page ??= Buffer.alloc(PAGE_SIZE);
      const from = Math.max(start, rva);
      const until = Math.min(start + PAGE_SIZE, rva + Math.min(size, available));
      const source = offset + from - rva;
      if (until > from && source < this.bytes.length) this.bytes.copy(page, from - start, source, Math.min(source + until - from, this.bytes.length));
    };
    const { sizeOfHeaders, sections, fileAlignment } = this.header;
    for (const section of sections) {
      const offset = fileAlignment >= SECTOR ? section.rawOffset - (section.rawOffset % SECTOR) : section.rawOffset;
      // A section goes on to the end of its last page.
      const size = Math.ceil(memorySize(section) / PAGE_SIZE) * PAGE_SIZE;
      put(section.rva, size, offset, section.rawOffset === 0 ? 0 : section.rawSize);
    }
    // Last: no section may cover the headers.
    put(0, Math.min(sizeOfHeaders, this.bytes.length), 0, this.bytes.length);
    return page;
  }
}
