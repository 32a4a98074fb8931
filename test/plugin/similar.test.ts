import assert from 'node:assert/strict';
import { test } from 'node:test';
import { didYouMean, distance, similar } from '../../src/plugin/similar.js';

test('edits are counted, a swap as one', () => {
  assert.equal(distance('netscna', 'netscan'), 1);
  assert.equal(distance('kitten', 'sitting'), 3);
  assert.equal(distance('', 'abc'), 3);
  assert.equal(distance('same', 'same'), 0);
});

test('near names are suggested, nearest first, and far ones not at all', () => {
  const known = ['netscan', 'netstat', 'pslist', 'pstree', 'proc_regex', 'windows_version'];
  assert.deepEqual(similar('netscna', known), ['netscan', 'netstat']);
  assert.deepEqual(similar('Proc-Regx', known), ['proc_regex']);
  assert.deepEqual(similar('windows', known), ['windows_version']);
  assert.deepEqual(similar('regex', known), ['proc_regex']);
  assert.deepEqual(similar('xyzzy', known), []);
  assert.equal(didYouMean('netscna', known), ' Did you mean netscan or netstat?');
  assert.equal(didYouMean('q', known), '');
});
