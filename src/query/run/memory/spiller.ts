import type { RunContext } from '../context.js';
import type { StepStatistics } from '../step.js';
import type { Slot, Tuple } from '../tuple.js';
import type { Key } from '../../values/key.js';
import { SpillFile } from './spill-file.js';

/** Parts that rows are divided into when there are too many to be kept. */
const PARTS = 16;
/** Times that a part is divided again. What is still too large then has one key, and dividing it is no use. */
export const DEEPEST_DIVISION = 6;

/** A temporary file of a run; it is closed with the run at the latest. */
export function spillFile(context: RunContext, slots: readonly Slot[], statistics: StepStatistics): SpillFile {
  const file = new SpillFile(context.codec, slots, (bytes) => {
    statistics.spilled += bytes;
  });
  context.atEnd(file);
  return file;
}

/** Rows in files by the hash of their keys: those with the same key are in the same one. */
export class Division {
  private readonly files: (SpillFile | undefined)[] = Array.from({ length: PARTS }, () => undefined);

  constructor(
    private readonly context: RunContext,
    private readonly slots: readonly Slot[],
    private readonly statistics: StepStatistics,
    private readonly level: number,
  ) {}

  add(key: Key, tuple: Tuple): void {
    const part = hashOf(key, this.level) % PARTS;
    (this.files[part] ??= spillFile(this.context, this.slots, this.statistics)).write(tuple);
  }

  /** One file for each part, undefined where it is empty. */
  get parts(): readonly (SpillFile | undefined)[] {
    return this.files;
  }
}

/** The tuples of a file; it is closed when they are read. */
export async function* consumed(file: SpillFile | undefined, context: RunContext): AsyncGenerator<readonly Tuple[], void, undefined> {
  if (!file) return;
  try {
    for (const tuples of file.read()) {
      yield tuples;
      if (context.due) await context.breathe();
    }
  } finally {
    context.closed(file);
  }
}

/** FNV-1a with the level as seed, so that what fell together on one level is told apart on the next. */
function hashOf(key: Key, level: number): number {
  const text = typeof key === 'string' ? key : String(key);
  let hash = 0x811c9dc5 ^ Math.imul(level + 1, 0x9e3779b1);
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
