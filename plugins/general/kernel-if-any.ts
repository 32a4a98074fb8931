import type { Kernel } from '../../src/kernel/kernel.js';
import { DetectionError } from '../../src/kernel/error.js';
import { ImageError } from '../../src/memory/image.js';
import { ProfileError } from '../../src/symbols/error.js';
import type { PluginContext } from '../../src/plugin/context.js';

/**
 * The kernel of the session's image for a command that works without one too: undefined where there is no image; where it cannot be
 * opened or holds no kernel, the reason becomes a note.
 */
export async function kernelIfAny(context: PluginContext): Promise<Kernel | undefined> {
  const { session } = context;
  if (session.parameters.filename === undefined) return undefined;
  try {
    return await session.kernel();
  } catch (error) {
    if (!(error instanceof DetectionError || error instanceof ImageError || error instanceof ProfileError)) throw error;
    context.note(error.message);
    return undefined;
  }
}

/** The context of a command that needs a kernel, made from that of one that does not. */
export function withKernel(context: PluginContext, kernel: Kernel): PluginContext {
  return {
    session: context.session,
    kernel,
    wants: (column) => context.wants(column),
    note: (text) => context.note(text),
    progress: (fraction, what) => context.progress(fraction, what),
    signal: context.signal,
  };
}
