import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Absent, corrupt, unreadable } from '../../src/memory/absent.js';
import { Timestamp } from '../../src/object/time.js';
import { formatDuration, formatTime } from '../../src/render/time.js';
import { valueText } from '../../src/render/value.js';
import { structAt } from '../support/structs.js';

const utc = { timezone: 'UTC' };

test('each type is written in its way', () => {
  assert.equal(valueText(0xffff888000000000n, 'address', utc), '0xffff888000000000');
  assert.equal(valueText(0x4000n, 'address', utc), '0x000000004000');
  assert.equal(valueText(0x1c000, 'physical', utc), '0x1c000');
  assert.equal(valueText(18446744073709551615n, 'int', utc), '18446744073709551615');
  assert.equal(valueText(true, 'bool', utc), 'true');
  assert.equal(valueText([1, 'a\x1b', null], 'list', utc), '1, a\\x1b, -');
  assert.equal(valueText(null, 'string', utc), '-');
  assert.equal(valueText(structAt('mm_struct', {}), 'struct', utc), '0xffff888003d8c000');
  assert.equal(valueText(structAt('task_struct', { pid: 7, comm: 'a\x1b[2J' }), 'struct', utc), '0xffff888003d8c000 a\\x1b[2J (7)');
});

test('what is missing says why, in a word', () => {
  assert.equal(valueText(unreadable(4096n), 'int', utc), '(unreadable)');
  assert.equal(valueText(corrupt('loop'), 'int', utc), '(corrupt)');
  assert.equal(valueText(new Absent('no-member', 'x'), 'int', utc), '(no member)');
  assert.equal(valueText(new Absent('not-applicable', 'x'), 'int', utc), '-');
});

test('bytes are a hex dump of as many lines as they need', () => {
  assert.deepEqual(valueText(Buffer.from('Hello\0world'), 'bytes', utc), [`48 65 6c 6c 6f 00 77 6f 72 6c 64 ${' '.repeat(15)} Hello.world`]);
  const lines = valueText(Buffer.alloc(100, 0x41), 'bytes', utc);
  assert.equal(lines.length, 7);
  assert.match(String(lines[6]), /^41 41 41 41 {37,} AAAA$/);
});

test('times are shown in the zone that was asked for, with the digits that they have', () => {
  const time = new Timestamp(1795133521250000000n);
  assert.equal(formatTime(time, 'UTC'), '2026-11-20 00:12:01.250Z');
  assert.equal(formatTime(time, 'Europe/Berlin'), '2026-11-20 01:12:01.250+0100');
  assert.equal(formatTime(time, 'Asia/Kolkata'), '2026-11-20 05:42:01.250+0530');
  assert.equal(formatTime(new Timestamp(1753000000000000000n), 'America/New_York'), '2025-07-20 04:26:40-0400');
  assert.equal(formatTime(new Timestamp(0n), 'Europe/London'), '1970-01-01 01:00:00+0100');
});

test('durations read as clocks', () => {
  assert.equal(formatDuration(1_250_000_000n), '1.250 s');
  assert.equal(formatDuration(7_384_000_000_000n), '02:03:04');
  assert.equal(formatDuration(273_906_000_000_000n), '3 d 04:05:06');
});
