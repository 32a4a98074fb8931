import type { Row } from '../plugin/columns.js';
import { jsonObject } from './json-value.js';
import { paintFor } from './paint.js';
import type { Renderer, Sink, Table } from './renderer.js';

/** `json`: one array of objects keyed by column name, a row a line; `ndjson`: one object a line. Rows are written as they come. */
export class JsonRenderer implements Renderer {
  readonly shown: readonly string[];
  private first = true;

  constructor(
    table: Table,
    private readonly sink: Sink,
    private readonly lines: boolean,
    private readonly colors = false,
  ) {
    this.shown = Object.keys(table.columns);
  }

  async begin(): Promise<void> {
    if (!this.lines) await this.sink.write('[');
  }

  async rows(batch: readonly Row[]): Promise<void> {
    let text = '';
    for (const row of batch) {
      const plain = jsonObject(this.shown.map((name) => [name, row[name] ?? null] as const));
      const object = this.colors ? paintJson(plain) : plain;
      if (this.lines) text += `${object}\n`;
      else text += `${this.first ? '\n' : ',\n'}${object}`;
      this.first = false;
    }
    await this.sink.write(text);
  }

  async end(): Promise<void> {
    if (!this.lines) await this.sink.write(this.first ? ']\n' : '\n]\n');
  }
}

const TOKENS = /"(?:[^"\\]|\\.)*"(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\b(?:true|false|null)\b/g;

/**
 * JSON with colours. In one pass of its own: the highlighter for code takes 10 ms for a row, and more than twice as much for two; tables
 * have thousands.
 */
function paintJson(text: string): string {
  const { cyan, green, yellow, dim } = paintFor(true);
  return text.replace(TOKENS, (token, colon: string | undefined) => {
    if (colon !== undefined) return cyan(token.slice(0, -colon.length)) + colon;
    if (token.startsWith('"')) return green(token);
    return token === 'null' ? dim(token) : yellow(token);
  });
}
