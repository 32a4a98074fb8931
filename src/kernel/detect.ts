import type { PhysicalSpace } from '../memory/physical.js';
import { DetectionError } from './error.js';
import type { Kernel } from './kernel.js';
import { detectLinux } from './linux/detect.js';
import { otherSystem } from './other.js';
import type { ProfileRepository } from '../symbols/repository/repository.js';
import type { Trace } from './trace.js';

/** Where detection keeps what it found, for the next time. */
export interface DetectionCache {
  get(key: string): unknown;
  set(key: string, value: unknown): void;
}

export interface DetectionOptions {
  readonly trace: Trace;
  readonly cache: DetectionCache;
  /** path of a profile to use */
  readonly profile?: string | undefined;
  /** name of a profile to use, in the repositories */
  readonly profileName?: string | undefined;
  /** folders in which a profile is looked for when the kernel carries no types */
  readonly repositories?: readonly string[];
  /** the same and all others (zip files, addresses), asked by name */
  readonly repository?: () => Promise<ProfileRepository>;
  /** physical address of the kernel's page tables, stated by the analyst */
  readonly dtb?: number | undefined;
  /** virtual KASLR slide, stated by the analyst */
  readonly slide?: bigint | undefined;
  /** stops the search, which then throws the signal's reason */
  readonly signal?: AbortSignal | undefined;
}

/** Finds the kernel in an image. Throws DetectionError with every step that was tried. */
export async function detectKernel(physical: PhysicalSpace, options: DetectionOptions): Promise<Kernel> {
  const linux = await detectLinux(physical, options);
  if (linux) return linux;
  // Loaded when the image is not Linux.
  const windows = await (await import('./windows/detect.js')).detectWindows(physical, options);
  if (windows) return windows;
  const other = await otherSystem(physical, options.signal);
  const what = other === undefined ? 'No kernel was found in this image' : `This looks like an image of ${other}, and no kernel that can be read is in it`;
  options.trace.add('kernel', 'signs of other systems', other ?? 'none', 'note');
  throw new DetectionError(
    `${what} (${physical.image.format}, up to 0x${physical.end.toString(16)}). Linux and Windows on amd64 and i386 are what this release reads.`,
    'rekall -v -f IMAGE why',
    options.trace.steps,
  );
}
