import type { Sink } from '../render/renderer.js';
import type { Output } from '../render/sink.js';
import { StreamSink } from '../render/sink.js';
import type { Filter } from './host.js';

/** Rows of a command that takes long are shown as they come, after so many milliseconds. */
const PATIENCE_MS = 400;
/** Exit status of a shell whose command is not there. */
const NOT_FOUND = 127;

/** Shows what fits the screen as it is, and starts the pager with all of it when it grows longer. */
export class PagedSink implements Sink {
  readonly width: number | undefined;
  private readonly direct: StreamSink;
  private readonly start = performance.now();
  private text = '';
  private lines = 0;
  /** characters of the text that stand on the terminal */
  private shown = 0;
  private pager: Filter | undefined;

  /** @param limit lines from which the pager is started */
  constructor(
    output: Output,
    private readonly limit: number,
    private readonly startPager: () => Filter,
  ) {
    this.direct = new StreamSink(output);
    this.width = this.direct.width;
  }

  async write(text: string): Promise<void> {
    if (this.pager) return this.pager.write(text);
    this.text += text;
    this.lines += text.split('\n').length - 1;
    if (this.lines > this.limit) {
      this.pager = this.startPager();
      return this.pager.write(this.text);
    }
    if (performance.now() - this.start > PATIENCE_MS) await this.show();
  }

  /** To be called when all is written; returns when the analyst has left the pager. */
  async end(): Promise<void> {
    const status = await this.pager?.end();
    if (status === undefined || status === NOT_FOUND) await this.show();
  }

  private async show(): Promise<void> {
    const rest = this.text.slice(this.shown);
    this.shown = this.text.length;
    await this.direct.write(rest);
  }
}
