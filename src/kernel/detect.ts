import type { PhysicalSpace } from '../memory/physical.js';
import { DetectionError } from './error.js';
import type { Kernel } from './kernel.js';
import { otherSystem } from './other.js';
import type { ProfileRepository } from '../symbols/repository/repository.js';
import type { AnswerStore } from '../symbols/remembered.js';
import { type Method, METHODS } from './methods.js';
import type { Trace } from './trace.js';
import type { WindowsDetection } from './windows/find/detect.js';

/** Where detection keeps what it found, for the next time. */
export type DetectionCache = AnswerStore;

/** Where it keeps what the kernel's profile was asked. */
export const ANSWERS_KEY = 'answers';

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
  /** methods to use, in order (see {@link METHODS}); undefined: all */
  readonly methods?: readonly Method[] | undefined;
  /** stops the search, which then throws the signal's reason */
  readonly signal?: AbortSignal | undefined;
}

/** All methods: what reads the whole image for Linux comes after the debug records of Windows, which are found ten times as fast. */
const DEFAULT_STEPS: readonly (Method | 'linux quickly')[] = ['pe', 'linux quickly', 'rsds', 'linux_index', 'windows_kernel_file', 'nt_index', 'eprocess_index'];

/** Where the cache has what was learnt of a Windows kernel. */
export const WINDOWS_KEY = 'windows';

/** Loaded when the image is not Linux. */
async function windowsDetection(physical: PhysicalSpace, options: DetectionOptions): Promise<WindowsDetection> {
  const { WindowsDetection: Detection } = await import('./windows/find/detect.js');
  return new Detection(physical, options);
}

/** Finds the kernel in an image. Throws DetectionError with every step that was tried. */
export async function detectKernel(physical: PhysicalSpace, options: DetectionOptions): Promise<Kernel> {
  const methods = options.methods ?? (Object.keys(METHODS) as Method[]);
  const steps = options.methods ?? DEFAULT_STEPS;
  let windows: WindowsDetection | undefined;
  // An image of which a Windows kernel is known is not searched for Linux first.
  if (options.cache.get(WINDOWS_KEY) !== undefined) {
    windows = await windowsDetection(physical, options);
    const known = await windows.known();
    if (known) return known;
  }
  for (const method of steps) {
    if (method === 'pe') {
      if (!physical.hints.program) continue;
      return (await import('./program/detect.js')).detectProgram(physical, options);
    }
    if (method === 'linux_index' || method === 'linux quickly') {
      const linux = await (await import('./linux/detect.js')).detectLinux(physical, options, method === 'linux quickly');
      if (linux) return linux;
      continue;
    }
    if (!windows) {
      windows = await windowsDetection(physical, options);
      const known = await windows.known();
      if (known) return known;
    }
    const kernel = await windows.by(method);
    if (kernel) return kernel;
  }
  const last = await windows?.last();
  if (last) return last;
  const other = await otherSystem(physical, options.signal);
  const what = other === undefined ? 'No kernel was found in this image' : `This looks like an image of ${other}, and no kernel that can be read is in it`;
  options.trace.add('kernel', 'signs of other systems', other ?? 'none', 'note');
  const left = Object.keys(METHODS).filter((method) => !methods.includes(method as Method));
  const untried = left.length === 0 ? '' : ` Not tried (--autodetect): ${left.join(', ')}.`;
  throw new DetectionError(
    `${what} (${physical.image.format}, up to 0x${physical.end.toString(16)}). Linux and Windows on amd64 and i386 are what this release reads.${untried}`,
    'rekall -v -f IMAGE why',
    options.trace.steps,
  );
}
