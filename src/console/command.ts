import { bindArguments } from '../plugin/bind.js';
import { UsageError } from '../plugin/error.js';
import type { Words } from '../plugin/words.js';
import { colorsOn } from '../render/paint.js';
import type { Printed } from '../render/print.js';
import { assign } from '../session/flags.js';
import type { ParameterName, ParameterValues } from '../session/parameters.js';
import type { Session } from '../session/session.js';
import type { Host } from './host.js';
import { type Destination, screen } from './output.js';
import { noteText } from './report.js';
import { present } from './present.js';
import { noCommand } from './unknown.js';

/** A command as it was asked for. */
export interface Request extends Destination {
  readonly name: string;
  readonly words: Words;
  readonly signal?: AbortSignal;
  /** keep the rows as `_` */
  readonly remember?: boolean;
}

/** Parameters that may differ for one command; the others make the session what it is. */
export const PER_COMMAND: ReadonlySet<ParameterName> = new Set<ParameterName>([
  'format',
  'output',
  'output_style',
  'verbosity',
  'verbose',
  'quiet',
  'debug',
  'colors',
  'pager',
  'paging_limit',
  'timezone',
  'dump_dir',
  'as_query',
  'as_code',
]);

/**
 * Runs a command and prints its rows; its notes go to standard error. Parameters given with it (`pslist format=json`) hold for it
 * alone. Throws what the command throws.
 */
export async function runCommand(session: Session, request: Request, host: Host): Promise<Printed> {
  const { name, words, signal } = request;
  if (session.registry.named(name).length === 0) throw await noCommand(session, name);
  const plugin = await session.plugin(name);
  const bound = await bindArguments(plugin, words, {
    resolve: async (expression, space) => (await (await import('../session/spaces.js')).resolverIn(session, space)).address(expression),
    path: (text) => session.path(text),
  });
  // Said with the command, or before it on the command line.
  const code = bound.parameters.as_code ?? session.parameters.as_code;
  if (code || (bound.parameters.as_query ?? session.parameters.as_query)) {
    const { asCode, asQuery } = await import('./as-text.js');
    const { text, notes } = (code ? asCode : asQuery)(session, plugin, bound, request);
    const colors = colorsOn(bound.parameters.colors ?? session.parameters.colors, host.output);
    const { highlighted } = await import('../render/highlight.js');
    await showText(session, host, await highlighted(text, code ? 'typescript' : 'sql', colors, session.parameters.highlighting_style));
    if (!session.parameters.quiet) for (const note of notes) host.error.write(await noteText(note, host.error));
    return { rows: 0, notes };
  }
  const restore = override(session, bound.parameters);
  try {
    return await present(
      session,
      {
        name: plugin.name,
        command: true,
        columns: plugin.dynamic ? await session.run(plugin, bound.args, signal ? { signal } : {}).prepare() : plugin.columns,
        silent: plugin.silent === true,
        start: ({ columns, onProgress, keep }) => session.run(plugin, bound.args, { columns, onProgress, keep, ...(signal ? { signal } : {}) }),
      },
      { destination: request, signal, remember: request.remember === true },
      host,
    );
  } finally {
    restore();
  }
}

/** Shows a text that is no table (help), paged where it is long. */
export async function showText(session: Session, host: Host, text: string): Promise<void> {
  const { sink, done } = screen(session, host);
  await sink.write(text);
  await done();
}

/** Sets parameters for one command; returns the function that sets them back. */
function override(session: Session, given: Partial<ParameterValues>): () => void {
  const before: Partial<ParameterValues> = {};
  for (const [key, value] of Object.entries(given) as [ParameterName, ParameterValues[ParameterName]][]) {
    const current = session.parameters[key];
    if (JSON.stringify(current) === JSON.stringify(value)) continue;
    if (!PER_COMMAND.has(key)) throw new UsageError(`${key} belongs to the session, not to one command: start rekall with --${key}.`);
    assign(before, key, current);
    assign(session.parameters, key, value);
  }
  return () => Object.assign(session.parameters, before);
}
