import assert from 'node:assert/strict';
import { test } from 'node:test';
import stringWidth from 'string-width';
import { errorText, noteText } from '../../src/console/report.js';
import { Shell } from '../../src/console/shell.js';
import { col } from '../../src/plugin/columns.js';
import { UsageError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { Registry } from '../../src/plugin/registry.js';
import { Session } from '../../src/session/session.js';
import { Screen } from '../support/console.js';

test('a note that names something of the image steers no terminal', async () => {
  const registry = new Registry([], '');
  registry.add(
    definePlugin({
      name: 'tell',
      needs: 'none',
      topic: 'session',
      summary: 'says something',
      notes: 'Of an image whose names are hostile.',
      args: {},
      columns: { name: col.string('a name') },
      examples: [{ line: 'tell' }],
      *collect(context) {
        yield { name: 'x' };
        context.note('the VADs of \x1b[2J\x07evil.exe (4): broken');
      },
    }),
  );
  const error = new Screen(false);
  await new Shell(new Session({ cache: 'memory' }, registry), { output: new Screen(false), error }).execute('tell');
  assert.equal(error.text, 'the VADs of \\x1b[2J\\x07evil.exe (4): broken\n');
});

test('on a terminal sentences are wrapped between words, elsewhere they stay one line; what is quoted is copied in one piece', async () => {
  const note = 'The type is the one given, or the one that is known of the global; `select name, pid from pslist()` tells more of what is there, as `plugins` does.';
  const terminal = new Screen(true);
  terminal.columns = 60;
  assert.deepEqual((await noteText(note, terminal)).split('\n'), [
    'The type is the one given, or the one that is known of the',
    '  global; `select name, pid from pslist()` tells more of',
    '  what is there, as `plugins` does.',
    '',
  ]);
  assert.equal(await noteText(note, new Screen(false)), `${note}\n`);
  // A name of the image makes no sentence of its own.
  assert.equal(await noteText('Without threads: x\nAll is well (4).', new Screen(false)), 'Without threads: x\\nAll is well (4).\n');
  assert.deepEqual((await noteText('進程'.repeat(20), terminal)).split('\n').map((line) => stringWidth(line)), [58, 24, 0]);
});

test('an error is wrapped, but for the line that its mark stands below and the command to try', () => {
  const line = 'select name, pid, nothing_of_this_name from pslist() where pid > 1 and name =~ "systemd" order by pid limit 10';
  const start = line.indexOf('nothing');
  const error = new UsageError('No column nothing_of_this_name in pslist. There are proc, pid, name, ppid, uid.', { line, start, end: start + 20 }, 'describe pslist and a long command that is copied in one piece, wherever it ends');
  assert.deepEqual(errorText(error, { width: 50 }).split('\n'), [
    'No column nothing_of_this_name in pslist. There',
    '  are proc, pid, name, ppid, uid.',
    '  …ect name, pid, nothing_of_this_name from pslis…',
    '                  ^^^^^^^^^^^^^^^^^^^^',
    'Try: describe pslist and a long command that is copied in one piece, wherever it ends',
  ]);
  assert.equal(errorText(error).split('\n')[1], `  ${line}`);
});
