/** A command that cannot do what it was asked: what is wrong and the next command to try, in one or two sentences. */
export class PluginError extends Error {
  override readonly name = 'PluginError';

  constructor(
    message: string,
    /** the next command to try, as typed */
    readonly next?: string,
  ) {
    super(message);
  }
}

/** A command line that does not say what it should: wrong name, type or value; with the place of the mistake. */
export class UsageError extends Error {
  override readonly name = 'UsageError';

  constructor(
    message: string,
    /** the line that was typed, and the range of the mistake in it (characters) */
    readonly place?: { readonly line: string; readonly start: number; readonly end: number },
    /** the next command to try, as typed */
    readonly next?: string,
  ) {
    super(message);
  }
}
