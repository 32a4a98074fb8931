import type { Output } from '../render/sink.js';

/** Progress is shown for work that takes longer than this. */
const PATIENCE_MS = 500;
/** … and drawn so often. */
const REDRAW_MS = 100;
/** Cells of the bar. */
const BAR = 20;

/** A line on a terminal that says how far long work is; it is gone before anything else is written. */
export class ProgressLine {
  private since: number | undefined;
  private drawn: number | undefined;

  constructor(
    private readonly stream: Output,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /**
   * @param fraction 0 to 1; undefined where the end is not known
   * @param what what is being done
   */
  show(fraction: number | undefined, what = ''): void {
    if (this.stream.isTTY !== true) return;
    const now = this.clock();
    this.since ??= now;
    if (now - this.since < PATIENCE_MS || (this.drawn !== undefined && now - this.drawn < REDRAW_MS)) return;
    this.drawn = now;
    this.stream.write(`\r${fraction === undefined ? '' : bar(Math.max(0, Math.min(1, fraction)), now - this.since)}${what}\x1b[K`);
  }

  /** Takes the line away, for rows or at the end of the work. */
  clear(): void {
    if (this.drawn !== undefined) this.stream.write('\r\x1b[K');
    this.drawn = undefined;
    this.since = undefined;
  }
}

/** `████░░ 61 %  2 s left  ` */
function bar(fraction: number, elapsed: number): string {
  const full = Math.round(fraction * BAR);
  const left = fraction > 0.01 ? `  ${((elapsed / 1000) * (1 / fraction - 1)).toFixed(0)} s left` : '';
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${(fraction * 100).toFixed(0)} %${left}  `;
}
