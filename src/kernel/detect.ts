import type { PhysicalSpace } from '../memory/physical.js';
import { DetectionError } from './error.js';
import type { Kernel } from './kernel.js';
import { detectLinux } from './linux/detect.js';
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
  /** physical address of the kernel's page tables, stated by the analyst */
  readonly dtb?: number | undefined;
  /** virtual KASLR slide, stated by the analyst */
  readonly slide?: bigint | undefined;
}

/** Finds the kernel in an image. Throws DetectionError with every step that was tried. */
export async function detectKernel(physical: PhysicalSpace, options: DetectionOptions): Promise<Kernel> {
  const linux = await detectLinux(physical, options);
  if (linux) return linux;
  throw new DetectionError(
    `No kernel was found in this image (${physical.image.format}, up to 0x${physical.end.toString(16)}).`,
    'why',
    options.trace.steps,
  );
}
