import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { METHODS } from '../../src/kernel/windows/processes/processes.js';
import { Session } from '../../src/session/session.js';
import { openRemembered } from '../../src/symbols/open.js';
import { Answers, type AnswerStore, RememberedProfile, RememberedSymbols, RememberedTypes } from '../../src/symbols/remembered.js';
import { ConstantMap, type ProfileSource } from '../../src/symbols/source.js';
import type { StructLayout, SymbolSource, TypeDescriptor, TypeSource } from '../../src/symbols/types.js';
import { root } from '../support/root.js';
import { rowsOf } from '../support/sample.js';

const home = mkdtempSync(join(tmpdir(), 'rekall-remembered-'));
after(() => rmSync(home, { recursive: true }));

const int: TypeDescriptor = { kind: 'int', size: 4, signed: true, name: 'int' };
const colour = { kind: 'enum', name: 'colour', size: 4, signed: false, choices: new Map([['18446744073709551615', 'none'], ['1', 'red']]) } as const;
const layout: StructLayout = {
  name: 'thing',
  union: false,
  size: 32,
  members: new Map<string, { offset: number; type: TypeDescriptor }>([
    ['second', { offset: 8, type: { kind: 'pointer', target: { kind: 'array', count: 3, target: colour } } }],
    ['first', { offset: 0, type: { kind: 'bitfield', base: colour, startBit: 2, bits: 3 } }],
    ['__proto__', { offset: 16, type: { kind: 'inline', layout: { union: true, size: 4, members: new Map([['x', { offset: 0, type: int }]]) } } }],
    ['named', { offset: 20, type: { kind: 'named', name: 'Flags', args: { target: int, maskmap: { A: 1 } } } }],
  ]),
};
const types: TypeSource = {
  struct: (name) => (name === 'thing' ? layout : undefined),
  enum: (name) => (name === 'colour' ? colour : undefined),
  typedef: (name) => (name === 'number' ? int : undefined),
  structNames: () => ['thing'],
  enumNames: () => ['colour'],
};

/** A store whose content goes through JSON, as a file's does. */
function store(build: string | undefined = 'a build', content = '{}'): AnswerStore & { text(): string } {
  const values = JSON.parse(content) as Record<string, unknown>;
  return { build, get: (key) => values[key], set: (key, value) => void (values[key] = value), text: () => JSON.stringify(values) };
}

function opened(from: AnswerStore, about = 'the profile'): Answers {
  return Answers.open(from, 'answers', about) ?? assert.fail('answers are not kept');
}

const gone = (): never => assert.fail('the source is read');

test('types that were asked before are the same without their source, and so is that there are none', () => {
  const first = store();
  const asked = (from: TypeSource): unknown[] => [from.struct('thing'), from.struct('other'), from.struct('constructor'), from.enum('colour'), from.enum('other'), from.typedef('number'), from.typedef('other')];
  assert.deepEqual(asked(new RememberedTypes(opened(first), () => types)), asked(types));
  const again = new RememberedTypes(opened(store('a build', first.text())), gone);
  assert.deepEqual(asked(again), asked(types));
  assert.deepEqual([...(again.struct('thing')?.members.keys() ?? [])], ['second', 'first', '__proto__', 'named']);
  assert.throws(() => again.struct('third'), /the source is read/);
  assert.throws(() => again.structNames(), /the source is read/);
});

test('names that were asked before have their addresses without the source', () => {
  const address = 0xffff_ffff_8100_0000n;
  const source: ProfileSource = { types, constants: new ConstantMap(new Map([['start', address]]), new Set(['start']), () => colour), metadata: { os: 'linux', arch: 'AMD64', source: 'a file' } };
  const first = store();
  const asked = ({ metadata, constants }: ProfileSource): unknown[] => [metadata, constants.get('start'), constants.get('end'), constants.type('start')];
  assert.deepEqual(asked(new RememberedProfile(opened(first), () => source)), asked(source));
  assert.deepEqual(asked(new RememberedProfile(opened(store('a build', first.text())), gone)), asked(source));
  const symbols = new RememberedSymbols(opened(first), () => ({ address: () => address }) as unknown as Required<SymbolSource>);
  assert.equal(symbols.address('stop'), address);
  assert.equal(new RememberedSymbols(opened(store('a build', first.text())), gone).address('stop'), address);
});

