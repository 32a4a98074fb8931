import { Absent } from '../memory/absent.js';
import { UsageError } from '../plugin/error.js';
import { userPlace } from '../plugin/user/place.js';
import { escapeText } from '../render/escape.js';
import type { Paint } from '../render/paint.js';
import { DetectionError, type TraceStep } from '../session/errors.js';

/** Classes that JavaScript itself throws: their appearance is a mistake in this program, not in what was asked of it. */
const UNEXPECTED = new Set(['Error', 'TypeError', 'RangeError', 'ReferenceError', 'SyntaxError', 'EvalError', 'URIError', 'AssertionError']);

/** Exit status of the program for an error: 2 wrong usage, 1 the command failed. */
export function exitStatus(error: unknown): 1 | 2 {
  return error instanceof UsageError ? 2 : 1;
}

/**
 * What an error says to the analyst: what is wrong, where, and the next command to try. Texts may quote the image or the command
 * line: they are escaped.
 * @param debug with the stack
 * @param paint what is wrong in red, what to type next in the colour of commands
 */
export function errorText(error: unknown, debug = false, paint?: Paint): string {
  const stack = debug && error instanceof Error && error.stack !== undefined ? `\n${escapeLines(error.stack)}` : '';
  const text = `${summary(error)}${stack}`;
  return paint?.colors === true ? painted(text, paint) : text;
}

function painted(text: string, { red, bold, cyan, dim }: Paint): string {
  return text
    .split('\n')
    .map((line, index) => {
      if (index === 0) return red(line);
      if (/^ +\^+$/.test(line)) return bold(red(line));
      if (line.startsWith('Try: ')) return `Try: ${cyan(line.slice(5))}`;
      return /^\s+at /.test(line) ? dim(line) : line;
    })
    .join('\n');
}

function summary(error: unknown): string {
  if (error instanceof Absent) return `Memory that this needs could not be read: ${escapeText(error.toString())}`;
  if (!(error instanceof Error)) return `Unexpected: ${escapeText(String(error))}`;
  if (error instanceof UsageError) return `${escapeLines(error.message)}${place(error)}${next(error)}`;
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

/** The line with the mistake underlined; of several lines the one in which it is. */
function place(error: UsageError): string {
  if (!error.place) return '';
  const { line: text, start, end } = error.place;
  const from = text.lastIndexOf('\n', start - 1) + 1;
  const until = text.indexOf('\n', from);
  const line = text.slice(from, until < 0 ? text.length : until);
  // Blanked, not escaped: the mark below must stay under its place.
  const shown = line.replace(/\p{C}|\p{Zl}|\p{Zp}/gu, (character) => ' '.repeat(character.length));
  const marks = Math.max(1, Math.min(end - start, from + line.length - start));
  return `\n  ${shown}\n  ${' '.repeat(start - from)}${'^'.repeat(marks)}`;
}

/** A text of several lines, each escaped. */
export function escapeLines(text: string): string {
  return text.split('\n').map(escapeText).join('\n');
}
