import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findKallsyms } from '../../../src/symbols/kallsyms/find.js';
import { openKallsyms } from '../../../src/symbols/kallsyms/kallsyms.js';
import { samples, skipWithout } from '../../support/sample.js';
import { openPhysical } from '../physical.js';

const all = samples(['tiny', 'la57', 'generic', 'cloud612', 'cloud510', 'pae', 'big']);

/** What the guest says of its kernel's symbols (/proc/kallsyms, modules and bpf programs left out): `name address` → letter. */
function guestSymbols(text: string): Map<string, string> {
  const symbols = new Map<string, string>();
  for (const line of text.split('\n')) {
    const parts = /^([0-9a-f]+) (.) (\S+)(\s+\[.*\])?$/.exec(line);
    if (parts && parts[4] === undefined) symbols.set(`${parts[3]} ${BigInt(`0x${parts[1]}`)}`, parts[2] as string);
  }
  return symbols;
}

test("every symbol of the guest's /proc/kallsyms is found, and no other", { skip: skipWithout(all) }, async (t) => {
  for (const sample of all) {
    await t.test(sample.name, () => {
      const guest = guestSymbols(sample.truth('proc/kallsyms'));
      assert.ok(guest.size > 10000);
      const physical = openPhysical(sample.image);
      const found = [...findKallsyms(physical)];
      // Copies left by the decompressor may decode as well: the live one has the guest's _text.
      const tables = found.find((one) => guest.has(`_text ${openKallsyms(physical, one).address('_text')}`));
      assert.ok(tables, 'no live kallsyms');
      // What a session remembers is JSON.
      const live = openKallsyms(physical, JSON.parse(JSON.stringify(tables)) as typeof tables);
      const ours = new Map([...live.symbols()].map((symbol) => [`${symbol.name} ${symbol.address}`, symbol.kind]));
      assert.deepEqual(
        [...guest.keys()].filter((key) => !ours.has(key)),
        [],
        'missing',
      );
      assert.deepEqual(
        [...ours].filter(([key, kind]) => guest.get(key) !== kind).map(([key]) => key),
        [],
        'wrong',
      );
      // Both ways to look a name up: the kernel's order by name (first lookups), and hashes.
      for (const [index, key] of [...guest.keys()].entries()) {
        if (index % 97 !== 0) continue;
        const [symbol, address] = key.split(' ') as [string, string];
        assert.ok(guest.has(`${symbol} ${live.address(symbol)}`), symbol);
        assert.ok(live.all(symbol).includes(BigInt(address)), symbol);
      }
      assert.equal(live.address('no_such_symbol_at_all'), undefined);
      physical.close();
    });
  }
});

test('the nearest symbol of an address is the guest’s', { skip: skipWithout(all) }, async (t) => {
  for (const sample of all) {
    await t.test(sample.name, () => {
      const lines = sample.truth('proc/kallsyms').split('\n');
      const addresses = lines
        .filter((line) => !line.includes('['))
        .map((line) => BigInt(`0x${line.split(' ')[0] || '0'}`))
        .filter((address) => address > 0x40000000n);
      const physical = openPhysical(sample.image);
      const [tables] = findKallsyms(physical);
      assert.ok(tables);
      const live = openKallsyms(physical, tables);
      for (let i = 0; i + 1 < addresses.length; i += 501) {
        const address = addresses[i] as bigint;
        const next = addresses.find((other) => other > address) ?? address + 1n;
        const inside = address + (next - address) / 2n;
        const nearest = live.nearest(inside);
        assert.equal(nearest?.symbol.address, address);
        assert.equal(nearest.distance, inside - address);
        assert.equal(live.address(nearest.symbol.name) !== undefined, true);
      }
      assert.equal(live.nearest(0x1000n), undefined, 'per-CPU and user addresses are no kernel text');
      assert.equal(live.nearest(0n), undefined);
      physical.close();
    });
  }
});
