import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { malfind } from '../../../plugins/windows/malfind.js';
import type { WindowsKernel } from '../../../src/kernel/windows/kernel.js';
import { PageFrames } from '../../../src/kernel/windows/memory/pfn.js';
import { METHODS } from '../../../src/kernel/windows/processes/processes.js';
import { vadFacts, vads } from '../../../src/kernel/windows/memory/vad.js';
import { pageNumber } from '../../../src/memory/page.js';
import { temporary } from '../../support/folder.js';
import { PatchedReplica } from '../../support/patched-replica.js';
import { rowsOf } from '../../support/sample.js';
import { replicaSession, replicaSkip as skip, replicaTruth } from '../../support/windows.js';

const session = skip ? undefined : await replicaSession();
after(() => session?.close());
const all = { method: METHODS };

test('the planted executable is found, and nothing else is called one', { skip }, async () => {
  const truth = replicaTruth<{ kind: string; pid: number; start: string; end: string }[]>('anomalies').filter(({ kind }) => kind === 'injected code');
  const { rows, run } = await rowsOf(session as never, malfind, all);
  const executables = rows.filter((row) => row['executable'] === true).map((row) => [row['pid'], row['start'], row['end'], row['remark']]);
  assert.deepEqual(executables, truth.map(({ pid, start, end }) => [pid, BigInt(start), BigInt(end), 'begins with an MZ header']));
  // The regions that Volatility 3 lists on this image; on the real machine, too, they were executable and writable. Here they hold text, and that is said.
  assert.deepEqual(
    rows.map((row) => [row['pid'], row['start'], row['remark'] === 'holds text']),
    [
      [1432, 0x2240000n, true],
      [1432, 0x22c0000n, true],
      [1652, 0x1f20000n, false],
      [1652, 0x3ea0000n, true],
      [1892, 0x590000n, true],
      [1892, 0x3a60000n, true],
      [1892, 0x5fff0000n, true],
      [2820, 0x350000n, true],
      [2820, 0x5fff0000n, true],
    ],
  );
  assert.ok(rows.every((row) => row['kind'] === 'private' && row['tag'] === 'VadS' && row['protect'] === 'EXECUTE_READWRITE'));
  assert.ok(run.notes.some((note) => note.startsWith('6 regions are left out')), run.notes.join());
  const planted = rows.find((row) => row['executable'] === true);
  assert.equal((planted?.['hexdump'] as Buffer).subarray(0, 4).toString('latin1'), 'MZ\x90\0');
  // 64-bit code: POP R10; in a 32-bit process the same bytes are others.
  assert.match(String(planted?.['disassembly']), /^0x1f20000 POP R10\n/);
  assert.match(String(rows.find((row) => row['pid'] === 2820)?.['disassembly']), /^0x350040 IMUL? /);
});

test('an untouched system has no code of another kind', { skip }, async () => {
  const { rows } = await rowsOf(session as never, malfind, { ...all, kinds: ['shared', 'protection', 'image'] });
  assert.deepEqual(rows, []);
});

test('regions are written to the folder, and only there', { skip }, async () => {
  const folder = temporary();
  const { rows } = await rowsOf(session as never, malfind, { ...all, pids: [1652], dump_dir: folder });
  assert.deepEqual(readdirSync(folder).sort(), ['explorer.exe.1652.01f20000-01f20fff.dmp', 'explorer.exe.1652.03ea0000-03eaffff.dmp']);
  const bytes = readFileSync(String(rows[0]?.['dumped']));
  assert.equal(bytes.length, 0x1000);
  assert.equal(bytes.subarray(0, 2).toString('latin1'), 'MZ');
  assert.equal(readFileSync(String(rows[1]?.['dumped'])).length, 0x10000);
});

