/** Errors of the rooms below that whoever talks to the analyst reports in full. */
export { DetectionError } from '../kernel/error.js';
export type { TraceStep } from '../kernel/trace.js';
