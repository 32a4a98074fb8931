import type { Sink } from '../render/renderer.js';
import type { Output } from '../render/sink.js';
import type { ProgressLine } from './progress.js';

/** Output that goes through another program (a shell filter, a pager). */
export interface Filter extends Sink {
  /** Ends its input; resolves with the exit status when it has ended and all that it printed is out. */
  end(): Promise<number>;
}

/**
 * What the console is given of the world: it has no streams and starts no programs of its own, so that whole conversations run
 * inside of a test.
 */
export interface Host {
  /** rows */
  readonly output: Output;
  /** everything else */
  readonly error: Output;
  /** Starts a shell command that reads what is written to it and prints to `output`. */
  filter?(command: string): Filter;
  /** program for long output; undefined: none, or the output is no terminal */
  readonly pager?: string | undefined;
  /** What is in a folder, for completion; empty where it cannot be read. */
  files?(folder: string): readonly { readonly name: string; readonly folder: boolean }[];
  /** Where long work says how far it is. */
  readonly progress?: ProgressLine | undefined;
}
