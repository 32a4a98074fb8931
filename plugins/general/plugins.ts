import type { Kernel } from '../../src/kernel/kernel.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import type { PluginContext } from '../../src/plugin/context.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { fits, type PluginEntry } from '../../src/plugin/registry.js';
import { kernelIfAny, withKernel } from './kernel-if-any.js';

export const plugins = definePlugin({
  name: 'plugins',
  needs: 'none',
  topic: 'session',
  summary: 'the commands there are, and which of them work on this image',
  notes: 'Words are looked for in names, other names, topics, summaries and column names; all of them must be found.',
  args: {
    search: arg.strings('only commands that have to do with these words', { positional: true }),
    all: arg.bool('also commands that need another system, and those of the original Rekall and of Volatility that this release does not have'),
  },
  columns: {
    name: col.string('as typed'),
    needs: col.string('what it works on: linux, windows, darwin; kernel: any of them; image: no kernel; none: not even an image'),
    topic: col.string('what it is about'),
    applies: col.string('yes, or why it does not work on this image; empty while no image is open'),
    summary: col.string('what it shows'),
    aliases: col.list('other names it answers to', { hidden: true }),
  },
  examples: [{ line: 'plugins' }, { line: 'plugins process', doc: 'only what has to do with processes' }, { line: 'plugins registry all=true', doc: 'also what other systems and other tools have' }],
  async *collect(context, args) {
    const words = (args.search ?? []).map((word) => word.toLowerCase());
    const kernel = context.wants('applies') ? await kernelIfAny(context) : undefined;
    for (const entry of context.session.registry.list()) {
      const text = [entry.name, ...(entry.aliases ?? []), entry.topic, entry.summary, ...Object.keys(entry.columns)].join('\n').toLowerCase();
      if (!words.every((word) => text.includes(word))) continue;
      if (args.all !== true && kernel && !fits(entry, kernel.os)) continue;
      yield {
        name: entry.name,
        needs: typeof entry.needs === 'string' ? entry.needs : entry.needs.join(', '),
        topic: entry.topic,
        applies: context.wants('applies') ? await applies(context, entry, kernel) : null,
        summary: entry.summary,
        aliases: entry.aliases ?? [],
      };
    }
    if (args.all === true) yield* elsewhere(context, words, kernel);
  },
});

/** Commands that others have and this release does not, with what comes nearest. */
async function* elsewhere(context: PluginContext, words: readonly string[], kernel: Kernel | undefined): AsyncGenerator<Record<string, unknown>> {
  const { explainCommand, knownCommands } = await import('../../src/plugin/elsewhere.js');
  const { registry } = context.session;
  const known = [...knownCommands().values()].filter(({ name }) => registry.named(name).length === 0).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, systems, what, tool } of known) {
    if (!words.every((word) => `${name}\n${what}\n${tool}`.toLowerCase().includes(word))) continue;
    const needs = systems.length === 0 ? 'none' : systems.join(', ');
    const other = kernel && systems.length > 0 && !(systems as readonly string[]).includes(kernel.os);
    const next = explainCommand(name, registry, kernel)?.next;
    const applies = `no: ${other ? `needs ${systems.join(' or ')}` : 'not in this release'}${next === undefined ? '' : `; see ${next}`}`;
    yield { name, needs, topic: tool, applies, summary: what, aliases: [] };
  }
}

/** `yes`, or the reason why a command does not work on the session's image; null where that is not known. */
export async function applies(context: PluginContext, entry: PluginEntry, kernel: Kernel | undefined): Promise<string | null> {
  if (entry.needs === 'none') return 'yes';
  if (context.session.parameters.filename === undefined) return null;
  if (entry.needs === 'image') return 'yes';
  if (!kernel) return 'no: no kernel was found';
  if (!fits(entry, kernel.os)) return `no: needs ${(entry.needs as readonly string[]).join(' or ')}, this is ${kernel.os}`;
  const plugin = await context.session.registry.load(entry);
  const reason = plugin.applies?.(withKernel(context, kernel));
  return reason === undefined ? 'yes' : `no: ${reason}`;
}
