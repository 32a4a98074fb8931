import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig, parseConfig } from '../../src/session/config.js';
import { temporary } from '../support/folder.js';

const parse = (text: string): ReturnType<typeof parseConfig> => parseConfig(text, '/home/me/.rekallrc', '/home/me');

test('every parameter may be set, also by the names of older releases', async () => {
  const config = await parse(
    ['# my settings', 'profile_path:', '  - /profiles', '  - https://example.org/profiles', 'format: json', 'verbose: true', 'file_offset: 0x1000', 'cache_dir: .rekall_cache', 'environment:', '  PAGER: less', '  LEVEL: 3', 'pager:'].join('\n'),
  );
  assert.deepEqual(config.values, {
    repository_path: ['/profiles', 'https://example.org/profiles'],
    format: 'json',
    verbose: true,
    file_offset: 4096,
    cache_dir: '/home/me/.rekall_cache',
  });
  assert.deepEqual(config.environment, { PAGER: 'less', LEVEL: '3' });
  assert.deepEqual(config.warnings, []);
});

test('an unknown key is a warning with the line and a guess', async () => {
  const config = await parse('format: text\nrepositry_path: /x\n');
  assert.deepEqual(config.warnings, ['/home/me/.rekallrc:2: repositry_path is no parameter. Did you mean repository_path?']);
  assert.deepEqual(config.values, { format: 'text' });
});

test('a mistake names file and line', async () => {
  await assert.rejects(parse('verbose: yes\nformat: jsn\n'), /^UsageError: \/home\/me\/\.rekallrc:2: format is one of .*Did you mean json\?$/);
  await assert.rejects(parse('a: 1\nb: [1\nc: 2\n'), /^UsageError: \/home\/me\/\.rekallrc:[23]: /);
  await assert.rejects(parse('- a\n- b\n'), /:1: expected lines of the form/);
  await assert.rejects(parse('format: [text, json]\n'), /:1: format is one value \(choice\)/);
  await assert.rejects(parse('\nenvironment: x\n'), /:2: environment is a map/);
  await assert.rejects(parse('dtb: high\n'), /:1: dtb needs a whole number/);
});

test('the first file there is counts, and none is fine', async () => {
  const folder = temporary();
  const [near, far] = [join(folder, 'near'), join(folder, 'far')];
  assert.equal((await loadConfig('/home/me', [near, far])).path, undefined);
  writeFileSync(far, 'format: csv');
  assert.deepEqual((await loadConfig('/home/me', [near, far])).values, { format: 'csv' });
  writeFileSync(near, '');
  assert.deepEqual((await loadConfig('/home/me', [near, far])).values, {});
});