/** Physical address of the last-level entry of a page, of four levels. */
function entryOf(kernel: WindowsKernel, dtb: number, virtual: bigint): number {
  let table = dtb;
  for (const shift of [39n, 30n, 21n]) table = Number(kernel.physical.readU64(BigInt(table) + ((virtual >> shift) & 511n) * 8n) & 0xffffffffff000n);
  return table + Number((virtual >> 12n) & 511n) * 8;
}

test('what malware does beyond that: a wiped header, a header further in, shellcode, protection that was changed, code that was written over', { skip }, async () => {
  const patched = await PatchedReplica.open();
  const { kernel } = patched;
  const explorer = patched.process(1652);
  const space = kernel.spaceOf(explorer);
  // The mark is wiped; a PE header stands where the DOS header says.
  patched.write(space, 0x1f20000n, Buffer.from([0, 0]));
  const header = Buffer.alloc(0x44);
  header.writeUInt32LE(0x40, 0x3c);
  header.write('PE', 0x40);
  patched.write(space, 0x1f20000n + 0x3cn, header.subarray(0x3c));
  // An executable in the sixth page of another region.
  header.write('MZ', 0);
  patched.write(space, 0x3ea5000n, header);
  // In a third process: shellcode.
  const frontend = patched.process(2820);
  patched.write(kernel.spaceOf(frontend), 0x350040n, Buffer.from('e8000000005b', 'hex'));
  // A page of a heap becomes executable: the no-execute bit of its entry goes.
  const heap = [...vads(kernel, explorer)].find((region) => {
    const facts = vadFacts(kernel, region);
    return facts.private && facts.protection === 4 && [...space.mappings(region.start, region.end + 1n)].some(({ flags }) => flags.present && flags.noExecute);
  });
  const page = [...space.mappings(heap?.start, (heap?.end ?? 0n) + 1n)].find(({ flags }) => flags.present && flags.noExecute)?.virtual ?? 0n;
  const entry = entryOf(kernel, kernel.dtbOf(explorer), page);
  const value = kernel.physical.readU64(BigInt(entry)) & ~(1n << 63n);
  const word = Buffer.alloc(8);
  word.writeBigUInt64LE(value);
  patched.writePhysical(entry, word);
  // A page of code of a library becomes the process's own: its record no longer says that it is a section's.
  const frames = new PageFrames(kernel);
  const image = [...vads(kernel, explorer)].find((region) => vadFacts(kernel, region).image && [...space.mappings(region.start, region.end + 1n)].some(({ flags }) => flags.present && !flags.noExecute));
  const code = [...space.mappings(image?.start, (image?.end ?? 0n) + 1n)].find(({ flags }) => flags.present && !flags.noExecute);
  const frame = (code?.physical ?? 0) / 4096;
  const flags = frames.addressOf(frame) + BigInt(kernel.struct('_MMPFN').offsetOf('u4'));
  patched.pointer(kernel.space, flags, kernel.space.readU64(flags) & ~(1n << 57n));
  assert.equal(frames.at(frame)?.prototype, true);

  const changed = await patched.session();
  const { rows } = await rowsOf(changed, malfind, { ...all, kinds: ['private', 'protection', 'image'] });
  const said = (pid: number, start: bigint): unknown => rows.find((row) => row['pid'] === pid && row['start'] === start)?.['remark'];
  assert.equal(said(1652, 0x1f20000n), 'begins with the header of an executable whose MZ was wiped');
  assert.equal(said(1652, 0x3ea0000n), 'at 0x3ea5000: an MZ header');
  assert.equal(said(2820, 0x350000n), 'calls the next instruction, to learn where it is: shellcode');
  assert.match(String(said(1652, heap?.start ?? 0n)), new RegExp(`a page was made executable later, from 0x${(pageNumber(page)).toString(16)}`));
  const hooked = rows.filter((row) => row['kind'] === 'image');
  assert.ok(hooked.some((row) => row['pid'] === 1652 && row['start'] === image?.start && /code was changed/.test(String(row['remark']))), JSON.stringify(hooked.map((row) => row['remark'])));
  changed.close();
  patched.close();
});
