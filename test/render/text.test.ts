import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { unreadable } from '../../src/memory/absent.js';
import { col } from '../../src/plugin/columns.js';
import { render } from '../support/table.js';

const columns = {
  pid: col.int('id'),
  name: col.string('name'),
  secret: col.string('more', { hidden: true }),
  path: col.string('path'),
};

test('columns are aligned by what is in them, numbers to the right', async () => {
  const text = await render('text', columns, [
    [
      { pid: 1, name: 'init', path: '/sbin/init' },
      { pid: 12345, name: 'x', path: unreadable(1n) },
    ],
  ]);
  assert.equal(text, ['  pid  name  path', '-----  ----  ------------', '    1  init  /sbin/init', '12345  x     (unreadable)', ''].join('\n'));
});

test('a later row that needs more widens its column from there on', async () => {
  const text = await render('text', columns, [[{ pid: 1, name: 'a', path: 'p' }], [{ pid: 2, name: 'abcdefgh', path: 'p' }, { pid: 3, name: 'c', path: 'p' }]]);
  assert.deepEqual(text.split('\n').slice(2), ['  1  a     p', '  2  abcdefgh  p', '  3  c         p', '']);
});

test('text of several lines stands on lines of its own where a column is declared so, and steers nothing', async () => {
  const many = { pid: col.int('id'), code: col.string('a listing', { lines: true }), other: col.string('text') };
  const text = await render('text', many, [[{ pid: 1, code: 'NOP\nRET\x1b[2J', other: 'a\nb' }]]);
  assert.deepEqual(text.split('\n').slice(2), ['  1  NOP         a\\nb', '     RET\\x1b[2J', '']);
});

test('wide characters take two cells', async () => {
  const text = await render('text', columns, [[{ pid: 1, name: '進程', path: 'p' }, { pid: 2, name: 'abcde', path: 'p' }]]);
  assert.deepEqual(text.split('\n').slice(2), ['  1  進程   p', '  2  abcde  p', '']);
});

test('the last column is cut to a terminal, and nothing is cut elsewhere', async () => {
  const long = '/a/very/long/path/indeed/that/fits/no/terminal';
  const rows = [[{ pid: 1, name: 'a', path: long }]];
  const cut = await render('text', columns, rows, { width: 30 });
  for (const line of cut.split('\n')) assert.ok(line.length <= 30, line);
  assert.match(cut, /\/a\/very\/long\/path\/…\n$/);
  assert.ok((await render('text', columns, rows)).includes(long));
});

test('a terminal too narrow takes blanks first, then what is declared less important, and never a number', async () => {
  const listing = {
    at: col.address('where'),
    bytes: col.string('bytes', { width: 12, minor: true }),
    code: col.string('code', { width: 20 }),
    size: col.physical('how many'),
    what: col.string('what'),
  };
  const rows = [[{ at: 0xffffffff81000000n, bytes: '65488b1c2580', code: 'MOV RBX, RAX', size: 0x2a1aa40, what: 'linux!current_task' }]];
  const lines = async (width: number): Promise<string | undefined> => (await render('text', listing, rows, { width })).split('\n')[2];
  assert.equal(await lines(90), '0xffffffff81000000  65488b1c2580  MOV RBX, RAX           0x2a1aa40  linux!current_task');
  assert.equal(await lines(80), '0xffffffff81000000  65488b1c2580  MOV RBX, RAX     0x2a1aa40  linux!current_task');
  assert.equal(await lines(76), '0xffffffff81000000  65488b1c2…  MOV RBX, RAX   0x2a1aa40  linux!current_task');
  assert.equal(await lines(70), '0xffffffff81000000  65488b1…  MOV RBX, RAX   0x2a1aa40  linux!current…');
});

test('hidden columns are shown when everything is asked for', async () => {
  const rows = [[{ pid: 1, name: 'a', secret: 'hush', path: 'p' }]];
  assert.doesNotMatch(await render('text', columns, rows), /hush/);
  assert.match(await render('text', columns, rows, { full: true }), /secret[^]*hush/);
});

