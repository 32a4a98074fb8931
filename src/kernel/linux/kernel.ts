import { Absent } from '../../memory/absent.js';
import { createPagedSpace, type PagingKind } from '../../memory/paging/create.js';
import type { PagedSpace } from '../../memory/paging/paged.js';
import type { PhysicalSpace } from '../../memory/physical.js';
import type { AddressSpace } from '../../memory/space.js';
import type { Profile } from '../../symbols/profile.js';
import { type Kernel, ownSpace } from '../kernel.js';
import { ProfiledKernel } from '../profiled.js';
import type { MmStruct, TaskStruct } from './types.js';

/** Where a kernel was found: numbers that a second open of the same image takes from the cache. */
export interface LinuxLocation {
  readonly paging: PagingKind;
  /** physical address of the kernel's top page table (init_top_pgt, swapper_pg_dir) */
  readonly dtb: number;
  /** virtual minus physical address of the kernel image: one value for all of it (x86: __START_KERNEL_map - phys_base) */
  readonly imageDelta: bigint;
  /** virtual address of physical 0 in the direct map (x86-64: page_offset_base) */
  readonly pageOffset: bigint;
  /** virtual KASLR slide: _text minus the address it was linked at */
  readonly virtualSlide: bigint;
  /** physical KASLR slide */
  readonly physicalSlide: number;
}

/** A Linux kernel in an image. */
export class LinuxKernel extends ProfiledKernel implements Kernel {
  readonly os = 'linux';
  readonly space: PagedSpace;
  private readonly spaces = new Map<bigint, PagedSpace>();

  constructor(
    readonly physical: PhysicalSpace,
    readonly profile: Profile,
    readonly location: LinuxLocation,
    /** `Linux version 6.1.0-… #1 SMP …` without the line's end */
    readonly banner: string,
  ) {
    super();
    this.space = createPagedSpace(location.paging, physical, location.dtb, { name: 'kernel', os: 'linux' });
    ownSpace(this);
  }

  /** `6.1.0-56-cloud-amd64` */
  get release(): string {
    return /^Linux version (\S+)/.exec(this.banner)?.[1] ?? 'unknown release';
  }

  get description(): string {
    const { paging } = this.location;
    return `Linux ${this.release} (${paging === 'amd64-la57' ? 'amd64, five-level paging' : paging})`;
  }

  /** Physical address behind a direct-map or kernel-image address, through the page tables. */
  physicalOf(address: bigint): number {
    const physical = this.space.translate(address);
    if (physical === undefined) throw new Absent('unreadable', 'not mapped', address);
    return physical;
  }

  /** Physical address of a process's top page table. Throws Absent for a task without memory of its own. */
  dtbOf(mm: MmStruct): number {
    return this.physicalOf(mm.$pointer('pgd'));
  }

  /** The address space of a process; kernel threads have the kernel's. */
  spaceOf(task: TaskStruct): AddressSpace {
    const mm = task.mm;
    return mm ? this.spaceOfMm(mm, `${task.comm} (${task.tgid})`) : this.space;
  }

  spaceOfMm(mm: MmStruct, name: string): PagedSpace {
    const key = mm.$address;
    let space = this.spaces.get(key);
    if (!space) {
      space = createPagedSpace(this.location.paging, this.physical, this.dtbOf(mm), { name, os: 'linux' });
      this.spaces.set(key, space);
    }
    return space;
  }
}
