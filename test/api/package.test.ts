import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Shell } from '../../src/console/shell.js';
import { Registry } from '../../src/plugin/registry.js';
import { Session } from '../../src/session/session.js';
import { Screen } from '../support/console.js';
import { temporary } from '../support/folder.js';
import { root } from '../support/root.js';
import { committedSample, skipWithout } from '../support/sample.js';

const sample = committedSample();
const options = { skip: skipWithout(sample ? [sample] : []) };
/** A package of its own, in which `rekall` is installed. */
const outside = temporary();

before(() => {
  mkdirSync(join(outside, 'node_modules', '@types'), { recursive: true });
  symlinkSync(root, join(outside, 'node_modules', 'rekall'));
  symlinkSync(join(root, 'node_modules', '@types', 'node'), join(outside, 'node_modules', '@types', 'node'));
  writeFileSync(join(outside, 'package.json'), '{ "name": "outside", "type": "module" }');
  const compilerOptions = { module: 'nodenext', target: 'es2023', strict: true, noEmit: true, types: ['node'] };
  writeFileSync(join(outside, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['library.ts', 'plugin.ts', 'code.ts', 'guide.ts'] }));
});
/** Of the sample, one for each format. */
const sessions = new Map<string, Session>();
after(() => {
  for (const session of sessions.values()) session.close();
});

const image = JSON.stringify(sample?.image ?? '');
const LIBRARY = `
import { openSession, present, PluginError, UsageError, type Table, type Timestamp } from 'rekall';

const session = await openSession({ filename: ${image}, cache: 'memory' });
const found: string[] = [];
for await (const row of session.plugins.pslist({ pids: [1, 2n], proc_regex: /./ })) {
  const name: string | undefined = present(row.name);
  const started: Timestamp | undefined = present(row.start_time);
  const task = present(row.proc);
  // The members of a task_struct are known.
  const comm: string | undefined = task?.comm;
  if (comm === name && started !== undefined) found.push(name ?? '');
  // @ts-expect-error there is no such column
  row.nmae;
}
console.log(JSON.stringify(found));
const modules = await session.plugins.lsmod().rows();
console.log(modules.length, (await session.plugins.maps(1).first())?.pid);
// @ts-expect-error there is no such argument
if (modules.length > 1e6) session.plugins.pslist({ pid: 1 });
// @ts-expect-error it is a list of numbers
if (modules.length > 1e6) session.plugins.pslist({ pids: [{}] });
// @ts-expect-error there is no such plugin
if (modules.length > 1e6) session.plugins.pslits();
const any: Table = session.plugin('ps' + 'list')({ pids: 1 });
console.log((await any.rows()).length);
console.log(JSON.stringify(await session.query('select name, count(*) as n from pslist() where name =~ {0} group by name', ['^labs']).rows()));
try {
  await session.plugin('pslist')({ pid: 1 }).rows();
} catch (error) {
  console.log(error instanceof UsageError && !(error instanceof PluginError), (error as Error).message);
}
session.close();
`;

/** Removes types with the compiler, as a build of that package would. */
async function compile(name: string): Promise<string> {
  const { default: ts } = await import('typescript');
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
  const path = join(outside, name.replace(/\.ts$/, '.mjs'));
  writeFileSync(path, ts.transpileModule(readFileSync(join(outside, name), 'utf8'), { compilerOptions }).outputText);
  return path;
}