test('answers are those of one source and one build; of one that is not known nothing is kept', () => {
  const first = store();
  new RememberedTypes(opened(first), () => types).struct('thing');
  assert.ok(opened(store('a build', first.text())).knows('struct thing'));
  assert.ok(!opened(store('a build', first.text()), 'another').knows('struct thing'));
  assert.ok(!opened(store('another', first.text())).knows('struct thing'));
  assert.equal(Answers.open({ get: () => undefined, set: () => undefined }, 'answers', 'the profile'), undefined);
});

test('what a source says in error is no answer', () => {
  const answers = opened(store());
  assert.throws(() => answers.ask('struct thing', gone), /the source is read/);
  assert.equal(answers.ask('struct thing', () => 5), 5);
});

test('answers are kept as far as there is room', () => {
  const first = store();
  const answers = opened(first);
  for (let index = 0; index < 2000; index++) assert.equal(answers.ask(`number ${index}`, () => 'x'.repeat(500)), 'x'.repeat(500));
  assert.ok(first.text().length < 600_000);
  const again = opened(store('a build', first.text()));
  assert.deepEqual([again.knows('number 0'), again.knows('number 1999')], [true, false]);
});

test('a file of a profile is read again for what was not asked before, and always where it has rules for code', async () => {
  const [plain, ruled] = [join(home, 'plain.gz'), join(home, 'ruled.json')];
  const profile = { $METADATA: { ProfileClass: 'Nt', arch: 'AMD64' }, $STRUCTS: { thing: [8, { first: [0, ['int']] }], other: [4, {}] }, $CONSTANTS: { start: 16 } };
  writeFileSync(plain, gzipSync(JSON.stringify(profile)));
  writeFileSync(ruled, JSON.stringify({ ...profile, $DYNAMIC_STRUCTS: {} }));
  const first = store();
  const before = await openRemembered(plain, first, 'answers');
  assert.ok(before instanceof RememberedProfile);
  assert.deepEqual([before.types.struct('thing')?.size, before.constants.get('start')], [8, 16n]);
  const after = await openRemembered(plain, store('a build', first.text()), 'answers');
  assert.deepEqual(after.types.struct('thing'), before.types.struct('thing'));
  assert.deepEqual([after.types.struct('other')?.size, after.constants.get('start'), after.constants.size], [4, 16n, 1]);
  for (let times = 0; times < 2; times++) assert.ok((await openRemembered(ruled, first, 'answers')).dynamic);
});


for (const [sample, name] of [['linux-6.1-tiny', 'image.kdump'], ['windows-sample', 'image.elf']] as const) {
  test(`${sample}: a second open has the same processes and reads little for them`, async () => {
    const open = async (): Promise<{ readonly rows: unknown[]; readonly bytes: number }> => {
      const session = new Session({ filename: join(root, 'fixtures', sample, name), cache: 'file', cache_dir: home });
      const { image } = session.physical();
      const { read } = image;
      let bytes = 0;
      image.read = (...place) => {
        const count = read.apply(image, place);
        bytes += count;
        return count;
      };
      try {
        const { rows } = await rowsOf(session, await session.plugin('pslist'), sample === 'windows-sample' ? { method: METHODS } : {});
        return { rows: rows.map((row) => Object.entries(row).map(([column, value]) => `${column} ${String(value)}`)), bytes };
      } finally {
        session.close();
      }
    };
    const first = await open();
    const second = await open();
    assert.ok(first.rows.length > 3);
    assert.deepEqual(second.rows, first.rows);
    assert.ok(second.bytes < first.bytes / 2, `${second.bytes} bytes of ${first.bytes}`);
  });
}
