import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { errorText } from '../../../src/console/report.js';
import { PluginError } from '../../../src/plugin/error.js';
import { Registry } from '../../../src/plugin/registry.js';
import { UserPlugins } from '../../../src/plugin/user/collection.js';
import { loadPluginFile } from '../../../src/plugin/user/load.js';
import { Session } from '../../../src/session/session.js';
import { temporary } from '../../support/folder.js';

const folder = temporary();

let written = 0;
function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  // Times differ also where files are written within one tick of the clock.
  const time = new Date(Date.now() - 100_000 + 1000 * ++written);
  utimesSync(path, time, time);
  return path;
}

/** A plugin's source, which gives one row. */
function source(name: string, { value = "'x'", before = '', columns = "text: col.string('what is said')", more = '' } = {}): string {
  return `import { arg, col, definePlugin } from 'rekall';
${before}
export default definePlugin({
  name: '${name}',
  needs: 'none',
  topic: 'session',
  summary: 'a test',
  args: { word: arg.string('a word', { positional: true }) },
  columns: { ${columns} },
  examples: [{ line: '${name}' }],
  ${more}
  *collect(context, args) {
    yield { text: ${value} };
  },
});
`;
}

const session = (): Session => new Session({ cache: 'memory' }, new Registry([], ''));
async function textOf(own: Session, name: string): Promise<unknown> {
  return (await own.run(await own.plugin(name)).rows())[0]?.['text'];
}

test('TypeScript and JavaScript files bring commands; what they import from beside them counts too', async () => {
  write('good/_shared.ts', 'export const mark: string = "shared";');
  write('good/typed.ts', source('typed', { before: "import { mark } from './_shared.js';\nconst f = <T>(x: T): T => x;", value: 'f<string>(mark)' }));
  write('good/plain.js', source('plain', { value: "'plain'" }));
  write('good/module.mjs', source('module', { value: "'module'" }));
  write('good/helper.ts', 'export const nothing: number = 1;');
  write('good/types.d.ts', 'export type X = 1;');
  const own = session();
  const brought = await new UserPlugins(own.registry, undefined).take([join(folder, 'good')]);
  assert.deepEqual(brought.flatMap(({ fault }) => fault ?? []), []);
  assert.deepEqual(own.registry.list().map((entry) => entry.name).sort(), ['module', 'plain', 'typed']);
  assert.deepEqual([await textOf(own, 'typed'), await textOf(own, 'plain'), await textOf(own, 'module')], ['shared', 'plain', 'module']);
});

test("'rekall' in a plugin is the program that runs", async () => {
  const path = write('same.ts', source('same', { before: "import { Absent, PluginError } from 'rekall';\nexport const classes = [Absent, PluginError];", value: "() => { throw new Absent('not-applicable', 'no'); }" }));
  const own = session();
  await new UserPlugins(own.registry, undefined).take([path]);
  const run = own.run(await own.plugin('same'));
  const [row] = await run.rows();
  assert.equal(String(row?.['text']), 'not-applicable: no');
});

test('declarations are kept: a start loads no plugin file', async () => {
  const cache = join(folder, 'cache');
  const path = write('kept/kept.ts', source('kept', { before: '(globalThis as { loads?: number }).loads = ((globalThis as { loads?: number }).loads ?? 0) + 1;' }));
  const loads = (): number => (globalThis as { loads?: number }).loads ?? 0;
  const first = session();
  await new UserPlugins(first.registry, cache).take([join(folder, 'kept')]);
  assert.equal(loads(), 1);
  const second = session();
  await new UserPlugins(second.registry, cache).take([join(folder, 'kept')]);
  assert.equal(loads(), 1);
  assert.deepEqual(second.registry.named('kept').map((entry) => [entry.summary, Object.keys(entry.args)]), [['a test', ['word']]]);
  assert.equal(await textOf(second, 'kept'), 'x');
  assert.equal(loads(), 2);
  // A change is noticed by the file's time, and compiled code is kept by content.
  assert.equal(readdirSync(join(cache, 'plugins')).length, 1);
  write('kept/kept.ts', source('kept_too'));
  const third = session();
  await new UserPlugins(third.registry, cache).take([join(folder, 'kept')]);
  assert.deepEqual(third.registry.list().map((entry) => entry.name), ['kept_too']);
  // A damaged cache counts as none.
  writeFileSync(join(cache, 'user-plugins.json'), '{"form":');
  const fourth = session();
  await new UserPlugins(fourth.registry, cache).take([path]);
  assert.deepEqual(fourth.registry.list().map((entry) => entry.name), ['kept_too']);
});

test('a file is loaded again with its present text', async () => {
  const own = session();
  const plugins = new UserPlugins(own.registry, undefined);
  const shared = write('again/part.ts', 'export const part = "one";');
  const path = write('again/again.ts', source('again', { before: "import { part } from './part.js';", value: 'part' }));
  await plugins.reload(path);
  assert.equal(await textOf(own, 'again'), 'one');
  writeFileSync(shared, 'export const part = "two";');
  await plugins.reload(path);
  assert.equal(await textOf(own, 'again'), 'two');
  // What it no longer brings is gone.
  write('again/again.ts', source('anew'));
  await plugins.reload(path);
  assert.deepEqual(own.registry.list().map((entry) => entry.name), ['anew']);
});

