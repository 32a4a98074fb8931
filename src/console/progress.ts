import type { Measure } from '../plugin/context.js';
import type { Output } from '../render/sink.js';

/** Progress is shown for work that takes longer than this. */
const PATIENCE_MS = 500;
/** … and drawn so often. */
const REDRAW_MS = 100;
/** Cells of the bar. */
const BAR = 20;
/** What goes round while the end is not known. */
const SPINNER = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
/** A rate is told from this much time on. */
const RATE_MS = 300;

/** A line on a terminal that says how far long work is; it is gone before anything else is written. */
export class ProgressLine {
  /** true while another program has the terminal */
  muted = false;
  /** since when there was nothing to see */
  private since: number | undefined;
  /** when the work was first heard of, and how much was done then */
  private start: { readonly at: number; readonly done: number } | undefined;
  private drawn: number | undefined;
  /** what was said last, for {@link tick} */
  private last:
    { readonly fraction: number | undefined; readonly what: string; readonly measure: Measure | undefined } | undefined;

  constructor(
    private readonly stream: Output,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /**
   * @param fraction 0 to 1; undefined where the end is not known
   * @param what what is being done
   * @param measure how much is done, for the rate
   */
  show(fraction: number | undefined, what = '', measure?: Measure): void {
    this.last = { fraction, what, measure };
    this.start ??= { at: this.clock(), done: measure?.done ?? 0 };
    this.draw();
  }

  /** Draws again: what takes long and says nothing still moves. @param what said where the work itself has said nothing */
  tick(what: string): void {
    this.last ??= { fraction: undefined, what, measure: undefined };
    this.start ??= { at: this.clock(), done: 0 };
    this.draw();
  }

  /** Takes the line away, for rows; the work goes on. */
  clear(): void {
    if (this.drawn !== undefined) this.stream.write('\r\x1b[K');
    this.drawn = undefined;
    this.since = undefined;
  }

  /** The work has ended. */
  finish(): void {
    this.clear();
    this.last = undefined;
    this.start = undefined;
  }

  private draw(): void {
    if (this.stream.isTTY !== true || this.muted) return;
    const now = this.clock();
    this.since ??= now;
    if (now - this.since < PATIENCE_MS || (this.drawn !== undefined && now - this.drawn < REDRAW_MS)) return;
    this.drawn = now;
    const width = this.stream.columns ?? 0;
    this.stream.write(`\r${cut(this.line(now), (width > 0 ? width : 80) - 1)}\x1b[K`);
  }

  /** `████░░ 61 %  1.1 GB/s  2 s left  what`, `⠋ 12 s  40,000 rows  3,300 rows/s  what` */
  private line(now: number): string {
    const { fraction, what = '', measure } = this.last ?? {};
    const elapsed = now - (this.start?.at ?? now);
    const parts: string[] = [];
    if (fraction === undefined) {
      parts.push(`${SPINNER[Math.floor(now / REDRAW_MS) % SPINNER.length] ?? ''} ${(elapsed / 1000).toFixed(0)} s`);
      if (measure) parts.push(amount(measure.done, measure.unit));
    } else parts.push(bar(Math.max(0, Math.min(1, fraction))));
    const rate = measure && elapsed >= RATE_MS ? (measure.done - (this.start?.done ?? 0)) / (elapsed / 1000) : 0;
    if (measure && rate > 0) parts.push(`${amount(rate, measure.unit)}/s`);
    if (fraction !== undefined && fraction > 0.01 && fraction < 1) {
      const left =
        measure?.total !== undefined && rate > 0
          ? (measure.total - measure.done) / rate
          : (elapsed / 1000) * (1 / fraction - 1);
      parts.push(`${Math.max(0, left).toFixed(0)} s left`);
    }
    if (what !== '') parts.push(what);
    return parts.join('  ');
  }
}

/** `████░░ 61 %` */
function bar(fraction: number): string {
  const full = Math.round(fraction * BAR);
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${(fraction * 100).toFixed(0)} %`;
}

/** `1.1 GB`, `40,000 rows` */
function amount(count: number, unit: string): string {
  if (unit !== 'bytes') return `${Math.round(count).toLocaleString('en')} ${unit}`;
  const power = Math.max(0, Math.min(4, Math.floor(Math.log10(Math.max(1, count)) / 3)));
  return `${(count / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${['B', 'kB', 'MB', 'GB', 'TB'][power] ?? ''}`;
}

/** The line must not wrap: it could not be taken away again. All that stands in it is one cell wide. */
function cut(text: string, cells: number): string {
  return text.length > cells ? `${text.slice(0, Math.max(0, cells - 1))}…` : text;
}
