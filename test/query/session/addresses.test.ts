import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Shell } from '../../../src/console/shell.js';
import { Registry } from '../../../src/plugin/registry.js';
import { Session } from '../../../src/session/session.js';
import { Screen } from '../../support/console.js';
import { committedSample } from '../../support/sample.js';

const sample = committedSample();

test('a name is an address where a table asks for one, and an unknown one is a mistake', { skip: sample ? false : 'no committed sample' }, async () => {
  const session = new Session({ filename: sample?.image ?? '', cache: 'memory' }, Registry.builtIn());
  const ask = async (text: string): Promise<{ output: string; error: string }> => {
    const [output, error] = [new Screen(false), new Screen(false)];
    await new Shell(session, { output, error }).execute(text);
    return { output: output.text, error: error.text };
  };
  const kallsyms = sample?.truth('proc/kallsyms') ?? '';
  const address = /^([0-9a-f]+) \w linux_banner$/m.exec(kallsyms)?.[1];
  const named = await ask('select offset from dump(offset: "linux!linux_banner", rows: 1)');
  assert.match(named.output, new RegExp(`0x${String(address)}`));
  const unknown = await ask('select offset from dump(offset: "linux!linux_baner", rows: 1)');
  assert.match(unknown.error, /linux!linux_baner is not known here/);
  session.close();
});