test('what is wrong with a file is said with file and line', async () => {
  const cases: [string, string, RegExp][] = [
    ['syntax.ts', `import { col } from 'rekall';\nconst x = ;\n`, /^\/.*syntax\.ts:2: Expression expected\.$/],
    ['syntax.js', `import { col } from 'rekall';\n\nconst x = ;\n`, /^\/.*syntax\.js:3: Expression expected\.$/],
    ['inner.js', `import { col } from 'rekall';\nimport './part.js';\n`, /^\/.*part\.js:2: '}' expected\.$/],
    ['throws.ts', `import { col } from 'rekall';\ntype A = 1;\ninterface B { c: A }\nexport const a: B = (undefined as unknown as { d: B }).d;\n`, /^\/.*throws\.ts:4: TypeError: Cannot read properties of undefined \(reading 'd'\)\.$/],
    ['export.ts', `import { col,\n  definPlugin } from 'rekall';\nexport default definPlugin({ col });\n`, /^\/.*export\.ts:\d: SyntaxError: .*does not provide an export named 'definPlugin'.*Did you mean definePlugin\?$/],
    ['import.ts', `// what is not there\nimport { x } from './nowhere.js';\nexport default x;\n`, /^\/.*import\.ts:2: It imports \.\/nowhere\.js, and there is no such file\.$/],
    ['require.js', `const { col } = require('rekall');\n`, /^\/.*require\.js:1: ReferenceError: require is not defined in ES module scope/],
    ['none.ts', `export const x = 1;\n`, /^\/.*none\.ts exports no plugin\.$/],
    ['name.ts', source('Bad-Name'), /^\/.*name\.ts:4: Bad-Name: its name is not made of/],
    ['column.ts', source('column', { columns: "text: { type: 'strng', doc: 'x' } as never, more: col.int('')" }), /^\/.*column\.ts:4: column: column text has no type strng: perhaps string\.\n.*:4: column: column more has no sentence\.$/],
    ['example.ts', source('example').replace("line: 'example'", "line: 'other'"), /:4: example: its example 'other' runs another command\.$/],
    ['text.txt', 'x', /text\.txt is no plugin file: those end in \.ts, \.mts, \.js, \.mjs\.$/],
  ];
  write('wrong/part.js', 'export const x = {\n');
  for (const [name, text, message] of cases) {
    const path = write(`wrong/${name}`, text);
    await assert.rejects(loadPluginFile(path, undefined), (error: Error) => {
      assert.ok(error instanceof PluginError, `${name}: ${String(error)}`);
      assert.match(error.message, message, name);
      return true;
    });
  }
  await assert.rejects(loadPluginFile(join(folder, 'missing.ts'), undefined), /PluginError: There is no file/);
});

test('one broken file is no reason to miss the others', async () => {
  write('mixed/broken.ts', 'export default {');
  write('mixed/fine.ts', source('fine'));
  const own = session();
  const brought = await new UserPlugins(own.registry, undefined).take([join(folder, 'mixed'), join(folder, 'no-such-folder')]);
  const faults = brought.flatMap(({ fault }) => fault ?? []);
  assert.equal(faults.length, 2);
  assert.match(faults[0] ?? '', /mixed\/broken\.ts:1: /);
  assert.match(faults[1] ?? '', /There is no file or folder .*no-such-folder/);
  assert.equal(await textOf(own, 'fine'), 'x');
});

test('a built-in command is hidden as long as a file brings one of its name; names of others are refused', async () => {
  const own = new Session({ cache: 'memory' }, Registry.builtIn());
  const plugins = new UserPlugins(own.registry, undefined);
  const path = write('hide/hide.ts', source('null', { value: "'mine'" }));
  const [brought] = await plugins.reload(path);
  assert.deepEqual(brought?.hides, ['null']);
  assert.equal(own.registry.named('null').length, 1);
  assert.equal(await textOf(own, 'null'), 'mine');
  write('hide/hide.ts', source('mine_only'));
  await plugins.reload(path);
  assert.equal(own.registry.named('null')[0]?.summary, 'does nothing: what is left is the time that starting takes');
  const [clash] = await plugins.reload(write('hide/alias.ts', source('unique', { more: "aliases: ['pslist']," })));
  assert.match(clash?.fault ?? '', /alias\.ts: pslist is a name of another command/);
  assert.equal(own.registry.named('unique').length, 0);
});

test('an error in a running plugin names its line', async () => {
  const path = write('runs/fails.ts', source('fails', { before: 'type A = number;\ntype B = A;\nconst list: { x: B }[] = [];', value: 'list[3]!.x' }));
  const cell = write('runs/cell.ts', source('cell', { before: 'interface Long {\n  a: 1;\n}\nconst none = undefined as unknown as { b: Long };', value: '() => none.b' }));
  const own = session();
  await new UserPlugins(own.registry, undefined).take([path, cell]);
  await assert.rejects(textOf(own, 'fails'), (error) => {
    assert.match(errorText(error), /runs\/fails\.ts:15: TypeError: Cannot read properties of undefined \(reading 'x'\)\nThis is a mistake in that plugin/);
    return true;
  });
  await assert.rejects(textOf(own, 'cell'), (error) => {
    assert.match(errorText(error), /runs\/cell\.ts:16: TypeError: Cannot read properties of undefined \(reading 'b'\)/);
    return true;
  });
  assert.ok(existsSync(path));
});
