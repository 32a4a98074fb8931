import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { Registry } from '../../src/plugin/registry.js';
import { Conversation, type ConversationOptions } from '../support/console.js';
import { committedSample, skipWithout } from '../support/sample.js';

function registry(): Registry {
  const all = new Registry([], '');
  all.add(
    definePlugin({
      name: 'count',
      needs: 'none',
      topic: 'memory',
      summary: 'counts',
      args: {
        to: arg.int('last number', { positional: true, default: 3 }),
        wait: arg.int('milliseconds', { default: 0 }),
      },
      columns: { n: col.int('the number'), hidden: col.string('hostile text', { hidden: true }) },
      examples: [{ line: 'count 5' }],
      async *collect(_context, args) {
        for (let n = 1; n <= args.to; n++) {
          if (args.wait > 0) await sleep(args.wait);
          yield { n, hidden: () => `\x1b[2J${n}` };
        }
      },
    }),
  );
  all.add(
    definePlugin({
      name: 'fail',
      needs: 'none',
      topic: 'memory',
      summary: 'fails',
      args: {},
      columns: { n: col.int('n') },
      examples: [{ line: 'fail' }],
      *collect() {
        yield { n: 1 };
        throw new PluginError('It does not work.', 'count');
      },
    }),
  );
  return all;
}

const talk = (options: ConversationOptions = {}): Conversation =>
  new Conversation({ registry: registry(), ...options });

/** Types a line and gives what was shown, both streams. */
async function shown(conversation: Conversation, line: string): Promise<string> {
  const { output, error } = await conversation.say(line);
  return [output, error].filter((part) => part !== '').join('\n');
}

test('values are shown as node shows them, hostile text escaped', async () => {
  const conversation = talk();
  const cases: [string, string | RegExp][] = [
    ['1 + 1', '2'],
    ['1n << 32n', '4294967296n (0x100000000)'],
    ['255n', '255n'],
    ['const a = 5', ''],
    ['a + 1', '6'],
    ['let b = await Promise.resolve(7); b', '7'],
    ['b', '7'],
    ['_ + 1', '8'],
    ['{ x: 1, y: "z" }', "{ x: 1, y: 'z' }"],
    ['undefined', ''],
    ['"\\x1b[31m\\u202e"', "'\\x1B[31m\\u202e'"],
    ['[1, 2, 3]', '[ 1, 2, 3 ]'],
    ['Array.from({ length: 300 }, (_, i) => i)', /… |\.\.\. 200 more items/],
    ['"x".repeat(100000).length', '100000'],
    ['new Map([["\\u202e", 1]])', "Map(1) { '\\u202e' => 1 }"],
    ['({ toString: 1, [Symbol.for("nodejs.util.inspect.custom")]: () => "\\x1b[5mx" })', '\\x1b[5mx'],
    ['new Error("\\x1b[2J")', /\\x1b\[2J/],
    ['({ get x() { throw new Error("no") } })', /x: \[Getter\]/],
    ['console.log("a\\x1b[31m", 1n)', 'a\\x1b[31m 1n'],
    ['[{ a: 1, b: "x" }, { a: 22, b: "\\u202e" }]', / {2}a {2}b\n--- {2}-+\n {2}1 {2}x\n 22 {2}\\u202e/],
    [
      'typeof session.plugins.count + typeof plugins.count + typeof count + typeof query',
      "'functionfunctionfunctionfunction'",
    ],
    ['session', /^\[session 1: no image\]/],
  ];
  for (const [line, expected] of cases) {
    const text = await shown(conversation, line);
    if (typeof expected === 'string') assert.equal(text, expected, line);
    else assert.match(text, expected, line);
    assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u, line);
  }
  await conversation.end();
});

