import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Shell } from '../../src/console/shell.js';
import { col } from '../../src/plugin/columns.js';
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
