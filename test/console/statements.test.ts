import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Shell } from '../../src/console/shell.js';
import { Statements } from '../../src/console/statements.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { col } from '../../src/plugin/columns.js';
import { Registry } from '../../src/plugin/registry.js';
import { Session } from '../../src/session/session.js';
import { Screen } from '../support/console.js';

const registry = new Registry([], '');
registry.add(
  definePlugin({
    name: 'pslist',
    needs: 'none',
    topic: 'x',
    summary: 'x',
    args: {},
    columns: { n: col.int('n') },
    examples: [{ line: 'pslist' }],
    collect: () => [{ n: 1 }],
  }),
);
const shell = new Shell(new Session({ cache: 'memory' }, registry), {
  output: new Screen(false),
  error: new Screen(false),
});

/** The statements that a text's lines make: as a file or a paste (each line knows the next), or typed one by one. */
async function split(text: string, live: boolean): Promise<string[]> {
  const statements = new Statements((part) => shell.completeness(part));
  const found: string[] = [];
  const lines = text.split('\n');
  for (const [index, line] of lines.entries()) {
    const statement = await statements.add(line, live ? { live } : { next: () => lines[index + 1] });
    if (statement !== undefined && statement.trim() !== '') found.push(statement);
  }
  const rest = statements.take();
  return rest === undefined ? found : [...found, `… ${rest}`];
}

const BOTH: readonly [string, readonly string[]][] = [
  ['pslist\npslist', ['pslist', 'pslist']],
  ['', []],
  ['pslist \\\n n=1', ['pslist  \n n=1']],
  ['pslist "a\nb"', ['pslist "a\nb"']],
  ['const f = (x) => {\n\n  return x;\n}\nf(1)', ['const f = (x) => {\n\n  return x;\n}', 'f(1)']],
  ['[1,\n2,\n3]', ['[1,\n2,\n3]']],
  ['`a\nb`', ['`a\nb`']],
  ['/* a\nb */ 1', ['/* a\nb */ 1']],
  ['for (const x of [1]) {\n  x // }\n}', ['for (const x of [1]) {\n  x // }\n}']],
  ['const s = "}" +\n "{"', ['const s = "}" +\n "{"']],
  ['await f(\n1)', ['await f(\n1)']],
  ['/[{]/.test("x")\n1', ['/[{]/.test("x")', '1']],
  ['select n\nfrom pslist();\npslist', ['select n\nfrom pslist();', 'pslist']],
  ['select n from pslist()\npslist', ['select n from pslist()', 'pslist']],
  ['select "a\nb" from pslist();', ['select "a\nb" from pslist();']],
  ['dump C:\\temp\\\npslist', ['dump C:\\temp\\', 'pslist']],
  ['pslist; select n\nfrom pslist();', ['pslist; select n\nfrom pslist();']],
];

test('lines become statements, typed or read', async () => {
  for (const [text, expected] of BOTH) {
    assert.deepEqual(await split(text, true), expected, `typed: ${text}`);
    assert.deepEqual(await split(text, false), expected, `read: ${text}`);
  }
});

test('a query over several lines that is typed ends at an empty line or ;', async () => {
  assert.deepEqual(await split('select n\nfrom pslist()\nwhere n > 1\n\npslist', true), [
    'select n\nfrom pslist()\nwhere n > 1\n',
    'pslist',
  ]);
  assert.deepEqual(await split('select n\nfrom pslist()\nwhere n > 1;\npslist', true), [
    'select n\nfrom pslist()\nwhere n > 1;',
    'pslist',
  ]);
  assert.deepEqual(await split('select n\nfrom pslist()', true), ['… select n\nfrom pslist()']);
});

test('what is read looks at the line behind', async () => {
  assert.deepEqual(await split('select n\nfrom pslist()\nwhere n > 1\norder by n\npslist\nselect 1', false), [
    'select n\nfrom pslist()\nwhere n > 1\norder by n',
    'pslist',
    'select 1',
  ]);
  assert.deepEqual(await split('select n from pslist()\nwhere n > 1', false), ['select n from pslist()\nwhere n > 1']);
  assert.deepEqual(await split('[1]\n  .map((x) => x)\n  .length\n1', false), [
    '[1]\n  .map((x) => x)\n  .length',
    '1',
  ]);
  assert.deepEqual(await split('if (1) {\n}\nelse {\n}', false), ['if (1) {\n}\nelse {\n}']);
});

test('empty lines give up what is not complete, so that its mistake is told', async () => {
  assert.deepEqual(await split('pslist "a\n\npslist', true), ['pslist "a\n', 'pslist']);
  assert.deepEqual(await split('select n from\n\npslist', true), ['select n from\n', 'pslist']);
  assert.deepEqual(await split('f(\n\n\npslist', true), ['f(\n\n', 'pslist']);
  assert.deepEqual(await split('f(\n', false), ['… f(\n']);
});
