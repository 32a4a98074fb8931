import assert from 'node:assert/strict';
import { test } from 'node:test';
import { neighbourFlags, neighbours, neighbourState } from '../../../../src/kernel/linux/net/neighbours.js';
import { FakeImage, type LiteralTypes } from '../../../support/image.js';

const types = (chained: 'next' | 'hash'): LiteralTypes => ({
  neigh_table: [32, { family: [0, 'int'], key_len: [4, 'int'], nht: [8, 'neigh_hash_table *'], phash_buckets: [16, 'void *'] }],
  neigh_hash_table: [16, { [chained === 'hash' ? 'hash_heads' : 'hash_buckets']: [0, 'void *'], hash_shift: [8, 'u32'] }],
  neighbour: [
    64,
    { ...(chained === 'hash' ? { hash: [0, 'hlist_node'] as const } : { next: [0, 'neighbour *'] as const }), nud_state: [16, 'u8'], ha: [24, ['array', 8, 'u8']], primary_key: [48, ['array', 0, 'u8']] },
  ],
  pneigh_entry: [32, { next: [0, 'pneigh_entry *'], flags: [8, 'u8'], key: [16, ['array', 0, 'u8']] }],
});

function table(chained: 'next' | 'hash', shift = 1): { image: FakeImage; addresses: () => string[]; faults: string[] } {
  const image = new FakeImage({ types: types(chained) });
  const entries = [7, 8, 9].map((last) => {
    const at = image.place('neighbour', { nud_state: 0x80 });
    image.write(at + 48n, Buffer.from([10, 0, 0, last]));
    return at;
  });
  const [a, b, c] = entries as [bigint, bigint, bigint];
  const buckets = image.room(16);
  image.pointer(buckets, a);
  image.pointer(a, b);
  image.pointer(buckets + 8n, c);
  const proxies = image.room(16 * 8);
  const proxy = image.place('pneigh_entry');
  image.write(proxy + 16n, Buffer.from([10, 0, 0, 99]));
  image.pointer(proxies + 8n * 15n, proxy);
  const hash = image.place('neigh_hash_table', { [chained === 'hash' ? 'hash_heads' : 'hash_buckets']: buckets, hash_shift: shift });
  image.symbol('arp_tbl', image.place('neigh_table', { family: 2, key_len: 4, nht: hash, phash_buckets: proxies }));
  const faults: string[] = [];
  return {
    image,
    faults,
    addresses: () => [...neighbours(image.kernel(), { onFault: (what) => faults.push(what) })].map((entry) => `${entry.proxy ? 'proxy ' : ''}${entry.address()}`),
  };
}

test('chains by neighbour.next, and by neighbour.hash since 6.13', () => {
  for (const chained of ['next', 'hash'] as const) assert.deepEqual(table(chained).addresses(), ['10.0.0.7', '10.0.0.8', '10.0.0.9', 'proxy 10.0.0.99']);
});

test('a table of an absurd size is passed over with a note', () => {
  const { addresses, faults } = table('hash', 60);
  assert.deepEqual(addresses(), []);
  assert.match(faults.join(), /2\^60 buckets/);
});

test('names of states and flags', () => {
  assert.deepEqual([0, 1, 2, 4, 0x40, 0x80].map(neighbourState), ['NONE', 'INCOMPLETE', 'REACHABLE', 'STALE', 'NOARP', 'PERMANENT']);
  assert.deepEqual(neighbourFlags(0x88), ['PROXY', 'ROUTER']);
});
