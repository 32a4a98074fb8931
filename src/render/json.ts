import type { Row } from '../plugin/columns.js';
import { jsonObject } from './json-value.js';
import type { Renderer, Sink, Table } from './renderer.js';

/** `json`: one array of objects keyed by column name, a row a line; `ndjson`: one object a line. Rows are written as they come. */
export class JsonRenderer implements Renderer {
  readonly shown: readonly string[];
  private first = true;

  constructor(
    table: Table,
    private readonly sink: Sink,
    private readonly lines: boolean,
  ) {
    this.shown = Object.keys(table.columns);
  }

  async begin(): Promise<void> {
    if (!this.lines) await this.sink.write('[');
  }

  async rows(batch: readonly Row[]): Promise<void> {
    let text = '';
    for (const row of batch) {
      const object = jsonObject(this.shown.map((name) => [name, row[name] ?? null] as const));
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
