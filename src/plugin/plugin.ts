import type { Args, ArgsOf } from './args.js';
import type { Columns, RowOf } from './columns.js';
import type { PluginContext } from './context.js';

export type OperatingSystem = 'linux' | 'windows' | 'darwin' | 'program';

/** A command line that help shows with its real output, and that a test runs on the sample. */
export interface Example {
  readonly line: string;
  readonly doc?: string;
}

/**
 * A command: one declaration from which parsing, completion, help, `describe`, documentation and the query engine
 * all come.
 */
export interface Plugin<A extends Args = Args, C extends Columns = Columns> {
  /** as typed: `pslist`; lower case, words joined by `_` */
  readonly name: string;
  /** which kernels it reads; `image`: any image, no kernel needed; `none`: not even an image */
  readonly needs: readonly OperatingSystem[] | 'kernel' | 'image' | 'none';
  /** one sentence */
  readonly summary: string;
  /** for `command??`: the algorithm, its sources, its limits */
  readonly notes?: string;
  readonly args: A;
  readonly columns: C;
  /** the columns depend on the arguments: see {@link columnsFor} */
  readonly dynamic?: true;
  readonly examples: readonly [Example, ...Example[]];
  /** other names it answers to */
  readonly aliases?: readonly string[];
  /** What it does is shown as it goes: its rows are for `_`, queries and code only. */
  readonly silent?: boolean;
  /** topic for `help`: `processes`, `network`, `files`, `kernel`, `memory`, `profile`, `session` */
  readonly topic: string;
  /** why it cannot run on this kernel (`needs module_kset, which this kernel does not have`), or undefined */
  applies?(context: PluginContext): string | undefined;
  /** The columns that these arguments give, where the plugin is `dynamic`; asked before the rows, once for each run. */
  columnsFor?(context: PluginContext, args: ArgsOf<A>): Promise<Columns>;
  /** The rows, lazily. Cells may be functions, see {@link RowOf}. */
  collect(context: PluginContext, args: ArgsOf<A>): Iterable<RowOf<C>> | AsyncIterable<RowOf<C>>;
}

/** Declares a plugin; the types of its arguments and rows follow from the declaration. */
export function definePlugin<const A extends Args, const C extends Columns>(plugin: Plugin<A, C>): Plugin {
  return plugin as unknown as Plugin;
}