function run(path: string): string {
  const done = spawnSync(process.execPath, [path], { cwd: outside, encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
  return done.stdout;
}

/** What the console answers to a line: rows and everything else. */
async function answer(line: string, format: 'text' | 'json' = 'text'): Promise<{ output: string; error: string }> {
  const [output, error] = [new Screen(false), new Screen(false)];
  const session = sessions.get(format) ?? new Session({ filename: sample?.image, cache: 'memory', format }, Registry.builtIn());
  sessions.set(format, session);
  const shell = new Shell(session, { output, error });
  await shell.execute(line);
  shell.close();
  return { output: output.text, error: error.text };
}

/** The TypeScript blocks of a page, as one module: each in a scope of its own. */
function codeOf(page: string): string {
  const text = readFileSync(join(root, 'docs', page), 'utf8');
  const blocks = [...text.matchAll(/^```ts\n([^]*?)^```/gm)].map(([, block = '']) => block.replaceAll("'memory.raw'", image));
  assert.ok(blocks.length > 0);
  const imports = new Set(blocks.flatMap((block) => [...block.matchAll(/^import \{([^}]*)\} from 'rekall';$/gm)].flatMap(([, names = '']) => names.split(',').map((name) => name.trim()))));
  const bodies = blocks.map((block) => `await (async () => {\n${block.replace(/^import .*\n/gm, '')}})();`);
  return `import { ${[...imports].join(', ')} } from 'rekall';\n${bodies.join('\n')}\n`;
}

const COMMAND = `pslist proc_regex="^lab[mf]\\w+" pids=112,113,117 --as-code`;

test('another package uses the library: types, a module, the template of a plugin, printed code, the examples of the guide', options, async () => {
  writeFileSync(join(outside, 'library.ts'), LIBRARY);
  copyFileSync(join(root, 'docs', 'plugin-template.ts'), join(outside, 'plugin.ts'));
  const code = await answer(COMMAND);
  assert.equal(code.error, '');
  writeFileSync(join(outside, 'code.ts'), code.output);
  writeFileSync(join(outside, 'guide.ts'), codeOf('library.md'));
  const checked = spawnSync(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', outside], { cwd: outside, encoding: 'utf8' });
  assert.equal(checked.stdout, '');
  const [found, sizes, one, query, error] = run(await compile('library.ts')).split('\n');
  assert.equal(found, '["init","kthreadd"]');
  const modules = sample?.truth('proc/modules').trim().split('\n').length;
  assert.equal(sizes, `${modules} 1`);
  assert.equal(one, '1');
  assert.deepEqual((JSON.parse(query ?? '') as { n: number }[]).map((row) => row.n > 0), [true]);
  assert.equal(error, 'true pslist has no argument pid. Did you mean pids?');
  run(await compile('guide.ts'));
});

test('the code that a command stands for gives what the command gives', options, async () => {
  const file = join(outside, 'out.json');
  for (const [line, read] of [
    ['pslist proc_regex="^lab" format=json', undefined],
    [`lsmod format=csv > ${file}`, file],
    [`dt list_head`, undefined],
    [`maps 1 format=text timezone=Europe/Berlin`, undefined],
    [`pslist proc_regex="^(lab|it's|\\"quoted\\")" format=ndjson`, undefined],
  ] as const) {
    const wanted = await answer(line);
    const expected = read === undefined ? wanted.output : readFileSync(read, 'utf8');
    // Behind the arguments: what follows > is no argument.
    const asked = line.includes(' > ') ? line.replace(' > ', ' --as-code > ') : `${line} --as-code`;
    writeFileSync(join(outside, 'printed.ts'), (await answer(asked)).output);
    const printed = run(await compile('printed.ts'));
    if (line.startsWith('dt')) assert.match(printed, /next.*\n[^]*prev/);
    else assert.equal(read === undefined ? printed : readFileSync(read, 'utf8'), expected, line);
  }
});

test('the query that a command stands for gives what the command gives', options, async () => {
  for (const line of [
    'pslist proc_regex="^lab[mf]\\w+"',
    'pslist pids=1,2',
    'pslist task=linux!init_task',
    'lsof proc_regex=labfiles',
    `address_resolver "linux!init_task" "linux!*task_size*"`,
    `describe pslist max_depth=0`,
    'lsmod',
  ]) {
    const asked = await answer(`${line} --as-query`);
    assert.equal(asked.error, '', line);
    assert.match(asked.output, /^select \* from \w+\(.*\)\n$/);
    const [byCommand, byQuery] = [await answer(`${line} format=json`), await answer(asked.output.trim(), 'json')];
    assert.deepEqual(JSON.parse(byQuery.output), JSON.parse(byCommand.output), asked.output);
  }
});

test('as-query and as-code print what was given, and run nothing', options, async () => {
  assert.equal((await answer('memdump 1 dump_dir=/no/such/folder --as-query')).output, 'select * from memdump(pids: [1], dump_dir: "/no/such/folder")\n');
  assert.equal((await answer('pslist method=InitTask --as-query')).output, 'select * from pslist(method: ["InitTask"])\n');
  const redirected = await answer('pslist 1 --as-query format=csv | sort');
  assert.deepEqual([redirected.output, redirected.error], ['select * from pslist(pids: [1]) | sort\n', 'format=csv is the session\'s: smod format=csv in the console, --format=csv on the command line.\n']);
  const code = await answer(`pslist proc_regex="a/'b\\n" --as-code`);
  assert.match(code.output, /pslist\(\{ proc_regex: \/a\\\/'b\\n\/i \}\)/);
  assert.match((await answer('pslist pidz=1 --as-code')).error, /no argument pidz/);
});
