import { escapeText } from '../render/escape.js';
import type { Session } from '../session/session.js';

/** Commands that a newcomer tries first; those that fit are named. */
const FIRST = ['pslist', 'pstree', 'lsmod', 'modules', 'netstat', 'lsof', 'dmesg'];
const NAMED = 4;

/**
 * What the console says when it opens: the image, the system, how it was found and how long that took, what to try. Throws what
 * opening and detection throw.
 */
export async function greeting(session: Session): Promise<string> {
  if (session.parameters.filename === undefined) return 'No image is open: rekall -f IMAGE opens one.\nTry: plugins · help\n';
  const start = performance.now();
  const physical = session.physical();
  const { image, runs } = physical;
  const bytes = runs.reduce((sum, run) => sum + run.end - run.start, 0);
  const kernel = await session.kernel();
  const seconds = (performance.now() - start) / 1000;
  const lines = [`${session.name}  ${size(bytes)} ${image.format} · ${kernel.description}`];
  for (const warning of image.warnings) lines.push(`note: ${warning}`);
  const verified = session.trace.steps.filter((step) => step.outcome === 'verified').map((step) => `${step.stage}: ${step.found}`);
  const proof = verified.at(-1);
  lines.push(`${proof === undefined ? '' : `${proof} · `}${seconds.toFixed(1)} s        how? → why`);
  const names = FIRST.filter((name) => session.registry.find(name, kernel.os) !== undefined).slice(0, NAMED);
  lines.push(`Try: ${[...names, 'help'].join(' · ')}`);
  return `${lines.map(escapeText).join('\n')}\n`;
}

function size(bytes: number): string {
  return bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)} GiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
