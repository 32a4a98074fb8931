import { escapeText } from '../render/escape.js';
import type { TraceStep } from '../session/errors.js';
import type { Session } from '../session/session.js';

/** What a newcomer tries first: the command that must fit the image, and how to type it. */
const FIRST = [
  ['pslist', 'pslist'],
  ['pstree', 'pstree'],
  ['cc', 'cc'],
  ['lsmod', 'lsmod'],
  ['netstat', 'netstat'],
  ['pslist', 'select name, pid from pslist()'],
] as const;

/** The same where the image is a program's file. */
const PROGRAM = [
  ['peinfo', 'peinfo'],
  ['dis', 'dis ADDRESS'],
  ['address_resolver', 'address_resolver'],
] as const;

/**
 * What the console says when it opens: the image, the system, where symbols and types come from, the page tables and how they were
 * verified, how long it took, what to try. Throws what opening and detection throw.
 */
export async function greeting(session: Session): Promise<string> {
  if (session.parameters.filename === undefined) return 'No image is open: rekall -f IMAGE opens one.\nTry: plugins · help\n';
  const start = performance.now();
  const { image, runs } = session.physical();
  const bytes = runs.reduce((sum, run) => sum + run.end - run.start, 0);
  const kernel = await session.kernel();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const lines = [`${session.name}  ${size(bytes)} ${image.format} · ${kernel.description}`];
  for (const warning of image.warnings) lines.push(`note: ${warning}`);
  const known = session.earlier.length > 0;
  const steps = known ? session.earlier : session.trace.steps;
  // A program's file and a triage dump have no page tables.
  const dtb = kernel.space.levels.length === 0 ? 'no page tables' : `DTB 0x${kernel.space.dtb.toString(16)}${howText(steps, 'page tables')}`;
  const profile = profileText(session, steps);
  if (profile !== '') lines.push(profile);
  lines.push(`${dtb} · ${seconds} s${known ? ', known from before' : ''}        how? → why`);
  const first = kernel.os === 'program' ? PROGRAM : FIRST;
  const names = first.filter(([name]) => session.registry.find(name, kernel.os) !== undefined).map(([, typed]) => typed);
  lines.push(`Try: ${[...names, 'help'].join(' · ')}`);
  return `${lines.map(escapeText).join('\n')}\n`;
}

/** `types: BTF at __start_BTF · symbols: kallsyms of the image`; where one file gave both, that file. */
function profileText(session: Session, steps: readonly TraceStep[]): string {
  const { profile } = session.parameters;
  if (profile !== undefined) return `profile: ${profile}`;
  const [types, symbols] = ['types', 'symbols'].map((stage) => steps.findLast((step) => step.stage === stage && step.outcome !== 'failed' && step.outcome !== 'note')?.tried);
  return [types === undefined ? '' : `types: ${types}`, symbols === undefined ? '' : `symbols: ${symbols}`].filter((part) => part !== '').join(' · ');
}

/** ` (symbol init_top_pgt, verified)` */
function howText(steps: readonly TraceStep[], stage: string): string {
  const step = steps.findLast((one) => one.stage === stage && (one.outcome === 'verified' || one.outcome === 'found'));
  return step ? ` (${step.tried}${step.outcome === 'verified' ? ', verified' : ''})` : '';
}

function size(bytes: number): string {
  return bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)} GiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
