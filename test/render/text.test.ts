import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/property.js';
import stringWidth from 'string-width';
import { stripVTControlCharacters } from 'node:util';
import { unreadable } from '../../src/memory/absent.js';
import { col, type Column, type Row } from '../../src/plugin/columns.js';
import { render } from '../support/table.js';

const columns = {
  pid: col.int('id'),
  name: col.string('name'),
  secret: col.string('more', { hidden: true }),
  path: col.string('path'),
};

/** Tables of two to eight columns and up to six rows. */
const tables: fc.Arbitrary<{ columns: Record<string, Column>; rows: Row[] }> = fc
  .array(fc.record({ type: fc.constantFrom('int', 'address', 'string', 'path', 'sentence'), minor: fc.boolean() }), { minLength: 2, maxLength: 8 })
  .chain((shape) => {
    const columns = Object.fromEntries(
      shape.map(({ type, minor }, index): [string, Column] => [`column_${index}`, type === 'int' ? col.int('n', { minor }) : type === 'address' ? col.address('a', { minor }) : col.string('t', { minor })]),
    );
    const values: Record<string, fc.Arbitrary<unknown>> = {
      int: fc.nat(),
      address: fc.bigInt(0n, 2n ** 64n - 1n),
      string: fc.string({ maxLength: 50, unit: 'grapheme' }),
      path: fc.array(fc.string({ minLength: 1, maxLength: 12 }), { maxLength: 8 }).map((parts) => parts.join('\\')),
      sentence: fc.lorem({ maxCount: 30 }),
    };
    const row = fc.record(Object.fromEntries(shape.map(({ type }, index) => [`column_${index}`, values[type] as fc.Arbitrary<unknown>])));
    return fc.record({ columns: fc.constant(columns), rows: fc.array(row as fc.Arbitrary<Row>, { minLength: 1, maxLength: 6 }) });
  });

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

test('a path too long for the last column stands below its row in one piece, and nothing moves elsewhere', async () => {
  const long = '/a/very/long/path/indeed/it/is';
  const rows = [[{ pid: 1, name: 'a', path: long }, { pid: 2, name: 'b', path: '/bin/true' }]];
  const narrow = await render('text', columns, rows, { width: 36 });
  assert.deepEqual(narrow.split('\n').slice(2), ['  1  a', `    ${long}`, '  2  b     /bin/true', '']);
  assert.ok((await render('text', columns, rows)).includes(`  1  a     ${long}\n`));
});

test('a sentence in the last column is wrapped between words', async () => {
  const prose = { pid: col.int('id'), what: col.string('sentence') };
  const text = await render('text', prose, [[{ pid: 1, what: 'described by its region alone, prototype at 0xfffff8a000c2c018: empty' }]], { width: 40 });
  assert.deepEqual(text.split('\n').slice(2), ['  1  described by its region alone,', '     prototype at 0xfffff8a000c2c018:', '     empty', '']);
});

test('a terminal too narrow takes blanks first, cuts what is declared less important, leaves it out, and never cuts a number', async () => {
  const listing = {
    at: col.address('where'),
    bytes: col.string('bytes', { width: 22, minor: true }),
    code: col.string('code', { width: 20 }),
    size: col.physical('how many'),
    what: col.string('what'),
  };
  const rows = [[{ at: 0xffffffff81000000n, bytes: '65488b1c2580f5480000', code: 'MOV RBX, RAX', size: 0x2a1aa40, what: 'linux!current_task' }]];
  const lines = async (width: number): Promise<string[]> => (await render('text', listing, rows, { width })).split('\n').slice(2, -1);
  assert.deepEqual(await lines(100), ['0xffffffff81000000  65488b1c2580f5480000    MOV RBX, RAX           0x2a1aa40  linux!current_task']);
  assert.deepEqual(await lines(86), ['0xffffffff81000000  65488b1c2580f5480000  MOV RBX, RAX   0x2a1aa40  linux!current_task']);
  assert.deepEqual(await lines(81), ['0xffffffff81000000  65488b1c2580f54…  MOV RBX, RAX  0x2a1aa40  linux!current_task']);
  const left = 'Left out, for want of room: bytes. format=wide shows all.';
  assert.deepEqual(await lines(70), ['0xffffffff81000000  MOV RBX, RAX   0x2a1aa40  linux!current_task', left]);
  assert.deepEqual(await lines(60), ['0xffffffff81000000  MOV RBX, RAX  0x2a1aa40', '    linux!current_task', left]);
  // What does not fit even so goes on below, heading and all.
  assert.deepEqual((await lines(36)).slice(1), ['0xffffffff81000000  MOV RBX, RAX', '     0x2a1aa40  linux!current_task', 'Left out, for want of room: bytes.', '  format=wide shows all.']);
});

