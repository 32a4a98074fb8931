import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { kdbgscan } from '../../../plugins/windows/kdbgscan.js';
import { pslist } from '../../../plugins/windows/pslist.js';
import { rammap } from '../../../plugins/windows/rammap.js';
import { sessions } from '../../../plugins/windows/sessions.js';
import { vad } from '../../../plugins/windows/vad.js';
import { vadmap } from '../../../plugins/windows/vadmap.js';
import { boundedAsync } from '../../support/effort.js';
import { rowsOf } from '../../support/sample.js';
import { TamperedSample } from '../../support/tampered-sample.js';
import { sampleTruth } from '../../support/windows-sample.js';

/** Faults that damage at random has found, each in its place. */
const sample = await TamperedSample.open();
after(() => sample.close());
const truth = sampleTruth();
const { kernel } = sample;
const explorer = truth.processes.find(({ pid }) => pid === 1652);
assert.ok(explorer);
const member = (struct: string, address: string | bigint, name: string): bigint => BigInt(address) + BigInt(kernel.struct(struct).offsetOf(name));
/** Milliseconds of the processor: a fraction of what going through it page by page would take on any machine. */
const SOON = 10_000;

test('a mapped region that states pages without end is told in a few rows behind its prototypes', async () => {
  const mapped = explorer.vads.find(({ file, image }) => file !== null && image);
  assert.ok(mapped);
  for (const end of [0x7ffffffffn, 0xfffffffffffn, 0xffffffffffffffffn]) {
    const session = sample.with(new Map([[member('_MMVAD_SHORT', mapped.vad, 'EndingVpn'), end]]));
    const { rows } = await boundedAsync(SOON, () => rowsOf(session, vadmap, { pids: [1652] }));
    const without = rows.filter(({ comment }) => comment === 'it has no prototype');
    // An end that no address has is none: the node is no region then.
    if (end <= 0xfffffffffffn) assert.ok(without.length > 0 && without.length < 20, String(without.length));
    else assert.match((await rowsOf(session, vad, { pids: [1652] })).run.notes.join(), /is no region/);
    assert.ok(rows.length > 20);
    session.close();
  }
});

test('prototypes that do not end are looked at where memory has them', async () => {
  const mapped = explorer.vads.find(({ file, image }) => file !== null && image);
  assert.ok(mapped);
  const session = sample.with(
    new Map([
      [member('_MMVAD_SHORT', mapped.vad, 'EndingVpn'), 0x7ffffffffn],
      [member('_MMVAD', mapped.vad, 'LastContiguousPte'), 0xfffffffffffffff8n],
    ]),
  );
  const { rows } = await boundedAsync(SOON, () => rowsOf(session, vadmap, { pids: [1652] }));
  // What no prototype describes is one row.
  assert.ok(rows.some(({ type, length }) => type === 'Invalid' && Number(length) > 2 ** 40));
  session.close();
});

test('page tables that map what is far outside of the image cost a search nothing', async () => {
  // The kernel's table of the third level: each free entry becomes a page of 1 GiB at 1 TiB.
  const { steps } = kernel.space.walk(kernel.location.base);
  const entry = steps[1]?.address ?? 0;
  const table = entry - (entry % 4096);
  const words = new Map<bigint, bigint>();
  for (let index = 0; index < 512; index++) if (table + index * 8 !== entry) words.set(-BigInt(table + index * 8) - 1n, 0x100_0000_00e3n + (BigInt(index) << 30n));
  const session = sample.with(words);
  const { rows } = await boundedAsync(SOON, () => rowsOf(session, kdbgscan));
  assert.ok(rows.length > 5);
  session.close();
});

test('a handle table that cannot be read costs its process alone', async () => {
  const session = sample.with(new Map([[member('_EPROCESS', explorer.eprocess, 'ObjectTable'), 0xfffffa8fff000000n]]));
  const whole = sample.with(new Map());
  const count = async (on: typeof session): Promise<number> => (await rowsOf(on, pslist, { method: ['Handles'] })).rows.length;
  assert.equal(await count(session), await count(whole));
  const { run } = await rowsOf(session, pslist, { method: ['Handles'] });
  assert.match(run.notes.join(), /the handle table of process 1652: page not present/);
  session.close();
  whole.close();
});

test('a session space that is in no memory costs its session alone', async () => {
  const session = sample.with(new Map([[member('_EPROCESS', explorer.eprocess, 'Session'), 0xfffff98fff000000n]]));
  const { rows, run } = await rowsOf(session, sessions);
  assert.equal(new Set(rows.map((row) => row['session_id']).filter((id) => id !== null)).size, 2);
  assert.match(run.notes.join('\n'), /of the session at 0xfffff98fff000000 cannot be read/);
  assert.match((await rowsOf(session, pslist, { method: ['Sessions'] })).run.notes.join('\n'), /explorer\.exe \(1652\): |SessionProcessLinks is broken/);
  session.close();
});

test('physical memory that the kernel claims to have and nobody has is not gone through', async () => {
  const descriptor = kernel.variable('MmPhysicalMemoryBlock');
  const whole = sample.with(new Map());
  const { rows: usual } = await rowsOf(whole, rammap);
  whole.close();
  // The second run's count of pages: 1 PiB, and more than any processor has addresses for.
  const count = descriptor + BigInt(kernel.struct('_PHYSICAL_MEMORY_DESCRIPTOR').offsetOf('Run')) + 24n;
  for (const pages of [1n << 38n, 1n << 45n]) {
    const session = sample.with(new Map([[count, pages]]));
    const { rows, run } = await boundedAsync(SOON, () => rowsOf(session, rammap));
    // Without ranges that make sense: the pages of the image.
    assert.ok(rows.length >= (pages < 1n << 40n ? usual.length : 500), `${rows.length} of ${usual.length}`);
    if (pages < 1n << 40n) assert.match(run.notes.join(), /\d{9,} pages are left out/);
    session.close();
  }
});
