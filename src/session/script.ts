/** What came of one statement of a script. */
export interface ScriptStep {
  /** line of the script on which it begins, from 1 */
  readonly line: number;
  readonly statement: string;
  readonly outcome: 'done' | 'failed' | 'quit';
}

export interface ScriptOptions {
  readonly signal?: AbortSignal;
  /** all of it is one program in JavaScript, not statements */
  readonly javascript?: boolean;
}

/** Runs statements as if they were typed: commands, queries, JavaScript. A console is one; what it shows goes where the console's goes. */
export interface ScriptRunner {
  /** Runs them one after another, as long as steps are asked for. */
  script(text: string, options?: ScriptOptions): AsyncGenerator<ScriptStep>;
}
