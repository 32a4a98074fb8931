import { Absent } from '../memory/absent.js';
import { UsageError } from '../plugin/error.js';
import { userPlace } from '../plugin/user/place.js';
import { escapeText } from '../render/escape.js';
import { eachLine, type Paint } from '../render/paint.js';
import { type Output, terminalWidth } from '../render/sink.js';
import { loadWidths, needsWidths } from '../render/width.js';
import { wrapLines } from '../render/wrap.js';
import { DetectionError, type TraceStep } from '../session/errors.js';

/** Classes that JavaScript itself throws: their appearance is a mistake in this program, not in what was asked of it. */
const UNEXPECTED = new Set(['Error', 'TypeError', 'RangeError', 'ReferenceError', 'SyntaxError', 'EvalError', 'URIError', 'AssertionError']);

/** Exit status of the program for an error: 2 wrong usage, 1 the command failed. */
export function exitStatus(error: unknown): 1 | 2 {
  return error instanceof UsageError ? 2 : 1;
}

/** How an error is written. */
export interface ErrorStyle {
  /** with the stack */
  readonly debug?: boolean;
  /** what is wrong in red, what to type next in the colour of commands */
  readonly paint?: Paint;
  /** cells of the terminal; undefined: none, each sentence is one line */
  readonly width?: number | undefined;
}

/**
 * What an error says to the analyst: what is wrong, where, and the next command to try. Texts may quote the image or the command
 * line: they are escaped.
 */
export function errorText(error: unknown, { debug = false, paint, width }: ErrorStyle = {}): string {
  const stack = debug && error instanceof Error && error.stack !== undefined ? `\n${escapeLines(error.stack)}` : '';
  const lines = `${summary(error, width)}${stack}`.split('\n');
  return lines.map((line, index) => painted(aligned(line, lines[index + 1]) ? line : wrapLines(line, width, COPIED), index, paint)).join('\n');
}

/** What is copied from an error is in one piece. */
const COPIED = ['Try: '];
const MARKS = /^ +\^+$/;
const FRAME = /^\s+at /;

/** Lines whose blanks mean something: marks, what they stand below, and those of a stack. */
function aligned(line: string, next: string | undefined): boolean {
  return MARKS.test(line) || MARKS.test(next ?? '') || FRAME.test(line);
}

function painted(text: string, index: number, paint: Paint | undefined): string {
  if (paint?.colors !== true) return text;
  const { red, bold, cyan, dim } = paint;
  if (index === 0) return eachLine(text, red);
  if (MARKS.test(text)) return bold(red(text));
  if (text.startsWith('Try: ')) return `Try: ${cyan(text.slice(5))}`;
  return FRAME.test(text) ? dim(text) : text;
}

/** A sentence for standard error: escaped, also line breaks, which only a name of the image can bring; and wrapped where that is a terminal. */
export async function noteText(note: string, output: Output): Promise<string> {
  const text = escapeText(note);
  if (needsWidths(text)) await loadWidths();
  return `${wrapLines(text, terminalWidth(output))}\n`;
}

function summary(error: unknown, width: number | undefined): string {
  if (error instanceof Absent) return `Memory that this needs could not be read: ${escapeText(error.toString())}`;
  if (!(error instanceof Error)) return `Unexpected: ${escapeText(String(error))}`;
  if (error instanceof UsageError) return `${escapeLines(error.message)}${place(error, width)}${next(error)}`;
  if (error instanceof DetectionError) {
    const steps = error.steps.map((step) => `  ${stepText(step)}`).join('\n');
    return `${escapeLines(error.message)}${steps === '' ? '' : `\nTried:\n${steps}`}${next(error)}`;
  }
  if ('code' in error && typeof error.code === 'string') return escapeLines(error.message.replace(/^[A-Z0-9_]+: /, '')) + ` (${error.code})`;
  const own = UNEXPECTED.has(error.name) ? userPlace(error) : undefined;
  if (own !== undefined) return `${escapeText(own)}: ${error.name}: ${escapeText(error.message)}\nThis is a mistake in that plugin; --debug shows the stack.`;
  if (UNEXPECTED.has(error.name)) {
    return `Unexpected ${error.name}: ${escapeText(error.message)}\nThis is a mistake in Rekall; run with --debug for the stack.`;
  }
  return `${escapeLines(error.message)}${next(error)}`;
}

/** `  12 ms  symbols: kallsyms → 91234 names (verified)` */
export function stepText(step: TraceStep): string {
  const outcome = step.outcome === 'found' ? '' : ` (${step.outcome})`;
  return escapeText(`${step.at.toFixed(0).padStart(5)} ms  ${step.stage}: ${step.tried} → ${step.found}${outcome}`);
}

function next(error: Error): string {
  return 'next' in error && typeof error.next === 'string' ? `\nTry: ${escapeText(error.next)}` : '';
}

/** The line with the mistake underlined; of several lines the one in which it is, of one that is wider than the terminal the part around it. */
function place(error: UsageError, width: number | undefined): string {
  if (!error.place) return '';
  const { line: text, start, end } = error.place;
  const from = text.lastIndexOf('\n', start - 1) + 1;
  const until = text.indexOf('\n', from);
  const line = text.slice(from, until < 0 ? text.length : until);
  // Blanked, not escaped: the mark below must stay under its place.
  let shown = line.replace(/\p{C}|\p{Zl}|\p{Zp}/gu, (character) => ' '.repeat(character.length));
  let at = start - from;
  let marks = Math.max(1, Math.min(end - start, line.length - at));
  const room = Math.max(20, (width ?? Infinity) - 2);
  if (shown.length > room) {
    const first = Math.max(0, Math.min(at - Math.floor(room / 3), shown.length - room));
    shown = `${first > 0 ? '…' : ''}${shown.slice(first > 0 ? first + 1 : 0, first + room - (first + room < shown.length ? 1 : 0))}${first + room < shown.length ? '…' : ''}`;
    at -= first;
    marks = Math.min(marks, room - at);
  }
  return `\n  ${shown}\n  ${' '.repeat(at)}${'^'.repeat(marks)}`;
}

/** A text of several lines, each escaped. */
export function escapeLines(text: string): string {
  return text.split('\n').map(escapeText).join('\n');
}
