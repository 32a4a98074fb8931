import { Absent } from '../../memory/absent.js';
import type { Page } from '../../memory/page.js';
import { AddressSpace } from '../../memory/space.js';
import type { Struct } from '../../object/struct.js';
import type { LinuxKernel } from './kernel.js';
import { walkXarray } from './lists/xarray.js';
import type { Inode } from './types.js';

/** Pages of one file that are looked for: 16 GiB of it. */
const MOST_PAGES = 1 << 22;

/**
 * A file's content by offset, as far as its pages are in the page cache (inode.i_mapping.i_pages: include/linux/fs.h; struct page at
 * vmemmap_base). Of a page that a process has written to privately this is the file's, not the process's.
 */
export class CachedFile extends AddressSpace {
  readonly bits = 64;
  /** page of the file → page frame */
  private frames: Map<number, number> | undefined;

  constructor(
    private readonly kernel: LinuxKernel,
    private readonly inode: Inode,
    readonly name: string,
  ) {
    super();
  }

  /** The page frame of a page of the file, or undefined where it is not cached. */
  frameAt(number: number): number | undefined {
    return (this.frames ??= this.walk()).get(number);
  }

  pageAt(number: number): Page | undefined {
    const frame = this.frameAt(number);
    return frame === undefined ? undefined : this.kernel.physical.pageAt(frame);
  }

  /** An entry for several pages (a folio) names the first of them; before 5.17 each page had its own, of its own index. */
  private walk(): Map<number, number> {
    const frames = new Map<number, number>();
    try {
      const { kernel } = this;
      const base = kernel.variable('vmemmap_base');
      const type = kernel.struct('page');
      const size = BigInt(type.size ?? 64);
      const mapping = this.inode.$get('i_mapping') as Struct | null;
      const pages = mapping?.$get(mapping.$has('i_pages') ? 'i_pages' : 'page_tree') as Struct | undefined;
      if (!pages) return frames;
      for (const { first, last, entry } of walkXarray(kernel, pages, { limit: MOST_PAGES })) {
        // Values are shadows of pages that were evicted, or swapped-out pages of tmpfs.
        if ((entry & 3n) !== 0n || entry < base || last - first > BigInt(MOST_PAGES) || last > BigInt(Number.MAX_SAFE_INTEGER)) continue;
        const frame = Number((entry - base) / size);
        for (let page = Number(first); page <= Number(last) && frames.size < MOST_PAGES; page++) frames.set(page, frame + page - Number(first));
      }
    } catch (error) {
      // Without page database, or with a damaged inode: nothing is known to be cached.
      if (!(error instanceof Absent)) throw error;
    }
    return frames;
  }
}
