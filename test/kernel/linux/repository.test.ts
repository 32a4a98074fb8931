import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pslist } from '../../../plugins/linux/pslist.js';
import { DetectionError } from '../../../src/kernel/error.js';
import { profileCandidates } from '../../../src/kernel/linux/repository.js';
import { Registry } from '../../../src/plugin/registry.js';
import { Session } from '../../../src/session/session.js';
import { temporary } from '../../support/folder.js';
import { lab, labSamples, rowsOf } from '../../support/sample.js';

test('profiles of a release are found below the repositories, by name', () => {
  const folder = temporary();
  mkdirSync(join(folder, 'Linux/Debian'), { recursive: true });
  for (const name of ['Linux/Debian/6.1.0-50-686-pae.gz', 'linux-6.1.0-50-686-pae.json.xz', 'System.map-6.1.0-50-686-pae', 'other.json']) {
    writeFileSync(join(folder, name), '');
  }
  const found = profileCandidates([folder, join(folder, 'nonesuch')], '6.1.0-50-686-pae').filter((path) => path.startsWith(folder));
  assert.deepEqual(found.sort(), [join(folder, 'Linux/Debian/6.1.0-50-686-pae.gz'), join(folder, 'linux-6.1.0-50-686-pae.json.xz')]);
});

const pae = labSamples(['pae']);
test('a kernel without types takes them from a repository, and says what is missing without one', { skip: pae.length > 0 ? false : 'no pae image in the lab' }, async () => {
  const image = pae[0]?.image ?? '';
  const session = new Session({ filename: image, cache: 'memory', repository_path: [join(lab, 'symbols/pae-6.1')] }, new Registry([], ''));
  const { rows } = await rowsOf(session, pslist);
  assert.ok(rows.length > 50);
  const without = new Session({ filename: image, cache: 'memory' }, new Registry([], ''));
  await assert.rejects(without.kernel(), (error) => error instanceof DetectionError && /no type information/.test(error.message) && /vmlinux-6\.1/.test(error.next));
});
