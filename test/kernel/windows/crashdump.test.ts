import assert from 'node:assert/strict';
import { closeSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { modules } from '../../../plugins/windows/modules.js';
import { pslist } from '../../../plugins/windows/pslist.js';
import type { WindowsKernel } from '../../../src/kernel/windows/kernel.js';
import type { Struct } from '../../../src/object/struct.js';
import { Session } from '../../../src/session/session.js';
import { openProfileFile } from '../../../src/symbols/open.js';
import { bootableWindows } from '../../support/bootable-windows.js';
import { temporary } from '../../support/folder.js';
import { PAGE } from '../../support/images.js';
import { CRASH_FORMS, crashBytes, type CrashForm, crashHead, type CrashOptions } from '../../support/images-crash.js';
import { rowsOf } from '../../support/sample.js';
import { sharedData } from '../../support/shared.js';
import { replicaPath, replicaSession, replicaSkip as skip } from '../../support/windows.js';

const folder = temporary();

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

const layouts = sharedData('profiles', 'v1.0', 'nt', 'GUID');

test('32-bit dumps of every form, with PAE and without: the header leads to page tables, base and lists, all verified', { skip: layouts.skip }, async () => {
  const forged = [
    ['30B5FB31AE7E4ACAABA750AA241FF331', 1, 'i386-pae', { major: 5, minor: 1 }],
    ['30B5FB31AE7E4ACAABA750AA241FF331', 1, 'i386', { major: 5, minor: 1 }],
    ['05D170AAEF7F496F9D40BA710C3D90A2', 2, 'i386-pae', { major: 6, minor: 1 }],
  ] as const;
  for (const [guid, age, paging, version] of forged) {
    const source = await openProfileFile(join(layouts.path, `${guid}${age}.gz`));
    const kernel = bootableWindows(source, { guid, age, paging, version, pdb: 'ntkrpamp.pdb', banner: '7600.forged.090713-1255' });
    const { frames, dtb } = kernel.image;
    const ranges = [...frames.pages].map(([number, bytes]) => ({ physical: number * PAGE, bytes }));
    const heads = { loadedModuleList: kernel.at('PsLoadedModuleList'), activeProcessHead: kernel.at('PsActiveProcessHead'), debuggerData: kernel.at('KdDebuggerDataBlock') };
    for (const form of Object.keys(CRASH_FORMS) as CrashForm[]) {
      const filename = join(folder, `${paging}-${form}.dmp`);
      writeFileSync(filename, crashBytes(ranges, { form, bits: 32, pae: paging === 'i386-pae', directoryTable: dtb, ...heads }));
      const session = new Session({ filename, repository_path: [sharedData('profiles').path], cache: 'memory' });
      const { location } = (await session.kernel()) as WindowsKernel;
      assert.deepEqual([location.base, location.dtb, location.paging], [kernel.base, dtb, paging], form);
      const steps = session.trace.steps.map(({ tried, found, outcome }) => `${tried}: ${found} (${outcome})`);
      assert.ok(steps.some((step) => step.startsWith(`the dump's header, ${paging}`) && step.endsWith('(verified)')), steps.join('\n'));
      assert.ok(steps.includes("the dump's header: PsLoadedModuleList, PsActiveProcessHead, KdDebuggerDataBlock are where the profile has them (verified)"), steps.join('\n'));
      const { rows } = await rowsOf(session, modules, {});
      assert.deepEqual(rows.map((row) => [row['name'], row['base']]), [['ntoskrnl.exe', kernel.base], ['hal.dll', kernel.base - 0x100000n]]);
      session.close();
    }
  }
});
