import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../support/property.js';
import { ApiSets } from '../../../src/kernel/windows/system/api-sets.js';
import { BufferSpace } from '../../../src/memory/space.js';

type Hosts = Readonly<Record<string, string>>;
const BASE = 0x7ffd0000n;

/** A map in the form of a version: set → importer (empty: all) → host. Source: the structs in ole32's and combase's symbols of Windows 7, 8, 8.1 and 10 (ntdiff). */
function map(version: 2 | 3 | 4 | 6, sets: Readonly<Record<string, Hosts>>): Buffer {
  const bytes = Buffer.alloc(0x4000);
  const names = Object.keys(sets);
  let free = 0x1000;
  const put = (values: readonly number[], at = free): number => {
    for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, at + index * 4);
    if (at === free) free += values.length * 4;
    return at;
  };
  const text = (value: string): [number, number] => {
    const at = free;
    free += bytes.write(value, at, 'utf16le');
    free += free % 4;
    return [at, value.length * 2];
  };
  const header = { 2: [2, names.length], 3: [3, names.length], 4: [4, 0x4000, 0, names.length], 6: [6, 0x4000, 0, names.length, 28, 0, 31] }[version];
  put(header, 0);
  for (const [index, name] of names.entries()) {
    const hosts = Object.entries(sets[name] ?? {}).map(([importer, host]) => [...(version < 4 ? [] : [0]), ...text(importer), ...text(host)]);
    // Versions 2 to 4 leave out `api-`; version 6 hashes the name up to its last dash.
    const [at, length] = text(version === 6 ? name : name.slice(4));
    const first = put([...{ 2: [hosts.length], 3: [hosts.length], 4: [0, hosts.length], 6: [] }[version], ...hosts.flat()]);
    const entry = { 2: [at, length, first], 3: [at, length, first], 4: [0, at, length, 0, 0, first], 6: [0, at, length, name.lastIndexOf('-') * 2, first, hosts.length] }[version];
    put(entry, header.length * 4 + index * entry.length * 4);
  }
  return bytes;
}

for (const version of [2, 3, 4, 6] as const) {
  test(`the map of version ${version}: a set's host, and another for one importer`, () => {
    const sets = ApiSets.at(
      new BufferSpace(map(version, { 'api-ms-win-core-heap-l1-1-0': { '': 'kernelbase.dll' }, 'ext-ms-win-gdi-draw-l1-1-0': { '': 'gdi32.dll', 'user32.dll': 'gdi32full.dll' }, 'api-ms-win-none-l1-1-0': { '': '' } }), BASE),
      BASE,
    );
    assert.equal(sets?.size, 3);
    assert.equal(sets.host('API-MS-Win-Core-Heap-L1-1-0'), 'kernelbase.dll');
    assert.equal(sets.host('api-ms-win-core-heap-l1-1-0.dll', 'kernel32.dll'), 'kernelbase.dll');
    assert.equal(sets.host('ext-ms-win-gdi-draw-l1-1-0', 'USER32.dll'), 'gdi32full.dll');
    assert.equal(sets.host('api-ms-win-none-l1-1-0'), undefined);
    assert.equal(sets.host('api-ms-win-other-l1-1-0'), undefined);
    // Windows 10 finds a set by the beginning of its version.
    assert.equal(sets.host('api-ms-win-core-heap-l1-1-9'), version === 6 ? 'kernelbase.dll' : undefined);
  });
}

test('since Windows 10 an API set and an extension may differ in nothing but api and ext', () => {
  const sets = ApiSets.at(new BufferSpace(map(6, { 'api-ms-onecoreuap-print-render-l1-1-0': { '': 'printrenderapihost.dll' }, 'ext-ms-onecoreuap-print-render-l1-1-0': { '': 'other.dll' } }), BASE), BASE);
  assert.equal(sets?.host('ext-ms-onecoreuap-print-render-l1-1-0.dll'), 'other.dll');
  assert.equal(sets.host('api-ms-onecoreuap-print-render-l1-1-0.dll'), 'printrenderapihost.dll');
});

test('a damaged map gives sets that are there, or none; never more', () => {
  const good = map(6, { 'api-ms-win-core-heap-l1-1-0': { '': 'kernelbase.dll' } });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(0x1100), fc.nat(255)), { minLength: 1, maxLength: 30 }), (changes) => {
      const bytes = Buffer.from(good);
      for (const [at, value] of changes) bytes[at] = value;
      const host = ApiSets.at(new BufferSpace(bytes, BASE), BASE)?.host('api-ms-win-core-heap-l1-1-0');
      assert.ok(host === undefined || typeof host === 'string');
    }),
    { numRuns: 200 },
  );
  assert.equal(ApiSets.at(new BufferSpace(Buffer.alloc(64), BASE), BASE), undefined);
  assert.equal(ApiSets.at(new BufferSpace(Buffer.alloc(64), BASE), 0x1000n), undefined);
});
