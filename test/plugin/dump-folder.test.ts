import assert from 'node:assert/strict';
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PluginContext } from '../../src/plugin/context.js';
import { DumpFolder, safeName } from '../../src/plugin/dump-folder.js';
import { PluginError } from '../../src/plugin/error.js';
import { Registry } from '../../src/plugin/registry.js';
import { Session } from '../../src/session/session.js';
import { temporary } from '../support/folder.js';

test('names from an image are safe as file names', () => {
  for (const [text, name] of [
    ['bash_12', 'bash_12'],
    ['../../etc/passwd', '___.._etc_passwd'],
    ['..', '__'],
    ['.hidden', '_hidden'],
    ['', '_'],
    ['a/b\\c:d*e', 'a_b_c_d_e'],
    ['\x1b[31mred\x07\n', '__31mred__'],
    ['naïve\u202Etxt', 'na_ve_txt'],
    ['x'.repeat(300), 'x'.repeat(100)],
  ] as const) {
    assert.equal(safeName(text), name);
  }
});

/** A folder of one's own, and a context whose session's image lies in it. */
function inFolder(work: (folder: string, context: PluginContext) => void): void {
  const folder = temporary();
  writeFileSync(join(folder, 'evidence.dmp'), 'the image');
  const session = new Session({ filename: join(folder, 'evidence.dmp'), dump_dir: folder, cache: 'memory' }, new Registry([], ''));
  work(folder, { session } as PluginContext);
}

test('files are written into the folder, one name each', () => {
  inFolder((folder, context) => {
    const dumps = DumpFolder.of(context, undefined);
    for (const content of ['one', 'two']) {
      const file = dumps.create('../sh', '.dmp');
      file.append(Buffer.from(content));
      assert.equal(file.size, 3);
      file.close();
    }
    assert.deepEqual(readdirSync(folder).sort(), ['___sh-2.dmp', '___sh.dmp', 'evidence.dmp']);
    assert.equal(readFileSync(join(folder, '___sh-2.dmp'), 'utf8'), 'two');
  });
});

test('an older dump is overwritten; the image, links and folders are not', () => {
  inFolder((folder, context) => {
    writeFileSync(join(folder, 'sh.dmp'), 'an older, longer dump');
    const file = DumpFolder.of(context, folder).create('sh', '.dmp');
    file.append(Buffer.from('new'));
    file.close();
    assert.equal(readFileSync(join(folder, 'sh.dmp'), 'utf8'), 'new');
    assert.throws(() => DumpFolder.of(context, folder).create('evidence', '.dmp'), (error) => error instanceof PluginError && /is the image itself/.test(error.message));
    assert.equal(readFileSync(join(folder, 'evidence.dmp'), 'utf8'), 'the image');
    symlinkSync(join(folder, 'evidence.dmp'), join(folder, 'link.dmp'));
    assert.throws(() => DumpFolder.of(context, folder).create('link', '.dmp'), /no ordinary file/);
  });
});

test('a folder whose parent is missing, or that is a file, is told', () => {
  inFolder((folder, context) => {
    assert.throws(() => DumpFolder.of(context, join(folder, 'a', 'b')), (error) => error instanceof PluginError && error.message.includes(join(folder, 'a', 'b')));
    assert.throws(() => DumpFolder.of(context, join(folder, 'evidence.dmp')), /is no folder/);
    DumpFolder.of(context, join(folder, 'new'));
    assert.ok(readdirSync(folder).includes('new'));
  });
});
