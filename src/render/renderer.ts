import type { Columns, Row } from '../plugin/columns.js';

/** What a renderer is told about the whole. */
export interface RenderOptions {
  /** cells of the terminal that the text goes to; undefined for a file or pipe: nothing is cut */
  readonly terminalWidth?: number | undefined;
  /** hidden columns are shown too */
  readonly full?: boolean;
  readonly timezone?: string;
  /** escape sequences for colours may be used */
  readonly colors?: boolean;
}

/** Writes a table: `begin` once, `rows` for each batch, `end` once (also when the command was stopped). */
export interface Renderer {
  begin(columns: Columns): void;
  rows(batch: readonly Row[]): void;
  end(): void;
}

export type Write = (text: string) => void;
