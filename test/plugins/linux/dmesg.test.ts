import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dmesg } from '../../../plugins/linux/dmesg.js';
import type { Timestamp } from '../../../src/object/time.js';
import { everyAmd64, rowsOf, samples, skipWithout } from '../../support/sample.js';

/** A record as /dev/kmsg gives it (Documentation/ABI/testing/dev-kmsg). */
interface Record {
  readonly facility: string;
  readonly level: string;
  readonly sequence: bigint;
  readonly microseconds: number;
  readonly text: string;
  readonly device: string | null;
}
const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug'];

function records(text: string): Record[] {
  const all: { -readonly [K in keyof Record]: Record[K] }[] = [];
  for (const line of text.split('\n')) {
    const [, priority, sequence, time, message] = /^(\d+),(\d+),(\d+),[^;]*;(.*)$/.exec(line) ?? [];
    const last = all.at(-1);
    if (priority !== undefined) {
      const value = Number(priority);
      all.push({
        facility: value >> 3 === 0 ? 'kern' : value >> 3 === 1 ? 'user' : String(value >> 3),
        level: LEVELS[value & 7] ?? '?',
        sequence: BigInt(sequence ?? 0),
        microseconds: Number(time),
        text: unescape(message ?? ''),
        device: null,
      });
    } else if (last && line.startsWith(' DEVICE=')) last.device = line.slice(8);
  }
  return all;
}

/** Bytes that a terminal would not like are written \xNN; lines of one record are joined with \x0a. */
function unescape(text: string): string {
  return Buffer.from(
    text.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1',
  ).toString('utf8');
}

const found = samples([...everyAmd64, 'pae']);
test('dmesg', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    const session = sample.session();
    const { rows, run } = await rowsOf(session, dmesg);
    assert.equal(run.faults, 0);
    assert.deepEqual(run.notes, []);

    await context.test(`${sample.name}: every record of /dev/kmsg, with number, time, level, facility and device`, () => {
      const said = records(sample.truth('lab/kmsg'));
      assert.ok(said.length > 300, `${said.length} records`);
      // What the kernel said after the guest printed can only follow.
      for (const [index, one] of said.entries()) {
        const row = rows[index];
        assert.ok(row, `record ${one.sequence}`);
        assert.deepEqual([row['sequence'], row['facility'], row['level'], row['message'], row['device']], [one.sequence, one.facility, one.level, one.text, one.device]);
        assert.equal(Math.floor((row['timestamp'] as number) * 1e6 + 1e-4), one.microseconds, `time of record ${one.sequence}`);
      }
      assert.ok(rows.length - said.length <= 2, `${rows.length - said.length} records more than the guest printed`);
    });

    await context.test(`${sample.name}: the text that dmesg prints`, () => {
      const ours = rows.flatMap((row) => String(row['message']).split('\n').map((line) => `<${8 * (row['facility'] === 'user' ? 1 : 0) + LEVELS.indexOf(String(row['level']))}>[${((Math.floor((row['timestamp'] as number) * 1e6 + 1e-4)) / 1e6).toFixed(6).padStart(12)}] ${line}`));
      const said = sample.truth('dmesg').trimEnd().split('\n');
      assert.deepEqual(ours.slice(0, said.length), said);
    });

    await context.test(`${sample.name}: who printed, and when`, () => {
      const own = rows.find((row) => String(row['message']).includes('LABKMSG:first message from user space'));
      assert.ok(own);
      assert.equal(own['facility'], 'user');
      assert.match(String(own['caller']), /^T\d+$/);
      const boot = Number(/^btime (\d+)/m.exec(sample.truth('proc/stat'))?.[1]);
      const late = (own['time'] as Timestamp).ms / 1000 - boot - (own['timestamp'] as number);
      assert.ok(Math.abs(late) < 1.1, `${late} s off`);
    });
    session.close();
  }
});

test('dmesg shows what matches', { skip: skipWithout(found) }, async () => {
  const session = (found[0] as (typeof found)[0]).session();
  const { rows } = await rowsOf(session, dmesg, { regex: /LABKMSG/i });
  assert.ok(rows.length >= 2);
  assert.ok(rows.every((row) => String(row['message']).includes('LABKMSG')));
  session.close();
});
