/** What a command line says, before anybody knows which arguments the command has. Positions are UTF-16 offsets in the line. */

export interface Place {
  readonly start: number;
  /** one past the last character */
  readonly end: number;
}

/** A value as typed. */
export interface Value extends Place {
  /** its text, without quotes and with escapes replaced; of a list the text as typed */
  readonly text: string;
  /** true where all of it stood in quotes: then it is no flag, no list, no number with commas */
  readonly quoted: boolean;
  /** the elements of a list: `1,2` or `[1, 2]` */
  readonly items?: readonly Value[];
}

/** `value`, or `name=value`. Flags (`--name`, `-n`) are words here: what follows them depends on the command. */
export type Argument =
  | ({ readonly kind: 'word'; readonly value: Value } & Place)
  | ({ readonly kind: 'named'; readonly name: string; readonly value: Value } & Place);

export interface Command extends Place {
  readonly kind: 'command';
  readonly name: string;
  /** place of the name */
  readonly at: Place;
  readonly args: readonly Argument[];
  readonly redirect?: Redirect;
  /** `| filter`: the text after the bar, for a shell */
  readonly filter?: string;
}

/** `name?` (1) or `name??` (2); without a name the overview. */
export interface Help extends Place {
  readonly kind: 'help';
  readonly name?: string;
  readonly level: 1 | 2;
}

/** Where the rows of a statement go: `> file` or `>> file`. */
export interface Redirect {
  readonly path: Value;
  readonly append: boolean;
}

/** Text for the query engine. */
export interface Query extends Place {
  readonly kind: 'query';
  /** from `start` on, without what stands behind it */
  readonly text: string;
  readonly redirect?: Redirect;
  /** `| filter`: the text after the bar, for a shell */
  readonly filter?: string;
}

/** Text for the JavaScript engine: from `start` to the end of the line. */
export interface JavaScript extends Place {
  readonly kind: 'javascript';
  readonly text: string;
}

export type Statement = Command | Help | Query | JavaScript;

/** A line that cannot be read, with the place of the mistake. */
export class LineError extends Error {
  override readonly name = 'LineError';

  constructor(
    message: string,
    readonly place: Place,
    /** true where more text may make it right: a quote that is still open */
    readonly incomplete = false,
  ) {
    super(message);
  }
}
