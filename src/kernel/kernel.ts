import type { AddressSpace } from '../memory/space.js';
import type { PagedSpace } from '../memory/paging/paged.js';
import type { PhysicalSpace } from '../memory/physical.js';
import type { Profile } from '../symbols/profile.js';

/** A kernel that was found in an image: what all operating systems have in common. */
export interface Kernel {
  /** `program`: no kernel, but a program's file in its place */
  readonly os: 'linux' | 'windows' | 'darwin' | 'program';
  readonly physical: PhysicalSpace;
  /** The kernel's own address space. */
  readonly space: PagedSpace;
  readonly profile: Profile;
  /** The banner or build string that identifies it. */
  readonly banner: string;
  /** One line for the console's greeting: `Linux 6.1.0-56-cloud-amd64 x86_64, 4-level paging`. */
  readonly description: string;
  /** What stands in front of `!` for its names, where that is not its system's kernel. */
  readonly moduleName?: string;
  /** Where its image lies, from its header to one past its last byte, when its symbols do not tell it. */
  readonly extent?: { readonly start: bigint; readonly end: bigint };
}

const kernels = new WeakMap<AddressSpace, Kernel>();

/** Remembers whose address space a kernel's is. Each kernel does so when it is made. */
export function ownSpace(kernel: Kernel): void {
  kernels.set(kernel.space, kernel);
}

/** The kernel whose own address space this is: an object of it leads so to its kernel, whichever session's that is. */
export function kernelOf(space: AddressSpace): Kernel | undefined {
  return kernels.get(space);
}
