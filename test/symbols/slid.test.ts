import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlidSymbols } from '../../src/symbols/slid.js';
import { ConstantMap } from '../../src/symbols/source.js';
import { SymbolTable } from '../../src/symbols/symbol-table.js';
import type { KernelSymbol, SymbolSource } from '../../src/symbols/types.js';

function source(symbols: readonly KernelSymbol[]): SymbolSource {
  const table = new SymbolTable(symbols);
  return {
    address: (name) => table.lookup(name),
    all: (name) => symbols.filter((symbol) => symbol.name === name).map(({ address }) => address),
    nearest: (address) => table.nearest(address),
    symbols: () => symbols,
    size: symbols.length,
  };
}

const TEXT = 0xffffffff81000000n;
const SLIDE = 0x1e00000n;
const constants = new ConstantMap(
  new Map([
    ['_text', TEXT],
    ['do_exit', TEXT + 0x1000n],
    ['init_task', TEXT + 0x5000n],
    ['init_stack', TEXT + 0x5000n],
    ['pcpu_hot', 0x1fb00n],
  ]),
  new Set(['do_exit']),
);

test('a kernel whose own table has functions only: variables are named from the profile', () => {
  const own = source([
    { name: '_text', address: TEXT + SLIDE, kind: 'T' },
    { name: 'do_exit', address: TEXT + SLIDE + 0x1000n, kind: 'T' },
  ]);
  const symbols = new SlidSymbols(constants, SLIDE, own);
  assert.deepEqual(symbols.nearest(TEXT + SLIDE + 0x5010n), { symbol: { name: 'init_task', address: TEXT + SLIDE + 0x5000n, kind: 'd' }, distance: 0x10n });
  assert.equal(symbols.nearest(TEXT + SLIDE + 0x1004n)?.symbol.kind, 'T');
  assert.deepEqual(symbols.at(TEXT + SLIDE + 0x5000n).map(({ name }) => name), ['init_task', 'init_stack']);
  assert.deepEqual(symbols.at(TEXT + SLIDE + 0x1000n).map(({ name }) => name), ['do_exit']);
  // What does not slide is no address of the image.
  assert.equal(symbols.nearest(0x1fb08n), undefined);
});

test('a kernel whose own table has all: it alone is asked for addresses', () => {
  const own = source([{ name: 'init_task', address: TEXT + SLIDE + 0x4000n, kind: 'D' }]);
  const symbols = new SlidSymbols(constants, SLIDE, own);
  assert.equal(symbols.nearest(TEXT + SLIDE + 0x5010n)?.distance, 0x1010n);
  assert.deepEqual(symbols.at(TEXT + SLIDE + 0x5000n), []);
});
