import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Timestamp } from '../../src/object/time.js';

test('times print in UTC with the decimals they have', () => {
  assert.equal(Timestamp.fromSeconds(0n).toISOString(), '1970-01-01T00:00:00Z');
  assert.equal(Timestamp.fromSeconds(1349127591n).toISOString(), '2012-10-01T21:39:51Z');
  assert.equal(new Timestamp(1_500_000_000n).toISOString(), '1970-01-01T00:00:01.500Z');
  assert.equal(new Timestamp(1_000_001_000n).toISOString(), '1970-01-01T00:00:01.000001Z');
  assert.equal(new Timestamp(1n).toISOString(), '1970-01-01T00:00:00.000000001Z');
  assert.equal(new Timestamp(-1n).toISOString(), '1969-12-31T23:59:59.999999999Z');
});

test('a FILETIME counts from 1601', () => {
  // Microsoft's own example: 1970 in FILETIME is 116444736000000000.
  assert.equal(Timestamp.fromFileTime(116444736000000000n).toISOString(), '1970-01-01T00:00:00Z');
  assert.equal(Timestamp.fromFileTime(0n).toISOString(), '1601-01-01T00:00:00Z');
});

test('a value beyond the calendar is shown as it is', () => {
  assert.match(new Timestamp(1n << 80n).toISOString(), /^\d+ ns$/);
});
