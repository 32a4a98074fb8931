import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { explainCommand } from '../../src/plugin/elsewhere.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { PluginError } from '../../src/plugin/error.js';
import { similar } from '../../src/plugin/similar.js';
import { kernelIfAny } from './kernel-if-any.js';
import { applies } from './plugins.js';

export const why = definePlugin({
  name: 'why',
  needs: 'none',
  topic: 'session',
  summary: 'how the image was understood: every step that was tried and what came of it',
  notes: 'The steps of the first open are kept with what they found, and shown before those of this one. With the name of a command (of this release, of the original Rekall or of Volatility), only whether that one works on this image, why not, and what does.',
  args: { command: arg.string('a command that works, or does not', { positional: true, completes: 'plugin' }) },
  columns: {
    at: col.float('when', { unit: 'milliseconds since the session began', title: 'ms' }),
    stage: col.string('format, page tables, kernel, symbols, types, cache'),
    outcome: col.string('found, verified, failed or note'),
    tried: col.string('what was tried'),
    found: col.string('what came of it'),
  },
  examples: [{ line: 'why' }, { line: 'why pslist' }, { line: 'why netscan', doc: 'a command that another system would need' }],
  async *collect(context, args) {
    const { session } = context;
    const kernel = await kernelIfAny(context);
    if (args.command === undefined) {
      for (const step of session.earlier) yield { ...step, at: null, stage: `${step.stage} (first open)` };
      for (const step of session.trace.steps) yield { ...step, at: Math.round(step.at * 10) / 10 };
      if (session.trace.steps.length === 0) context.note('Nothing was looked at: no image is open.');
      return;
    }
    const entries = session.registry.named(args.command);
    if (entries.length === 0) {
      const explained = explainCommand(args.command, session.registry, kernel);
      if (explained) {
        yield { at: null, stage: 'command', outcome: 'failed', tried: `${args.command} is not a command of this release`, found: explained.message };
        return;
      }
      const near = similar(args.command, session.registry.list().map((entry) => entry.name))[0];
      throw new PluginError(`There is no command ${args.command}.`, near === undefined ? 'plugins' : `why ${near}`);
    }
    for (const entry of entries) {
      const needs = typeof entry.needs === 'string' ? entry.needs : entry.needs.join(' or ');
      const answer = await applies(context, entry, kernel);
      const instead = answer?.startsWith('no: needs') === true ? explainCommand(args.command, session.registry, kernel)?.message : undefined;
      yield {
        at: null,
        stage: 'command',
        outcome: answer === 'yes' ? 'verified' : answer === null ? 'note' : 'failed',
        tried: `${entry.name} needs ${needs === 'none' ? 'no image' : needs}`,
        found: answer === null ? 'no image is open' : answer === 'yes' ? `works here${kernel ? `: ${kernel.description}` : ''}` : (instead ?? answer.replace(/^no: /, '')),
      };
    }
  },
});
