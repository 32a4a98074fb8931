/** What a session can be told: the global flags of the command line, the keys of `~/.rekallrc`, `smod`'s arguments. */
export interface Parameter {
  readonly type: 'string' | 'int' | 'bool' | 'choice' | 'list';
  readonly doc: string;
  readonly default?: unknown;
  readonly choices?: readonly string[];
  readonly short?: string;
  /** names it had in older releases */
  readonly aliases?: readonly string[];
  /** for int: the least value that makes sense */
  readonly least?: number;
  /** a file or folder of the analyst's: completed as one, and `~` is the home folder */
  readonly path?: boolean;
  /** said with one command, and of no meaning for a session */
  readonly command?: boolean;
  /** what of a session is found anew when it changes: the image and all that follows from it, or the kernel and what follows */
  readonly resets?: 'image' | 'kernel';
}

export const parameters = {
  filename: { type: 'string', short: 'f', path: true, resets: 'image', doc: 'the image to analyse' },
  profile: { type: 'string', short: 'p', path: true, resets: 'kernel', doc: 'a profile to use instead of what the image itself tells: a file (Rekall JSON, Volatility 3 ISF, PDB, vmlinux with DWARF; plain, gz or xz), or its name in a repository (Win7SP1x64, nt/GUID/...)' },
  repository_path: { type: 'list', aliases: ['profile_path'], path: true, resets: 'kernel', doc: 'where profiles are looked up, in order: folders, zip files, http(s) addresses; a folder called profiles beside the image comes last' },
  offline: { type: 'bool', default: false, resets: 'kernel', doc: 'ask no server: of repositories on the network only what is in the cache' },
  format: { type: 'choice', short: 'F', choices: ['text', 'wide', 'json', 'ndjson', 'csv', 'data', 'markdown', 'parquet', 'sqlite', 'duckdb'], default: 'text', doc: 'how rows are printed; parquet, sqlite and duckdb need a file (output, or > file)' },
  output: { type: 'string', path: true, doc: 'write rows to this file instead of standard output' },
  output_style: { type: 'choice', choices: ['concise', 'full'], default: 'concise', doc: 'full shows hidden columns too' },
  verbosity: { type: 'int', least: 0, default: 1, doc: 'above 1, hidden columns are shown, too' },
  verbose: { type: 'bool', short: 'v', default: false, doc: 'show each step of detection as it happens' },
  quiet: { type: 'bool', short: 'q', default: false, doc: 'print nothing but rows and errors' },
  debug: { type: 'bool', default: false, doc: 'show the stack of an unexpected error' },
  cache: { type: 'choice', choices: ['file', 'memory'], default: 'file', doc: 'where what a session learns is kept' },
  cache_dir: { type: 'string', path: true, default: '~/.rekall_cache', doc: 'folder of the cache' },
  home: { type: 'string', path: true, doc: 'the home folder, for the configuration and the cache' },
  highlighting_style: { type: 'choice', choices: ['terminal', 'monokai', 'none'], default: 'terminal', doc: "colours of code on screen: the terminal's own, a palette for dark backgrounds, or none" },
  colors: { type: 'choice', choices: ['auto', 'yes', 'no'], default: 'auto', doc: 'colours on the terminal' },
  pager: { type: 'string', doc: 'program that shows long output (default: $PAGER, or less)' },
  paging_limit: { type: 'int', least: 0, doc: 'rows from which output is paged (default: a screenful)' },
  timezone: { type: 'string', default: 'UTC', doc: 'time zone in which the text formats show times' },
  file_offset: { type: 'int', short: 'o', default: 0, least: 0, resets: 'image', doc: 'bytes to skip at the start of the image file' },
  dtb: { type: 'int', least: 0, resets: 'kernel', doc: "physical address of the kernel's page tables, instead of finding it" },
  kernel_slide: { type: 'int', resets: 'kernel', doc: 'virtual KASLR slide, instead of finding it' },
  autodetect: { type: 'list', resets: 'kernel', doc: 'detection methods to use, in order (default: pe, linux_index, rsds, windows_kernel_file, nt_index, eprocess_index)' },
  dump_dir: { type: 'string', short: 'D', default: '.', path: true, doc: 'folder that commands write files to' },
  as_query: { type: 'bool', default: false, command: true, doc: 'print the query that a command stands for, instead of running it' },
  as_code: { type: 'bool', default: false, command: true, doc: 'print the TypeScript that a command stands for, instead of running it' },
  session_name: { type: 'string', doc: "what the prompt and slist call the session (default: the image's file name)" },
  plugin_path: { type: 'list', aliases: ['plugin'], path: true, doc: 'your own plugins: files (.ts, .js, .mjs) and folders of them, loaded at the start' },
} as const satisfies Readonly<Record<string, Parameter>>;

export type ParameterName = keyof typeof parameters;

type ValueOf<P extends Parameter> = P['type'] extends 'int'
  ? number
  : P['type'] extends 'bool'
    ? boolean
    : P['type'] extends 'list'
      ? readonly string[]
      : string;

/** The values of the parameters that were set or have a default. */
export type ParameterValues = {
  -readonly [K in ParameterName]: (typeof parameters)[K] extends { default: unknown }
    ? ValueOf<(typeof parameters)[K]>
    : ValueOf<(typeof parameters)[K]> | undefined;
};

/** The name that a flag or configuration key stands for, `-` and `_` alike; undefined when there is none. */
export function parameterNamed(name: string): ParameterName | undefined {
  const wanted = name.replaceAll('-', '_');
  for (const [key, parameter] of Object.entries(parameters) as [ParameterName, Parameter][]) {
    if (key === wanted || parameter.aliases?.includes(wanted) === true) return key;
  }
  return undefined;
}

/** Every parameter at its default. */
export function defaults(): ParameterValues {
  const values: Record<string, unknown> = {};
  for (const [key, parameter] of Object.entries(parameters) as [string, Parameter][]) values[key] = parameter.default;
  return values as ParameterValues;
}
