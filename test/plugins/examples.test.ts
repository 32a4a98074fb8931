import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { parseLine } from '../../grammar/command.js';
import { commandHelp } from '../../src/console/help.js';
import { Shell } from '../../src/console/shell.js';
import { fits, Registry } from '../../src/plugin/registry.js';
import { Session } from '../../src/session/session.js';
import { Screen } from '../support/console.js';
import { WITHOUT_OUTPUT } from '../support/example-outputs.js';
import { temporary } from '../support/folder.js';
import { committedSample } from '../support/sample.js';
import { replicaSession, replicaSkip } from '../support/windows.js';
import { sampleSession } from '../support/windows-sample.js';

/** Commands whose examples read files that the analyst has, or an image of Windows though they need none; their own tests bring some. */
const NEED_FILES = new Set(['json_render', 'convert_profile', 'dwarfparser', 'parse_pdb', 'fetch_pdb', 'build_local_profile', 'peinfo']);

/** Lines that come before an example. */
const BEFORE: Readonly<Record<string, string>> = { sdel: 'snew; sswitch 1', drop_query: 'save_query name=first query="select 1"' };

const sample = committedSample();
const registry = Registry.builtIn();
const folder = temporary();
// Examples write where they are run.
process.chdir(folder);
after(() => {
  process.chdir('/');
});

test('every example is a command line', () => {
  for (const entry of registry.list()) {
    for (const { line } of entry.examples) {
      const [statement] = parseLine(line);
      assert.ok(statement?.kind === 'command' && registry.named(statement.name).includes(entry), line);
    }
  }
});

test('help names every argument, every column and every example', () => {
  for (const entry of registry.list()) {
    const help = commandHelp(entry, 2, { width: 120 });
    for (const line of help.split('\n')) assert.ok(line.length <= 120 || !line.includes(' ', 60) || entry.examples.some((example) => line.includes(example.line)), line);
    const lines = help.split('\n').map((line) => line.trim());
    for (const name of [...Object.keys(entry.args), ...Object.keys(entry.columns), ...entry.examples.map((example) => example.line)]) {
      assert.ok(lines.some((line) => line.startsWith(name)), `${entry.name}: ${name}`);
    }
  }
});

const linux = sample ? new Session({ filename: sample.image, cache: 'memory', dump_dir: folder, home: folder }, registry) : undefined;
// Without the replica, the sample of our own.
const windows = replicaSkip ? sampleSession({ dump_dir: folder, home: folder }) : await replicaSession({ dump_dir: folder, home: folder });
for (const entry of registry.list().filter(({ name }) => !NEED_FILES.has(name))) {
  const forWindows = !fits(entry, 'linux');
  const session = forWindows ? windows : linux;
  test(`the examples of ${entry.name} run on the ${forWindows ? 'Windows image' : 'sample'}`, { skip: session ? false : 'no committed sample' }, async () => {
    for (const { line } of entry.examples) {
      const typed = line.replace(/dump_dir=\S+/, `dump_dir=${folder}`);
      // On a terminal most are run by example-outputs.test.ts.
      for (const terminal of WITHOUT_OUTPUT.has(entry.name) ? [true, false] : [false]) {
        const [output, error] = [new Screen(terminal), new Screen(false)];
        // What sets parameters of a session has one of its own, which is told by them how to print.
        const sets = 'format' in entry.args || entry.name in BEFORE;
        const style = terminal ? { colors: 'no' } : { format: 'json' };
        const shell = new Shell(sets ? (session as Session).clone(style, 'test') : (session as Session), { output, error });
        const before = BEFORE[entry.name];
        if (before !== undefined) {
          assert.equal(await shell.execute(before), 'done', error.text);
          output.text = '';
        }
        const outcome = await shell.execute(sets ? typed : terminal ? `${typed} colors=no` : `${typed} format=json`);
        assert.equal(outcome, 'done', `${line}: ${error.text}`);
        if (terminal) {
          assert.doesNotMatch(output.text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Cs}]/u, line);
          assert.ok(output.text !== '' || error.text !== '', line);
        } else if (entry.silent !== true) {
          const rows = JSON.parse(output.text) as Record<string, unknown>[];
          assert.ok(rows.length > 0 || error.text !== '', `${line} shows nothing and says nothing`);
          if (entry.dynamic !== true) for (const row of rows) assert.deepEqual(Object.keys(row), Object.keys(entry.columns), line);
        }
      }
    }
  });
}
