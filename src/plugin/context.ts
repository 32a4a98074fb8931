import type { Session } from '../session/session.js';
import type { Kernel } from '../kernel/kernel.js';
import type { LinuxKernel } from '../kernel/linux/kernel.js';
import { PluginError } from './error.js';

export type { Kernel } from '../kernel/kernel.js';

/** How much of long work is done: the console shows the rate and the time left. */
export interface Measure {
  readonly done: number;
  /** undefined where the end is not known */
  readonly total?: number;
  /** `bytes`, `rows`, `pages` … */
  readonly unit: string;
}

/** Told how far long work is: 0 to 1 or undefined where the end is not known; what is being done; how much of it. */
export type OnProgress = (fraction: number | undefined, what?: string, measure?: Measure) => void;

/** What a running plugin is given besides its arguments. */
export interface PluginContext {
  readonly session: Session;
  /** The kernel of the image; throws where the plugin's `needs` did not ask for one. */
  readonly kernel: Kernel;
  /** Columns that somebody will look at; a plugin may skip work for others. */
  wants(column: string): boolean;
  /** Says something beside the table, once: an empty table never comes without a note. */
  note(text: string): void;
  /**
   * Reports progress of long work: 0 to 1, or undefined when the end is not known; better how much is done of how much
   * (`{ done: 4096, total: size, unit: 'bytes' }`), so that rate and time left are shown. Cheap enough to be called often.
   */
  progress(how: number | undefined | Measure, what?: string): void;
  /** Aborted when the analyst stops the command. Generators are stopped by the runner; long loops between rows check it. */
  readonly signal: AbortSignal;
}

/** The kernel of a plugin that needs Linux. */
export function linuxOf(context: PluginContext): LinuxKernel {
  const kernel = context.kernel;
  if (kernel.os !== 'linux') throw new PluginError(`this command reads Linux kernels; this one is ${kernel.os}`);
  return kernel as LinuxKernel;
}
