/** One of the things that may be chosen. */
export interface Choice<T> {
  /** what is shown, and searched */
  readonly name: string;
  readonly value: T;
  /** said below the list while it is the one that would be taken */
  readonly description?: string;
}

/** Asks the analyst. A console with a terminal has one; scripts and pipes have none. */
export interface Prompter {
  /**
   * Lets the analyst search and choose.
   * @returns the value of what was chosen; undefined where the analyst left it (Esc, Ctrl-C)
   */
  search<T>(message: string, choices: readonly Choice<T>[]): Promise<T | undefined>;
}
