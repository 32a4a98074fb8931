import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findKallsyms } from '../../../src/symbols/kallsyms/find.js';
import { openKallsyms } from '../../../src/symbols/kallsyms/kallsyms.js';
import { lab, openRaw } from './raw-image.js';

/** What the guest says of its kernel's symbols (/proc/kallsyms, modules and bpf programs left out): `name address` → letter. */
function guestSymbols(path: string): Map<string, string> {
  const symbols = new Map<string, string>();
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const parts = /^([0-9a-f]+) (.) (\S+)(\t\[.*\])?$/.exec(line);
    if (parts && parts[4] === undefined) symbols.set(`${parts[3]} ${BigInt(`0x${parts[1]}`)}`, parts[2] as string);
  }
  return symbols;
}

for (const name of ['tiny', 'la57', 'generic', 'cloud612', 'cloud510', 'pae', 'big']) {
  const image = join(lab, 'images', `${name}.raw`);
  const truth = join(lab, 'truth', name, 'proc', 'kallsyms');
  const missing = [image, truth].find((path) => !existsSync(path));
  test(
    `${name}: every symbol of the guest's /proc/kallsyms, and no other`,
    { skip: missing && `no ${missing}` },
    () => {
      const physical = openRaw(image);
      const guest = guestSymbols(truth);
      assert.ok(guest.size > 10000);
      const all = findKallsyms(physical).map((tables) => openKallsyms(physical, tables));
      // Copies left by the decompressor may decode as well: the live one has the guest's _text.
      const live = all.find((symbols) => guest.has(`_text ${symbols.address('_text')}`));
      assert.ok(live, 'no live kallsyms');
      const found = new Map([...live.symbols()].map((symbol) => [`${symbol.name} ${symbol.address}`, symbol.kind]));
      assert.deepEqual(
        [...guest.keys()].filter((key) => !found.has(key)),
        [],
        'missing',
      );
      assert.deepEqual(
        [...found].filter(([key, kind]) => guest.get(key) !== kind).map(([key]) => key),
        [],
        'wrong',
      );
      // Both ways of looking up agree with the guest: the kernel's order by name, and the hash table.
      const sample = [...guest.keys()].filter((_, index) => index % 97 === 0);
      for (const key of sample) {
        const symbol = key.split(' ')[0] as string;
        assert.ok(guest.has(`${symbol} ${live.address(symbol)}`), symbol);
        assert.ok(live.all(symbol).includes(BigInt(key.split(' ')[1] as string)), symbol);
      }
      assert.equal(live.address('no_such_symbol_at_all'), undefined);
      physical.close();
    },
  );
}
