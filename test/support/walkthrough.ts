/**
 * Documents whose conversations are real. A fenced block `console` holds prompts with what was typed (`[1] image.kdump> pslist`), and below each what the console shows; one without a
 * prompt is the greeting. A block `completion` holds what was typed before TAB (`dis linux!init_ta<TAB>`) and what is offered. A line `…` stands for any lines.
 */

/** What was typed, and what the document says comes of it. */
export interface Step {
  readonly kind: 'greeting' | 'line' | 'completion';
  /** the prompt, as printed */
  readonly prompt: string;
  readonly typed: string;
  /** lines */
  readonly expected: readonly string[];
  /** number of the line in the document, from 1 */
  readonly at: number;
  /** lines of the document that `expected` is, [from, to) counted from 0 */
  readonly range: readonly [number, number];
}

const PROMPT = /^(\[\d+\] [^>]*>) (.*)$/;
const MORE = /^ *\.\.\.> (.*)$/;

/** The steps of a document, in order. */
export function stepsOf(document: string): Step[] {
  const lines = document.split('\n');
  const steps: Step[] = [];
  for (let at = 0; at < lines.length; at++) {
    const kind = /^```(console|completion)$/.exec(lines[at] ?? '')?.[1];
    if (kind === undefined) continue;
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`line ${at + 1}: a block that does not end`);
    if (kind === 'completion') steps.push({ kind, prompt: '', typed: (lines[at + 1] ?? '').replace(/<TAB>$/, ''), expected: lines.slice(at + 2, end), at: at + 2, range: [at + 2, end] });
    else steps.push(...conversation(lines, at + 1, end));
    at = end;
  }
  return steps;
}

function* conversation(lines: readonly string[], from: number, end: number): Generator<Step> {
  let at = from;
  while (at < end) {
    const start = at;
    const [, prompt = '', first = ''] = PROMPT.exec(lines[at] ?? '') ?? [];
    const typed = [first];
    if (prompt !== '') for (at++; at < end && MORE.test(lines[at] ?? ''); at++) typed.push(MORE.exec(lines[at] ?? '')?.[1] ?? '');
    const output = at;
    while (at < end && !PROMPT.test(lines[at] ?? '')) at++;
    yield { kind: prompt === '' ? 'greeting' : 'line', prompt, typed: typed.join('\n'), expected: lines.slice(output, at), at: start + 1, range: [output, at] };
  }
}

/** True where lines are the expected ones; `…` among those stands for any number of lines. */
export function agrees(expected: readonly string[], shown: readonly string[]): boolean {
  const gap = expected.indexOf('…');
  if (gap < 0) return expected.length === shown.length && expected.every((line, index) => line === shown[index]);
  if (!expected.slice(0, gap).every((line, index) => line === shown[index])) return false;
  const rest = expected.slice(gap + 1);
  for (let from = gap; from <= shown.length; from++) if (agrees(rest, shown.slice(from))) return true;
  return false;
}

/** The document with the lines of some steps replaced. */
export function rewritten(document: string, replacements: ReadonlyMap<Step, readonly string[]>): string {
  const lines = document.split('\n');
  for (const [step, shown] of [...replacements].sort(([one], [other]) => other.range[0] - one.range[0])) {
    lines.splice(step.range[0], step.range[1] - step.range[0], ...shown);
  }
  return lines.join('\n');
}
