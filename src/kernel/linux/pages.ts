import { orElse } from '../../memory/absent.js';
import type { Steps } from '../../memory/breathe.js';
import type { Struct } from '../../object/struct.js';
import type { LinuxKernel } from './kernel.js';
import { inodePath } from './path.js';
import { processes } from './tasks.js';
import type { Inode, TaskStruct } from './types.js';

/** include/linux/page-flags.h: PAGE_MAPPING_ANON, PAGE_MAPPING_MOVABLE */
const MAPPING_ANON = 1n;
const MAPPING_FLAGS = 3n;

/** What the kernel's page database says of a page frame. */
export interface FrameInfo {
  /** the struct page */
  readonly page: Struct;
  readonly use: 'anonymous' | 'file' | 'other';
  /** for a page of a file: its path, and the page's offset in the file, bytes */
  readonly path?: string;
  readonly offset?: number;
  /** entries of page tables that map it, as the kernel counts them; undefined where it does not count by page */
  readonly mappings?: number;
}

/** A process's mapping of a page frame. */
export interface FrameUser {
  readonly task: TaskStruct;
  readonly virtual: bigint;
  readonly writable: boolean;
}

/**
 * The page database's record of a frame: vmemmap is an array of struct page (arch/x86/include/asm/pgtable_64.h; Documentation/
 * arch/x86/x86_64/mm.rst). Undefined on kernels without it (32-bit without SPARSEMEM_VMEMMAP).
 */
export function frameInfo(kernel: LinuxKernel, frame: number): FrameInfo | undefined {
  return orElse(() => {
    const base = kernel.variable('vmemmap_base');
    const type = kernel.struct('page');
    const size = BigInt(type.size ?? 64);
    const page = type.at(kernel.space, base + BigInt(frame) * size);
    // Of a compound page (a huge page, a folio) the first struct page tells; the others point to it, with bit 0 set.
    const link = page.$has('compound_head') ? page.$pointer('compound_head') : 0n;
    const head = (link & 1n) === 1n ? type.at(kernel.space, link - 1n) : page;
    const mapping = head.$pointer('mapping');
    const counted = head === page ? mapCount(page) : undefined;
    const mappings = counted === undefined ? {} : { mappings: counted };
    if ((mapping & MAPPING_FLAGS) === MAPPING_ANON) return { page, use: 'anonymous' as const, ...mappings };
    if (mapping === 0n || (mapping & MAPPING_FLAGS) !== 0n) return { page, use: 'other' as const };
    const space = kernel.at('address_space', mapping);
    const host = space.$get('host') as Inode | null;
    const path = host ? orElse(() => inodePath(kernel, host), undefined) : undefined;
    if (path === undefined) return { page, use: 'other' as const };
    const within = Number((page.$address - head.$address) / size);
    return { page, use: 'file' as const, path, offset: (Number(head.$get('index')) + within) * 4096, ...mappings };
  }, undefined);
}

/** page._mapcount is the number of mappings minus one; pages that are not mapped keep their type in its place, as a negative number. */
function mapCount(page: Struct): number | undefined {
  if (!page.$has('_mapcount')) return undefined;
  const count = page.$space.readU32(page.$addressOf('_mapcount')) | 0;
  return count < -1 ? undefined : count + 1;
}

/** Mappings that are looked at in one step: about a millisecond. */
const STEP = 512;

/** Every process that maps a page frame, in steps: the page tables of all of them are read through. */
export function* frameUsers(kernel: LinuxKernel, frame: number): Steps<FrameUser> {
  const end = kernel.profile.pointerSize === 8 ? 2 ** 44 : 0xc0000;
  let looked = 0;
  for (const task of processes(kernel)) {
    yield undefined;
    const mm = orElse(() => task.mm, null);
    if (!mm) continue;
    const space = orElse(() => kernel.spaceOfMm(mm, task.comm), undefined);
    for (const run of space?.leaves(0, end) ?? []) {
      if (++looked % STEP === 0) yield undefined;
      if (frame < run.frame || frame >= run.frame + run.pages) continue;
      yield { task, virtual: BigInt(run.page + frame - run.frame) << 12n, writable: (run.bits & 2) !== 0 };
    }
  }
}
