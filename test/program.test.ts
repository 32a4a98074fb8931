import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import { temporary } from './support/folder.js';
import { root } from './support/root.js';

type Exports = Record<string, unknown>;
type Module = (exports: Exports, require: (name: string) => unknown, load: (name: string) => unknown, meta: unknown) => void;
interface Packed {
  readonly code: string;
}

const { packed, script } = (await import(pathToFileURL(join(root, 'bin', 'pack.mjs')).href)) as {
  packed(name: string, text: string): Packed;
  script(modules: ReadonlyMap<string, Packed>): string;
};

const image = join(root, 'fixtures', 'linux-6.1-tiny', 'image.kdump');
const folder = temporary();

function packedAll(sources: Readonly<Record<string, string>>): string {
  return script(new Map(Object.entries(sources).map(([name, text]) => [name, packed(name, text)])));
}

/** What a module exports when it and what it imports run packed. */
function run(sources: Readonly<Record<string, string>>, name: string): Exports {
  const { modules } = new Script(packedAll(sources)).runInThisContext() as { modules: Readonly<Record<string, Module>> };
  const loaded = new Map<string, Exports>();
  const module = (wanted: string): unknown => {
    const known = loaded.get(wanted);
    const body = modules[wanted];
    if (known || !body) return known ?? process.getBuiltinModule(wanted);
    const exports: Exports = {};
    loaded.set(wanted, exports);
    body(exports, module, (other) => ({ loads: other }), { url: `at:${wanted}` });
    return exports;
  };
  return module(name) as Exports;
}

test('a packed module imports and exports as it did', () => {
  const sources = {
    'src/a.js': "export const one = 1, two = 2;\nexport class Three {}\nexport function four() { return one + 3; }\nconst own = 'five';\nexport { own as five };\n",
    'src/b.js': "export * from './a.js';\nexport { four as six } from './a.js';\nexport const text = '…';\n",
    'top.js': [
      "import { sep as separator } from 'node:path';",
      "import * as b from './src/b.js';",
      "import { six, one } from './src/b.js';",
      'export const all = [b.two, six(), one, b.five, b.text, separator, typeof b.Three];',
      "export const later = import('./src/a.js');",
      'export const here = import.meta.url;',
      'export function line() { return new Error().stack; }',
    ].join('\n'),
  };
  const top = run(sources, 'top.js');
  assert.deepEqual(top['all'], [2, 4, 1, 'five', '…', process.getBuiltinModule('node:path').sep, 'function']);
  assert.deepEqual([top['later'], top['here']], [{ loads: 'src/a.js' }, 'at:top.js']);
});

test('modules that import each other have what the other exports when they use it', () => {
  const sources = {
    'even.js': "import { Odd, odd } from './odd.js';\nexport let asked = 0;\nexport function even(n) { asked++; return n === 0 || odd(n - 1); }\nexport const kinds = () => [new Odd(), asked];\n",
    'odd.js': "import { asked, even } from './even.js';\nexport const odd = (n) => n !== 0 && even(n - 1);\nexport class Odd { asked = asked; }\n",
  };
  const { even, kinds } = run(sources, 'even.js') as { even(n: number): boolean; kinds(): unknown[] };
  assert.equal(even(7), false);
  assert.deepEqual(JSON.parse(JSON.stringify(kinds())), [{ asked: 4 }, 4]);
});

test('names that packed modules are given are refused', () => {
  assert.throws(() => packed('x.js', 'const $load = 1;'), /\$load is a name that packed modules are given/);
});

function rekall(...words: readonly string[]): { readonly output: string; readonly error: string; readonly status: number | null } {
  const done = spawnSync(process.execPath, [join(root, 'bin', 'rekall'), '--home', folder, '--cache', 'memory', ...words], { encoding: 'utf8', input: '' });
  return { output: done.stdout, error: done.stderr, status: done.status };
}

test('the packed program says what the modules say, which run with --debug', () => {
  assert.deepEqual(rekall('-f', image, 'pslist'), rekall('-f', image, '--debug', 'pslist'));
});

test("a user's plugin and the program mean the same classes", () => {
  const file = join(folder, 'mine.ts');
  writeFileSync(
    file,
    `import { Absent, col, definePlugin, PluginError } from 'rekall';
export const mine = definePlugin({
  name: 'mine', needs: 'none', topic: 'session', summary: 'mine', args: {}, columns: { text: col.string('text') }, examples: [{ line: 'mine' }],
  *collect() { yield { text: (): string => { throw new Absent('corrupt', 'not there'); } }; throw new PluginError('That was all.'); },
});
`,
  );
  const { output, error, status } = rekall('--plugin', file, '--format', 'json', 'mine');
  assert.deepEqual([JSON.parse(output), error, status], [[{ text: null }], 'That was all.\n', 1]);
});