test('what identifies is cut no more than a number, a path keeps its end', async () => {
  const table = { guid: col.string('id', { whole: true }), path: col.string('file'), note: col.string('remark') };
  const row = { guid: 'F8E2A8B5C9B74BF4A6E4A48F180099942', path: '\\Device\\HarddiskVolume2\\Windows\\System32\\ntdll.dll', note: 'as it should be, and nothing is wrong with it' };
  const text = await render('text', table, [[row]], { width: 96 });
  assert.match(text, /^F8E2A8B5C9B74BF4A6E4A48F180099942 {2}\\Device\\\S*…\S*\\ntdll\.dll/m);
});

test('objects give up their addresses before they are lost themselves, and hex dumps stand in narrower lines', async () => {
  const table = { at: col.address('where'), bytes: col.bytes('content'), comment: col.string('what') };
  const rows = [[{ at: 0xffffffff81000000n, bytes: Buffer.alloc(16, 0x41), comment: 'linux!init_task' }]];
  assert.deepEqual((await render('text', table, rows, { width: 80 })).split('\n').slice(2), [
    '0xffffffff81000000  41 41 41 41 41 41 41 41  AAAAAAAA  linux!init_task',
    '                    41 41 41 41 41 41 41 41  AAAAAAAA',
    '',
  ]);
});

test('where everything is asked for nothing is left out: what does not fit goes on below', async () => {
  const table = { at: col.address('where', { minor: true }), name: col.string('name', { whole: true }), end: col.address('end', { minor: true }) };
  const rows = [[{ at: 0xffffffff81000000n, name: 'a-name-of-no-great-length', end: 0xffffffff81002000n }]];
  assert.match(await render('text', table, rows, { width: 50 }), /^Left out, for want of room: end\./m);
  assert.deepEqual((await render('text', table, rows, { width: 50, full: true })).split('\n').slice(3), ['0xffffffff81000000  a-name-of-no-great-length', '    0xffffffff81002000', '']);
});

test('a later row that leaves no room for all has the heading written again', async () => {
  const table = { name: col.string('name'), count: col.int('number', { minor: true }), size: col.int('bytes') };
  const text = await render('text', table, [[{ name: 'abcdefghijklmn', count: 1, size: 1 }], [{ name: 'b', count: 2, size: 10n ** 18n }]], { width: 36 });
  assert.deepEqual(text.split('\n'), [
    'name            count  size',
    '--------------  -----  ----',
    'abcdefghijklmn      1     1',
    '',
    'name                           size',
    '--------------  -------------------',
    'b               1000000000000000000',
    'Left out, for want of room: count.',
    '  format=wide shows all.',
    '',
  ]);
});

test('whatever the table and the terminal: no line is wider, and no number is cut or lost in silence', () =>
  fc.assert(
    fc.asyncProperty(tables, fc.integer({ min: 30, max: 200 }), async ({ columns: shape, rows }, width) => {
      const half = Math.ceil(rows.length / 2);
      const text = await render('text', shape, [rows.slice(0, half), rows.slice(half)], { width });
      for (const line of text.split('\n')) assert.ok(stringWidth(line) <= width, line);
      const [, left = ''] = /Left out, for want of room:([^]*)/.exec(text) ?? [];
      for (const row of rows) {
        for (const [name, column] of Object.entries(shape)) {
          if (column.type !== 'int' && column.type !== 'address') continue;
          const value = row[name] as number | bigint;
          const shown = column.type === 'address' ? `0x${value.toString(16).padStart(12, '0')}` : value.toString();
          assert.ok(text.split(/\s+/).includes(shown) || new RegExp(`\\b${name}\\b`).test(left), `${name}: ${shown} at ${width}\n${text}`);
        }
      }
      assert.equal(stripVTControlCharacters(await render('text', shape, [rows.slice(0, half), rows.slice(half)], { width, colors: true })), text);
    }),
    { numRuns: 60 },
  ));

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
