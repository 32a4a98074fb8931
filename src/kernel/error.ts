import type { TraceStep } from './trace.js';

/** No kernel could be found in an image: each step that was tried, and the next command to try. */
export class DetectionError extends Error {
  override readonly name = 'DetectionError';

  constructor(
    message: string,
    readonly next: string,
    readonly steps: readonly TraceStep[] = [],
  ) {
    super(message);
  }
}
