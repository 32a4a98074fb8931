import type { Steps } from '../../../../memory/breathe.js';
import { breathing } from '../../../../memory/breathe.js';
import type { PagedSpace } from '../../../../memory/paging/paged.js';
import type { PhysicalSpace } from '../../../../memory/physical.js';
import { LoadedPe } from '../../../../symbols/pe/loaded.js';
import type { DetectionOptions } from '../../../detect.js';
import type { ImageSigns } from '../base.js';
import { rootsOfHeader, rootSpace, sharedVersion, type WindowsRoot } from '../dtb.js';
import { mappedKernels } from '../../system/kernel-images.js';
import { rootsOfLowStub } from '../low-stub.js';
import { rootsOfProcessors } from '../processor-roots.js';
import { rootsThatNameThemselves } from '../self-roots.js';

/** A kernel that may be in the image: what a method knows of it. */
export interface KernelGuess extends ImageSigns {
  /** GUID and age of its PDB, or '' where the method does not know them */
  readonly guid: string;
  /** name of its PDB, or '' */
  readonly pdb: string;
  /** names that its profile may have in repositories, likeliest first */
  readonly names: readonly string[];
  /** the image does not name it: it is one of several that an index leads to */
  readonly presumed?: boolean;
  /** page tables that led to it: no others are tried */
  readonly roots?: readonly WindowsRoot[];
}

/** A way to find out which kernel an image is of. */
export type DetectionMethod = (search: Search) => AsyncGenerator<KernelGuess>;

/** A kernel's image in page tables. */
export interface MappedKernel {
  readonly root: WindowsRoot;
  readonly space: PagedSpace;
  readonly pe: LoadedPe;
}

/** Names that the profile of a PDB may have: in Rekall's repository, in a symbol store of Volatility 3, in one of PDBs. */
export function profileNames({ guid, age, pdb }: { readonly guid: string; readonly age: number; readonly pdb: string }): string[] {
  const key = `${guid}${age.toString(16).toUpperCase()}`;
  return [`nt/GUID/${key}`, `GUID/${key}`, `${pdb}/${guid}-${age}`, `${pdb}/${key}/${pdb}`];
}

/** What the methods share of one image: searches through all of it are made once. */
export class Search {
  private blind: Promise<WindowsRoot[]> | undefined;
  private mapped: Promise<MappedKernel[]> | undefined;
  private readonly headers: bigint[] = [];

  constructor(
    readonly physical: PhysicalSpace,
    readonly options: DetectionOptions,
  ) {}

  /** What a search finds, with turns for Ctrl-C in between. */
  run<T>(steps: Steps<T>): AsyncGenerator<T> {
    return breathing(steps, this.options.signal);
  }

  /** Page tables that can be found without a profile, the surest first; of the methods after the dump's header the first that finds any. */
  roots(): Promise<WindowsRoot[]> {
    return (this.blind ??= this.findRoots());
  }

  /** Kernels by their headers in those page tables. */
  kernels(): Promise<MappedKernel[]> {
    return (this.mapped ??= this.findKernels());
  }

  /**
   * Virtual addresses of kernels' headers in page tables. All processes have the same kernel's half: what was found in one's tables is what stands in another's.
   */
  async headersIn(space: PagedSpace): Promise<readonly bigint[]> {
    if (this.headers.length === 0) for await (const pe of this.run(mappedKernels(space))) this.headers.push(pe.base);
    return this.headers;
  }

  /** True where page tables of Windows were found in looking without a profile. */
  async hasWindows(): Promise<boolean> {
    return this.blind !== undefined && (await this.blind).length > 0;
  }

  private async findRoots(): Promise<WindowsRoot[]> {
    const { physical, options } = this;
    const found: WindowsRoot[] = [];
    if (options.dtb !== undefined) {
      for (const paging of ['amd64', 'i386-pae', 'i386'] as const) found.push({ dtb: options.dtb, paging, method: 'stated' });
      return found.filter((root) => sharedVersion(rootSpace(physical, root)));
    }
    for (const root of rootsOfHeader(physical)) if (sharedVersion(rootSpace(physical, root))) found.push(root);
    for (const steps of [
      () => rootsOfLowStub(physical),
      () => rootsOfProcessors(physical, 64),
      () => rootsOfProcessors(physical, 32),
      () => rootsThatNameThemselves(physical, 64),
      () => rootsThatNameThemselves(physical, 32),
    ]) {
      if (found.length > 0) break;
      for await (const root of this.run(steps())) {
        found.push(root);
        options.trace.add('page tables', `${root.method}, ${root.paging}`, `0x${root.dtb.toString(16)}: maps Windows's shared data`);
        // All processes have the same kernel: one is enough, and a second for the case that its tables are torn.
        if (found.length >= 2) break;
      }
    }
    return found;
  }

  private async findKernels(): Promise<MappedKernel[]> {
    const found: MappedKernel[] = [];
    for (const root of await this.roots()) {
      const space = rootSpace(this.physical, root);
      for (const base of await this.headersIn(space)) {
        const pe = LoadedPe.at(space, base);
        if (pe) found.push({ root, space, pe });
      }
      if (found.length > 0) break;
    }
    return found;
  }
}