test('errors say what and where, never our own stack; the console goes on', async () => {
  const conversation = talk();
  const cases: [string, RegExp][] = [
    ['nothing.x', /^ReferenceError: nothing is not defined\n {2}nothing\.x\n {2}\^$/],
    [
      'let q = 1; q.a.b',
      /^TypeError: Cannot read properties of undefined \(reading 'b'\)\n {2}let q = 1; q\.a\.b\n {17}\^$/,
    ],
    ['throw 5', /^Uncaught 5$/],
    ['throw new Error("\\x1b[31mx")', /^Error: \\x1b\[31mx\n/],
    ['(1 + )', /^SyntaxError: Unexpected token '\)'\n {2}\(1 \+ \)\n {7}\^$/],
    ['1 1', /^SyntaxError: /],
    ['await count({ nosuch: 1 }).rows()', /^count has no argument nosuch|^.*nosuch/],
    ['await fail().rows()', /^It does not work\.\nTry: count$/],
    ['await Promise.reject(new Error("later"))', /^Error: later$/],
    ['null.x', /^TypeError/],
    ['plugins.nosuch()', /^TypeError: plugins\.nosuch is not a function/],
  ];
  for (const [line, expected] of cases) {
    const text = (await conversation.say(line)).error;
    assert.match(text, expected, line);
    assert.doesNotMatch(text, /node:|dist\/|\.js:/, line);
  }
  await conversation.say(
    'Promise.reject(new Error("nobody waits")); setTimeout(() => { throw new TypeError("timer") }, 1); 1',
  );
  await conversation.until(
    () =>
      /Meanwhile: Error: nobody waits/.test(conversation.error.plain) &&
      /Meanwhile: TypeError: timer/.test(conversation.error.plain),
  );
  assert.equal(await shown(conversation, '2 + 2'), '4');
  await conversation.end();
});

test('tables are async-iterable, shown as tables, and become _ as commands do', async () => {
  const conversation = talk();
  assert.equal(
    await shown(conversation, '(await plugins.count({ to: 4 }).rows()).map((row) => row.n)'),
    '[ 1, 2, 3, 4 ]',
  );
  assert.equal(await shown(conversation, 'let sum = 0; for await (const row of count(5)) sum += row.n; sum'), '15');
  assert.equal(await shown(conversation, '(await count().first()).hidden'), "'\\x1B[2J1'");
  assert.match(await shown(conversation, 'count(2)'), /^ {2}n\n---\n {2}1\n {2}2$/);
  assert.equal(await shown(conversation, '_.rows.length + _.rows[1].n'), '4');
  await conversation.say('count 3');
  assert.equal(
    await shown(conversation, '[..._].map((row) => row.hidden)'),
    "[ '\\x1B[2J1', '\\x1B[2J2', '\\x1B[2J3' ]",
  );
  await conversation.say('count 3');
  assert.match(await shown(conversation, 'select hidden from _ where n > 2'), /\\x1b\[2J3$/);
  assert.match(await shown(conversation, '_'), /\\x1b\[2J3$/);
  assert.match(await shown(conversation, 'select count(*) as many from _'), /1$/);
  await conversation.say('[{ a: 1n, b: 2 }, { a: 3n, b: 4 }]');
  assert.match(await shown(conversation, 'select a from _ where b == 4'), /\n3$/);
  assert.match(await shown(conversation, 'query("select n from count() where n == 2")'), /^ *n\n-+\n *2$/);
  assert.equal(await shown(conversation, 'Promise.resolve(5)'), '5');
  assert.match(await shown(conversation, 'await query("select n from count() where n >= {0}", [2]).rows()'), /2\n *3$/);
  // A command wins over a variable of its name where it stands alone.
  await conversation.say('const count = 5');
  assert.match(await shown(conversation, 'count 1'), / {2}1$/);
  assert.equal(await shown(conversation, 'count.toFixed(1)'), "'5.0'");
  await conversation.end();
});

test('what failed before its first row leaves _ as it was; more rows than are kept are told', async () => {
  const conversation = talk();
  await conversation.say('count 2');
  await conversation.say('count to=x');
  await conversation.say('nosuch');
  assert.equal(await shown(conversation, '_.length'), '2');
  assert.match(
    (await conversation.say('count 100001 | true')).error,
    /_ keeps the first 100,000 of these 100,001 rows\./,
  );
  assert.equal(await shown(conversation, '_.length'), '100000');
  await conversation.end();
});

test('statements of JavaScript and queries go over several lines, with a prompt that says so', async () => {
  const conversation = talk({ terminal: true, parameters: { colors: 'no' } });
  await conversation.say('function f(x) {');
  assert.match(conversation.output.plain, /\n? *\.\.\.> $/);
  await conversation.say('');
  await conversation.say('  return x * 2');
  await conversation.say('}');
  assert.match((await conversation.say('f(21)')).output, /\n42$/);
  await conversation.say('select n,');
  await conversation.say('  n * 2 as twice');
  const waiting = await conversation.say('from count(3)');
  assert.match(waiting.error, /an empty line or ; ends the query/);
  await conversation.say('where n > 2');
  assert.match((await conversation.say('')).output, / {2}3 {6}6$/);
  // Of several lines, the mistake's is shown.
  await conversation.say('select n,');
  assert.match(
    (await conversation.say('  nosuch from count();')).error,
    /No column nosuch.*\n {4}nosuch from count\(\);\n {4}\^{6}/s,
  );
  // Ctrl-C drops what was begun.
  await conversation.say('f(');
  await conversation.press('\x03', () => conversation.output.plain.endsWith('> '));
  assert.match((await conversation.say('1 + 2')).output, /\n3$/);
  await conversation.press('\x04', () => true);
  await conversation.end();
});

test('Ctrl-C stops an await, and the table that it waits for', async () => {
  const conversation = talk({ terminal: true });
  await conversation.press('await new Promise(() => console.log(6 * 7))\r', () => conversation.output.plain.includes('\n42\n'));
  await conversation.press('\x03', () => conversation.error.plain.includes('Stopped.'));
  await conversation.say('let seen = 0');
  await conversation.press('for await (const row of count({ to: 1e6, wait: 1 })) if (++seen === 9) console.log(5 * 7)\r', () => conversation.output.plain.includes('\n35\n'));
  await conversation.press('\x03', () => conversation.error.plain.split('Stopped.').length === 3);
  const count = Number(/(\d+)$/.exec((await conversation.say('seen')).output)?.[1]);
  await sleep(100);
  // The loop has ended with it: it would have counted on.
  assert.ok(Math.abs(Number(/(\d+)$/.exec((await conversation.say('seen')).output)?.[1]) - count) <= 1);
  await conversation.press('\x04', () => true);
  await conversation.end();
});

const sample = committedSample();

test(
  'structs are shown by their members, with the kernel’s own values',
  { skip: skipWithout(sample ? [sample] : []) },
  async () => {
    const conversation = new Conversation({ parameters: { filename: sample?.image ?? '' } });
    const text = await shown(conversation, '(await pslist(1).first()).proc');
    assert.match(text, /^ +offset {2}field +type +content\n/);
    assert.match(text, /\n *0x[0-9a-f]+ {2}comm +char\[16\] +init\n/);
    assert.match(text, /\n *0x[0-9a-f]+ {2}pid +int +1\n/);
    assert.match(
      await shown(conversation, '(await pslist({ pids: [1] }).first()).proc.real_parent.comm'),
      /^'swapper\/0'$/,
    );
    assert.match(await shown(conversation, '(await pslist(1).first()).proc.nosuch'), /no member nosuch in task_struct/);
    assert.match(await shown(conversation, 'pslist 1 format=json'), /"name":"init"/);
    assert.equal(await shown(conversation, '_.rows[0].name'), "'init'");
    await conversation.end();
  },
);
