/** What each argument type is in the plugin's hands. */
export interface ArgValues {
  int: number;
  /** 64-bit: a number, hex, a symbol name or expression, resolved */
  address: bigint;
  string: string;
  bool: boolean;
  /** case ignored, unanchored, as Rekall has it */
  regex: RegExp;
  ints: readonly number[];
  addresses: readonly bigint[];
  strings: readonly string[];
  choice: string;
  choices: readonly string[];
  /** a path of the analyst's file system */
  path: string;
}

export type ArgType = keyof ArgValues;

/**
 * What a value is a name of: a running process by id or by name, a symbol or address expression, a struct (or a member of one:
 * `task_struct.mm`), the offset of a member, a command, a path, a module, a session, an address space, a parameter of the session,
 * a topic of the help.
 */
export type Completes = 'pid' | 'process' | 'symbol' | 'struct' | 'member' | 'plugin' | 'path' | 'module' | 'session' | 'space' | 'object_type' | 'parameter' | 'topic';

/** Which conditions an argument stands for. */
export interface Narrowing {
  /**
   * `equality`: a column is (one of) the argument's values; `match`: its text matches the regular expression; `from`, `to`: it is not
   * below, not above the argument
   */
  readonly by: 'equality' | 'match' | 'from' | 'to';
  /** columns, and members of struct columns (`proc.pid`); those that the command does not have do no harm */
  readonly columns: readonly string[];
}

/** One argument of a plugin. */
export interface Arg<T extends ArgType = ArgType, R extends boolean = boolean> {
  readonly type: T;
  /** one sentence */
  readonly doc: string;
  readonly required: R;
  readonly default?: ArgValues[T];
  /** may be given without its name, in the order of declaration; a list takes all words that remain */
  readonly positional?: boolean;
  /** for choice and choices */
  readonly choices?: readonly string[];
  /** one letter for the command line: `-D` */
  readonly short?: string;
  /**
   * Conditions of a query for which this argument stands: `where pid == 4` then runs the command with `pids: 4`. It must leave out no
   * row of which the condition is true, and change none; rows too many do no harm, the condition is looked at again.
   */
  readonly narrows?: Narrowing;
  /** what to offer on TAB, beyond what the type says */
  readonly completes?: Completes;
  /** for int: the range of its values, both ends included */
  readonly least?: number;
  readonly most?: number;
}

export type Args = Readonly<Record<string, Arg>>;

type Options<T extends ArgType> = Omit<Arg<T>, 'type' | 'doc' | 'required'>;
interface Constructor<T extends ArgType> {
  /** an argument that may be left out; with `default` it always has a value */
  <O extends Options<T>>(doc: string, options?: O): Arg<T, O extends { default: ArgValues[T] } ? true : false>;
  /** an argument without which the command makes no sense */
  required(doc: string, options?: Options<T>): Arg<T, true>;
}

function constructor<T extends ArgType>(type: T): Constructor<T> {
  const make = (doc: string, options?: Options<T>): Arg<T> => ({ type, doc, required: false, ...options });
  return Object.assign(make, {
    required: (doc: string, options?: Options<T>): Arg<T, true> => ({ type, doc, required: true, ...options }),
  }) as Constructor<T>;
}

/** Argument constructors: `arg.ints('only these', { positional: true })`. */
export const arg = {
  int: constructor('int'),
  address: constructor('address'),
  string: constructor('string'),
  bool: constructor('bool'),
  regex: constructor('regex'),
  ints: constructor('ints'),
  addresses: constructor('addresses'),
  strings: constructor('strings'),
  choice: constructor('choice'),
  choices: constructor('choices'),
  path: constructor('path'),
  /** the name of an address space: `K`, `P`, `pid@N` (src/session/spaces.ts reads it) */
  space: (doc = 'where', options: Options<'string'> = {}): Arg<'string', false> => ({
    type: 'string',
    doc: `${doc}: K (kernel), P (physical), pid@N, amd64@DTB; by default the process context, or the kernel`,
    required: false,
    completes: 'space',
    ...options,
  }),
};

/** The argument that names the space which a command works in. */
export function spaceArgument(args: Args): string | undefined {
  return Object.entries(args).find(([, arg]) => arg.completes === 'space')?.[0];
}

/**
 * The space in which the names among a command's arguments are meant: the one that they name, or that of the one process that they name.
 * @param given what was given for an argument, as texts
 */
export function spaceGiven(args: Args, given: (argument: string) => readonly string[] | undefined): string | undefined {
  const space = spaceArgument(args);
  const named = space === undefined ? undefined : given(space)?.at(-1);
  if (named !== undefined) return named;
  const ids = Object.entries(args).find(([, { completes, type }]) => completes === 'pid' && type === 'ints')?.[0];
  const [only, ...more] = (ids === undefined ? undefined : given(ids)) ?? [];
  return only !== undefined && more.length === 0 && /^\d+$/.test(only) ? `pid@${only}` : undefined;
}

/** The values a plugin gets: present where required or defaulted, otherwise perhaps undefined. */
export type ArgsOf<A extends Args> = {
  readonly [K in keyof A]: A[K] extends Arg<infer T, infer R> ? (R extends true ? ArgValues[T] : ArgValues[T] | undefined) : never;
};
