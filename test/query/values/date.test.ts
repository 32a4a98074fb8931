import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ValueContext } from '../../../src/query/values/context.js';
import { parseDate, parseDuration, timeOf } from '../../../src/query/values/date.js';
import { ValueError } from '../../../src/query/values/error.js';

// Wednesday, 25 November 2026, 13:03:11 UTC.
const now = 1_795_611_791n * 1_000_000_000n;
const utc: ValueContext = { timezone: 'UTC', now };
const berlin: ValueContext = { timezone: 'Europe/Berlin', now };
const newYork: ValueContext = { timezone: 'America/New_York', now };

const TABLE: readonly (readonly [text: string, context: ValueContext, iso: string])[] = [
  ['2026-11-24', utc, '2026-11-24T00:00:00Z'],
  ['2026-11', utc, '2026-11-01T00:00:00Z'],
  ['2026/11/24', utc, '2026-11-24T00:00:00Z'],
  ['2026-11-24 14:03', utc, '2026-11-24T14:03:00Z'],
  ['2026-11-24T14:03:11.25', utc, '2026-11-24T14:03:11.250Z'],
  ['2026-11-24T14:03:11.123456789Z', berlin, '2026-11-24T14:03:11.123456789Z'],
  ['2026-11-24 14:03:11Z', berlin, '2026-11-24T14:03:11Z'],
  ['2026-11-24 14:03:11 UTC', berlin, '2026-11-24T14:03:11Z'],
  ['2026-11-24 14:03:11+01:00', utc, '2026-11-24T13:03:11Z'],
  ['2026-11-24 14:03:11.250+0100', utc, '2026-11-24T13:03:11.250Z'],
  ['2026-11-24 14:03 -05', utc, '2026-11-24T19:03:00Z'],
  ['24 Nov 2026 14:03:11', utc, '2026-11-24T14:03:11Z'],
  ['24 november 2026', utc, '2026-11-24T00:00:00Z'],
  ['Tue, 24 Nov 2026 14:03:11 +0100', utc, '2026-11-24T13:03:11Z'],
  ['1st March 2020', utc, '2020-03-01T00:00:00Z'],
  ['November 24, 2026 2:03 pm', utc, '2026-11-24T14:03:00Z'],
  ['Nov 24 2026 12:00am', utc, '2026-11-24T00:00:00Z'],
  ['Tue Nov 24 14:03:11 UTC 2026', utc, '2026-11-24T14:03:11Z'],
  ['Nov 24 14:03:11 2026', utc, '2026-11-24T14:03:11Z'],
  ['@1763992921', utc, '2025-11-24T14:02:01Z'],
  ['@-1.5', utc, '1969-12-31T23:59:58.500Z'],
  ['now', utc, '2026-11-25T13:03:11Z'],
  ['today', utc, '2026-11-25T00:00:00Z'],
  ['yesterday', utc, '2026-11-24T00:00:00Z'],
  ['Yesterday 14:00', utc, '2026-11-24T14:00:00Z'],
  ['tomorrow', utc, '2026-11-26T00:00:00Z'],
  ['10:30', utc, '2026-11-25T10:30:00Z'],
  ['2 hours ago', utc, '2026-11-25T11:03:11Z'],
  ['an hour ago', utc, '2026-11-25T12:03:11Z'],
  ['1 day, 2 hours and 3 minutes ago', utc, '2026-11-24T11:00:11Z'],
  ['1.5h ago', utc, '2026-11-25T11:33:11Z'],
  ['in 3 days', utc, '2026-11-28T13:03:11Z'],
  ['2 weeks from now', utc, '2026-12-09T13:03:11Z'],
  // Zones: winter and summer, the hour that is twice, and the one that is not.
  ['2026-11-24 14:03', berlin, '2026-11-24T13:03:00Z'],
  ['2026-07-24 14:03', berlin, '2026-07-24T12:03:00Z'],
  ['2026-10-25 02:30', berlin, '2026-10-25T00:30:00Z'],
  ['2026-10-25 03:30', berlin, '2026-10-25T02:30:00Z'],
  ['2026-03-29 02:30', berlin, '2026-03-29T01:30:00Z'],
  ['2026-03-29 01:59', berlin, '2026-03-29T00:59:00Z'],
  ['2026-11-01 01:30', newYork, '2026-11-01T05:30:00Z'],
  ['today', newYork, '2026-11-25T05:00:00Z'],
  ['yesterday', berlin, '2026-11-23T23:00:00Z'],
  ['0001-01-01', utc, '0001-01-01T00:00:00Z'],
];

const NONE = [
  '',
  'soon',
  '2026-13-01',
  '2026-02-29',
  '2026-11-24 25:00',
  '24 Foo 2026',
  '2026-11-24 14:03:61',
  '13:00 pm',
  '5',
  'hours ago',
  '2 parsecs ago',
  'x'.repeat(500),
  '2026-11-24 +99:00',
  '24 Novembre 2026',
];

describe('dates', () => {
  for (const [text, context, iso] of TABLE) {
    it(`${text} in ${context.timezone}`, () => {
      const date = parseDate(text, context);
      assert.equal(date.toISOString(), iso);
    });
  }

  it('are refused where they are none', () => {
    for (const text of NONE) {
      assert.throws(() => parseDate(text, utc), ValueError, text);
      assert.equal(timeOf(text, utc), undefined);
    }
    assert.throws(() => parseDate('2026-11-24', { timezone: 'Mars/Olympus', now }), /no time zone is called Mars/);
  });

  it('lengths of time', () => {
    assert.equal(parseDuration('90'), 90_000_000_000n);
    assert.equal(parseDuration('1.5 min'), 90_000_000_000n);
    assert.equal(parseDuration('250ms'), 250_000_000n);
    assert.equal(parseDuration('-2h'), -7_200_000_000_000n);
    assert.equal(parseDuration('1w 2d 3h 4m 5s'), 788_645_000_000_000n);
    assert.equal(parseDuration('100:00:01'), 360_001_000_000_000n);
    for (const text of ['', '-', '1 2', 'h', '5 lightyears', '1:2'])
      assert.throws(() => parseDuration(text), ValueError, text);
  });
});
