import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { QueryError } from '../../../src/query/error.js';
import { Timestamp } from '../../../src/object/time.js';
import { Registry } from '../../../src/plugin/registry.js';
import { engineTables } from '../../../src/query/session/engine-tables.js';
import { prepareInSession } from '../../../src/query/session/statements.js';
import { SessionGroup } from '../../../src/session/group.js';
import { Session } from '../../../src/session/session.js';
import { temporary } from '../../support/folder.js';
import { committedSample } from '../../support/sample.js';
import { sampleImage } from '../../support/windows-sample.js';

const sample = committedSample();
const skip = sample ? false : 'no committed sample';
const folder = temporary();
const group = new SessionGroup();
const open = (): Session => group.add(new Session({ cache: 'memory', ...(sample ? { filename: sample.image } : {}) }, Registry.builtIn()));
const session = open();
const other = open();
after(() => {
  group.close();
});

async function rows(text: string, parameters: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
  return (await (await prepareInSession(session, text, { parameters })).rows()).map((row) => ({ ...row }));
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('images of two systems in one query: each command has the columns of the session that is asked', { skip }, async () => {
  const both = new SessionGroup();
  const linux = both.add(new Session({ cache: 'memory', ...(sample ? { filename: sample.image } : {}) }, Registry.builtIn()));
  const windows = both.add(new Session({ cache: 'memory', filename: sampleImage }, Registry.builtIn()));
  const ask = async (from: Session, text: string): Promise<unknown> => (await (await prepareInSession(from, text)).rows()).map((row) => ({ ...row }));
  const [first, second] = [linux.id, windows.id];
  assert.deepEqual(await ask(linux, `select _EPROCESS.name as name from pslist(session: ${second}) where pid == 484`), [{ name: 'lsass.exe' }]);
  assert.deepEqual(await ask(windows, `select proc.name as name from pslist(session: ${first}) where pid == 1`), [{ name: 'init' }]);
  assert.deepEqual(
    await ask(linux, `select proc.name as name from pslist() where pid == 1 union select _EPROCESS.name as name from pslist(session: ${second}) where pid == 4`),
    [{ name: 'init' }, { name: 'System' }],
  );
  await assert.rejects(ask(linux, `select proc from pslist(session: ${second})`), /No column proc in pslist[^]*_EPROCESS/);
  both.close();
});

test('two images in one query', { skip }, async () => {
  const truth = sample?.list('proc').filter((name) => /^\d+$/.test(name)).length;
  const [both] = await rows('select count(*) as n from pslist() a join pslist(session: {0}) b on a.pid = b.pid and a.name = b.name', [other.id]);
  assert.ok(Number(both?.['n']) >= Number(truth));
  assert.deepEqual(await rows('select pid from pslist() except select pid from pslist(session: 2)'), []);
  await assert.rejects(rows('select pid from pslist(session: 9)'), (error: QueryError) => {
    assert.match(error.message, /There is no session 9: there are 1, 2/);
    assert.deepEqual(error.place && 'select pid from pslist(session: 9)'.slice(error.place.start, error.place.end), '9');
    return true;
  });
  assert.deepEqual(await rows('select id, current from open_sessions() order by id'), [
    { id: 1, current: true },
    { id: 2, current: false },
  ]);
});

test('no table of the engine has the name of a command', () => {
  const registry = Registry.builtIn();
  for (const { name } of engineTables(session, { views: new Map(), variables: new Map() })) assert.deepEqual(registry.named(name).map((entry) => entry.name), [], name);
});

test('symbols and members are those that the guest had', { skip }, async () => {
  const kallsyms = new Map<string, [string, string]>();
  for (const line of sample?.truth('kallsyms').split('\n') ?? []) {
    const [, address = '', kind = '', name = ''] = /^(\w+) (\w) (\S+)$/.exec(line) ?? [];
    if (name.startsWith('init_task')) kallsyms.set(name, [address, kind]);
  }
  assert.ok(kallsyms.size > 0);
  const found = await rows('select name, address, kind from symbols("linux!init_task*")');
  assert.deepEqual(
    found.map(({ name, address, kind }) => [name, (address as bigint).toString(16), kind]).sort(),
    [...kallsyms].map(([name, [address, kind]]) => [name, address.replace(/^0+/, ''), kind]).sort(),
  );
  const members = await rows('select name, offset, size, type from members("task_struct") where name in ("comm", "pid", "tgid") order by offset');
  assert.deepEqual(members.map(({ name, size, type }) => [name, size, type]), [
    ['pid', 4, 'int'],
    ['tgid', 4, 'int'],
    ['comm', 16, 'char[16]'],
  ]);
  assert.equal(Number(members[1]?.['offset']) - Number(members[0]?.['offset']), 4);
  assert.deepEqual((await rows('select kind from types("task_struct")')).map(({ kind }) => kind), ['struct']);
  await assert.rejects(rows('select * from members("task_strct")'), /There is no struct task_strct. Did you mean task_struct\?/);
});

test('columns and arguments are those of the declarations', async () => {
  const entry = session.registry.find('pslist', 'linux');
  assert.deepEqual((await rows('select name from columns("pslist")')).map(({ name }) => name), Object.keys(entry?.columns ?? {}));
  assert.deepEqual((await rows('select name from arguments("pslist")')).map(({ name }) => name), Object.keys(entry?.args ?? {}));
  assert.deepEqual((await rows('select kind from functions() where name == "substr"')), [{ kind: 'scalar' }]);
  await assert.rejects(rows('select * from columns("pslits")'), /Did you mean/);
});

test('a command that another tool has is explained', { skip }, async () => {
  await assert.rejects(rows('select * from hivelist()'), /hivelist/);
  await assert.rejects(rows('select * from pslits()'), /pslist/);
});

test('JSON in every form, with whole numbers exact and times as times', async () => {
  const objects = '{"pid": 1, "name": "a, ]}\\"", "big": 18446612682070032384, "at": "2026-11-24T01:46:00.387181925Z", "in": {"x": [1, 2]}, "f": 1.5}';
  const path = file('rows.json', `[ ${objects},\n {"pid": 2, "name": null, "late": true} ]`);
  for (const source of [path, file('one.ndjson', `${objects}\n{"pid": 2, "name": null, "late": true}\n`)]) {
    const [first, second] = await rows('select * from json({0})', [source]);
    assert.equal(first?.['name'], 'a, ]}"');
    assert.equal(first?.['big'], 18446612682070032384n);
    assert.equal((first?.['at'] as Timestamp).ns, Timestamp.fromSeconds(BigInt(Date.UTC(2026, 10, 24, 1, 46)) / 1000n, 387181925n).ns);
    assert.deepEqual([first?.['f'], first?.['late'], second?.['late'], second?.['name']], [1.5, null, true, null]);
  }
  assert.deepEqual(await rows('select pid from json({0}) where at > "2026-11-24 01:45" and big == 18446612682070032384', [path]), [{ pid: 1 }]);
  assert.deepEqual(await rows('select * from json({0})', [file('values.json', '[1, "a", null, [2], true]')]), [{ value: 1 }, { value: 'a' }, { value: null }, { value: [2] }, { value: true }]);
  assert.deepEqual(await rows('select a from json({0})', [file('object.json', '{"a": "only"}')]), [{ a: 'only' }]);
  assert.deepEqual(await rows('select * from json({0})', [file('empty.json', '[]')]), []);
  await assert.rejects(rows('select * from json({0})', [file('broken.json', '[{"a": 1}, {"a": }]')]), /value 2 is no JSON/);
  await assert.rejects(rows('select * from json({0})', [file('cut.json', '[{"a": 1}, {"a"')]), /value 2 is no JSON/);
  await assert.rejects(rows('select * from json({0})', [join(folder, 'none.json')]), /there is no such file/);
  await assert.rejects(rows('select * from json({0})', [folder]), /it is a folder/);
});

test('CSV as Python writes it', async () => {
  const python = 'import csv,sys; w=csv.writer(open(sys.argv[1],"w",newline="")); w.writerows([["a","b","c d","e","e"],[1,"x,\\"y\\"\\nz","0x1f","2026-01-02T03:04:05Z",1.5],[2,"","0xffff888000000000","2026-01-02T03:04:06+00:00",-2]])';
  const path = join(folder, 'python.csv');
  execFileSync('python3', ['-c', python, path]);
  const found = await rows('select * from csv({0})', [path]);
  const at = (second: number): Timestamp => Timestamp.fromSeconds(BigInt(Date.UTC(2026, 0, 2, 3, 4, second)) / 1000n);
  assert.deepEqual(found, [
    { a: 1, b: 'x,"y"\nz', 'c d': 0x1fn, e: at(5), e_2: 1.5 },
    { a: 2, b: null, 'c d': 0xffff888000000000n, e: at(6), e_2: -2 },
  ]);
  assert.deepEqual(await rows('select * from csv({0}, delim: "tab", decode_header: false, trim: true)', [file('t.tsv', ' a \t007\n b\t8')]), [
    { column_1: 'a', column_2: '007' },
    { column_1: 'b', column_2: '8' },
  ]);
  await assert.rejects(rows('select * from csv({0})', [file('open.csv', 'a\n"b')]), /quote is never closed/);
  await assert.rejects(rows('select * from csv({0}, delim: "ab")', [path]), /one character/);
  assert.deepEqual(await rows('select * from lines({0})', [file('lines.txt', 'one\r\ntwo\n\nfour')]), [
    { number: 1, line: 'one' },
    { number: 2, line: 'two' },
    { number: 3, line: '' },
    { number: 4, line: 'four' },
  ]);
});

test('a large file is not held as a whole, and is left when enough was read', async () => {
  const lines = Array.from({ length: 200_000 }, (_, index) => `{"n":${index},"text":"${'x'.repeat(50)}"}\n`).join('');
  // Who reads on comes to a mistake.
  const broken = file('broken.ndjson', `${lines}{"n":`);
  assert.deepEqual(await rows('select n from json({0}) limit 1 offset 5', [broken]), [{ n: 5 }]);
  await assert.rejects(rows('select count(*) from json({0})', [broken]));
  assert.deepEqual(await rows('select count(*) as c, sum(n) as s from json({0})', [file('large.ndjson', lines)]), [{ c: 200_000, s: (200_000 * 199_999) / 2 }]);
});


test('what is written name = value compares where a function has no such argument', async () => {
  const source = [{ pid: 1, name: 'a' }, { pid: 4, name: 'b' }];
  const path = file('pids.json', JSON.stringify(source));
  assert.deepEqual(await rows('select str(pid = 4) as s from json({0}) order by pid', [path]), [{ s: 'false' }, { s: 'true' }]);
  assert.deepEqual(await rows('select substr(text = "abcd", start = 1, end = 2) as s'), [{ s: 'b' }]);
  assert.deepEqual(await rows('let same(x) = x select same(pid = 1) as s from json({0}) order by pid', [path]), [{ s: true }, { s: false }]);
});
