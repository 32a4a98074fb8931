import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileProblem } from '../../src/memory/folders.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';

/** A script that runs itself ends somewhere. */
const DEEPEST = 16;
let depth = 0;

export const run = definePlugin({
  name: 'run',
  needs: 'none',
  topic: 'session',
  silent: true,
  summary: 'runs a file, or a text, of commands, queries and JavaScript as if it were typed',
  notes:
    'Statements may go over several lines, and lines may be comments (#, --, //). A file that ends in .js is one program in JavaScript, with top-level await, session, plugins, query() and _. ' +
    'It stops at the first statement that fails, unless keep_going is set; its name and line are then in the error. ' +
    '`rekall -f IMAGE FILE` runs a file from outside.',
  args: {
    run: arg.path('the file', { positional: true }),
    script: arg.string('the text itself'),
    keep_going: arg.bool('go on after a statement that failed', { default: false }),
  },
  columns: {
    line: col.int('line of the script on which the statement begins'),
    statement: col.string('the statement'),
    outcome: col.string('done or failed'),
  },
  examples: [{ line: 'run script="version; plugins processes"', doc: 'statements, as they would be typed' }],
  async *collect({ session, signal, note }, args) {
    const runner = session.group?.runner;
    if (!runner)
      throw new PluginError(
        'Scripts are run by the console and by the program; here is neither.',
        'rekall -f IMAGE FILE',
      );
    const { run: path, script } = args;
    if ((path === undefined) === (script === undefined))
      throw new PluginError('run takes a file, or script="statements".', 'run FILE');
    const text = script ?? read(path ?? '');
    const name = path ?? 'script';
    if (depth >= DEEPEST)
      throw new PluginError(`${name}: scripts that run scripts, ${DEEPEST} deep: one of them runs itself.`);
    let count = 0;
    let failed = 0;
    depth++;
    try {
      for await (const step of runner.script(text, { signal, javascript: /^\.[cm]?js$/.test(extname(name)) })) {
        if (step.outcome === 'quit') break;
        count++;
        if (step.outcome === 'failed') failed++;
        yield { ...step };
        if (step.outcome === 'failed' && !args.keep_going && !signal.aborted)
          throw new PluginError(`${name}:${step.line} failed; nothing behind it was run.`);
      }
    } finally {
      depth--;
    }
    if (failed > 0) note(`${name}: ${failed} of ${count} statements failed.`);
    if (count === 0) note(`${name} holds no statement.`);
  },
});

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
      .replace(/^\ufeff/, '')
      .replace(/^#!.*/, '');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new PluginError(`${path} cannot be read: ${fileProblem(error)}.`);
  }
}