test('a divider is a heading where its value changes, a tree is indented', async () => {
  const tree = { divider: col.string('group', { divider: true }), zone: col.int('zone', { divider: true }), name: col.string('n', { tree: true }) };
  const text = await render('text', tree, [
    [
      { divider: 'one', zone: 1, name: 'a', $depth: 0 },
      { divider: 'one', zone: 1, name: 'b', $depth: 2 },
    ],
    [{ divider: 'one', zone: 2, name: 'c', $depth: 1 }],
  ]);
  assert.deepEqual(text.split('\n'), ['name', '-----', 'one  zone: 1', 'a', '. . b', '', 'one  zone: 2', '. c', '']);
});

test('a cell of several lines keeps the others in place', async () => {
  const dump = { at: col.physical('where'), bytes: col.bytes('bytes'), comment: col.string('what') };
  const text = await render('text', dump, [[{ at: 16, bytes: Buffer.alloc(40, 0x61), comment: 'here' }]]);
  const lines = text.split('\n').slice(2);
  assert.match(lines[0] ?? '', /^ {6}0x10 {2}61 61.* aaaaaaaaaaaaaaaa {2}here$/);
  assert.match(lines[1] ?? '', /^ {12}61 61.* aaaaaaaaaaaaaaaa$/);
  assert.match(lines[2] ?? '', /^ {12}61 61.* aaaaaaaa$/);
});

test('escape sequences are ours alone', async () => {
  const hostile = [[{ pid: 1, name: '\x1b]0;owned\x07', path: unreadable(1n) }]];
  assert.ok(!(await render('text', columns, hostile)).includes('\x1b'));
  const coloured = await render('text', columns, hostile, { colors: true });
  assert.deepEqual(coloured.split('\x1b').slice(1).map((part) => part.slice(0, part.indexOf('m') + 1)), ['[1m', '[22m', '[2m', '[22m', '[2m', '[22m']);
});

test('wide shows every column of a row on its own line', async () => {
  const text = await render('wide', columns, [[{ pid: 1, name: 'a', secret: 'x\ny', path: null }, { pid: 2, name: 'b' }]]);
  assert.equal(text, 'pid     1\nname    a\nsecret  x\\ny\npath    -\n\npid     2\nname    b\nsecret  -\npath    -\n');
});

test('colours change nothing but colours, whatever the width', async () => {
  const rows = [[{ pid: 1, name: 'a', address: 0xffff888000000000n, path: '/bin/something long enough' }, { pid: 22, name: 'b', address: unreadable(1n), path: null }]];
  const wide = { pid: col.int('p'), address: col.address('a'), name: col.string('n'), path: col.string('p') };
  for (const width of [undefined, 200, 60, 44, 30, 20, 10]) {
    const size = width === undefined ? {} : { width };
    const plain = await render('text', wide, rows, size);
    const coloured = await render('text', wide, rows, { ...size, colors: true });
    assert.equal(stripVTControlCharacters(coloured), plain, String(width));
    if (width === 200) assert.ok(coloured.includes('\x1b[36m0xffff888000000000\x1b[39m'));
    for (const line of plain.split('\n')) assert.ok(width === undefined || line.length <= width);
  }
});

test('JSON and wide output in colours is the same text', async () => {
  const rows = [[{ pid: -1, name: 'say "no": null, 12', secret: true, path: unreadable(1n) }]];
  for (const format of ['json', 'ndjson', 'wide'] as const) {
    const plain = await render(format, columns, rows);
    const coloured = await render(format, columns, rows, { colors: true });
    assert.notEqual(coloured, plain);
    assert.equal(stripVTControlCharacters(coloured), plain);
  }
  assert.ok((await render('ndjson', columns, rows, { colors: true })).includes('\x1b[32m"say \\"no'));
});
