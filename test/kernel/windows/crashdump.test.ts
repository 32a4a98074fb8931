import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pslist } from '../../../plugins/windows/pslist.js';
import type { WindowsKernel } from '../../../src/kernel/windows/kernel.js';
import type { Struct } from '../../../src/object/struct.js';
import type { Session } from '../../../src/session/session.js';
import { PAGE } from '../../support/images.js';
import { CRASH_FORMS, type CrashForm, crashHead, type CrashOptions } from '../../support/images-crash.js';
import { rowsOf } from '../../support/sample.js';
import { replicaPath, replicaSession, replicaSkip as skip } from '../../support/windows.js';

const folder = mkdtempSync(join(tmpdir(), 'rekall-crash-'));
after(() => rmSync(folder, { recursive: true }));

/** Pages that are copied in one go. */
const CHUNK = 4096;

/** Writes the replica as a dump of a form; pages of zeros are left out where the form has a say in that. */
async function convert(form: CrashForm, options: CrashOptions): Promise<string> {
  const path = join(folder, `${form}.dmp`);
  const source = openSync(await replicaPath(), 'r');
  const target = openSync(path, 'w');
  const chunk = Buffer.alloc(CHUNK * PAGE);
  const zero = Buffer.alloc(PAGE);
  const each = function* (): Generator<{ frame: number; page: Buffer }> {
    for (let first = 0; ; first += CHUNK) {
      const count = readSync(source, chunk, 0, chunk.length, first * PAGE);
      if (count === 0) return;
      for (let at = 0; at < count; at += PAGE) yield { frame: first + at / PAGE, page: chunk.subarray(at, at + PAGE) };
    }
  };
  // The descriptor of a full dump has room for 42 runs; the other forms may be as scattered as memory is.
  const wanted = (page: Buffer): boolean => form === 'full' || !page.equals(zero);
  const frames: number[] = [];
  for (const { frame, page } of each()) if (wanted(page)) frames.push(frame);
  writeSync(target, crashHead(frames, { form, ...options }));
  for (const { page } of each()) if (wanted(page)) writeSync(target, page);
  closeSync(source);
  closeSync(target);
  return path;
}

async function processes(session: Session): Promise<unknown[]> {
  const { rows } = await rowsOf(session, pslist, {});
  return rows.map((row) => ({ ...row, _EPROCESS: (row['_EPROCESS'] as Struct).$address })).map((row) => JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)));
}

test('the replica as each form of dump has the processes of the raw image, and its header leads to the page tables', { skip }, async () => {
  const raw = await replicaSession();
  const { location, profile } = (await raw.kernel()) as WindowsKernel;
  const expected = await processes(raw);
  assert.ok(expected.length > 30);
  const options = { directoryTable: location.dtb, activeProcessHead: profile.symbols.address('PsActiveProcessHead') ?? 0n };
  for (const form of Object.keys(CRASH_FORMS) as CrashForm[]) {
    const filename = await convert(form, options);
    const session = await replicaSession({ filename });
    assert.deepEqual(await processes(session), expected, form);
    const step = session.trace.steps.find(({ stage, outcome }) => stage === 'page tables' && outcome === 'verified');
    assert.match(step?.tried ?? '', /^the dump's header, amd64/, form);
    session.close();
    rmSync(filename);
  }
  raw.close();
});

test('a header that names other page tables is not believed', { skip }, async () => {
  const filename = await convert('kernel bitmap', { directoryTable: 0x5000 });
  const session = await replicaSession({ filename });
  const kernel = (await session.kernel()) as WindowsKernel;
  assert.match(kernel.banner, /^7600/);
  assert.notEqual(kernel.location.dtb, 0x5000);
  assert.ok(session.trace.steps.some(({ tried, outcome }) => tried.startsWith("the dump's header") && outcome === 'failed'));
  session.close();
  rmSync(filename);
});
