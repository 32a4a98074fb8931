import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { peRows, PE_PARTS, type PeRow } from '../../../plugins/windows/pe-rows.js';
import { peinfo } from '../../../plugins/windows/peinfo.js';
import { procinfo } from '../../../plugins/windows/procinfo.js';
import { METHODS } from '../../../src/kernel/windows/processes/processes.js';
import { BufferSpace } from '../../../src/memory/space.js';
import { describeStruct } from '../../../src/object/describe.js';
import type { Struct } from '../../../src/object/struct.js';
import type { Row } from '../../../src/plugin/columns.js';
import { Session } from '../../../src/session/session.js';
import { imports } from '../../../src/symbols/pe/imports.js';
import { LoadedPe } from '../../../src/symbols/pe/loaded.js';
import { temporary } from '../../support/folder.js';
import { objdump, skipWithoutObjdump } from '../../support/objdump.js';
import { root } from '../../support/root.js';
import { rowsOf } from '../../support/sample.js';
import { replicaSession, replicaSkip as skip, replicaTruth } from '../../support/windows.js';
import { mapped, sampleBytes } from '../../symbols/pe/samples.js';

const session = skip ? undefined : await replicaSession();
after(() => session?.close());
const rows = async (plugin: Parameters<typeof rowsOf>[1], args: Record<string, unknown>): Promise<readonly Row[]> => (await rowsOf(session as never, plugin, args)).rows;
const part = (all: readonly Row[], name: string): readonly Row[] => all.filter((row) => row['part'] === name);
const value = (all: readonly Row[], name: string): unknown => all.find((row) => row['name'] === name)?.['value'];

test('a file on disk needs no image', { skip: skipWithoutObjdump }, async () => {
  const none = new Session({ cache: 'memory' });
  const path = join(root, 'test/data/pe/amd64.dll');
  const { rows: all, run } = await rowsOf(none, peinfo, { executable: path });
  assert.deepEqual([...run.notes, run.faults], [0]);
  assert.equal(value(all, 'Machine'), 'AMD64');
  assert.equal(value(all, 'TimeDateStamp'), '2010-01-01T00:00:00Z (0x4b3d3b00)');
  assert.equal(value(all, 'PDB'), 'd:\\build\\sample.pdb');
  assert.deepEqual(part(all, 'Sections').map((row) => [row['name'], row['perm'], row['raw']]), [['.text', 'r-x', 0x400], ['.rdata', 'r--', 0x600], ['.data', 'rw-', 0xa00], ['.rsrc', 'r--', 0xc00], ['.reloc', 'r--', 0x1000]]);
  assert.deepEqual(part(all, 'Imports').map((row) => [row['value'], row['name'], row['ord']]), [['alpha.dll', 'AlphaOne', null], ['alpha.dll', 'AlphaTwo', null], ['beta.dll', '#42', 42], ['late.dll (on first call)', 'LateOne', null]]);
  assert.deepEqual(part(all, 'Exports').map((row) => [row['name'], row['ord'], row['vma']]).slice(0, 2), [['first', 5, 0x180001000n], ['second', 6, 0x180001020n]]);
  assert.equal(value(all, 'CompanyName'), 'Nobody Corporation');
  const code = part(all, 'Entry point');
  const pe = mapped(sampleBytes('amd64'));
  const listed = objdump(pe.bytes(pe.entryPoint, 0x60), pe.address(pe.entryPoint), 'i386:x86-64');
  assert.deepEqual(code.map((row) => [row['vma'], row['size']]), listed.slice(0, code.length).map((one) => [one.address, one.length]));
  assert.match(String(code.find((row) => String(row['name']).startsWith('CALL QWORD'))?.['value']), /__imp_alpha\.dll!AlphaOne/);
  const some = await rowsOf(none, peinfo, { executable: path, parts: ['version'] });
  assert.ok(some.rows.every((row) => row['part'] === 'Version information'));
  none.close();
});

test('files that are no executables, or too little of one, are told', async () => {
  const none = new Session({ cache: 'memory' });
  const folder = temporary();
  const path = join(folder, 'file');
  writeFileSync(path, 'MZ');
  await assert.rejects(rowsOf(none, peinfo, { executable: path }), /is no executable/);
  await assert.rejects(rowsOf(none, peinfo, { executable: folder }), /is no file/);
  await assert.rejects(rowsOf(none, peinfo, {}), /There is no image/);
  writeFileSync(path, sampleBytes('i386').subarray(0, 0x500));
  const { run } = await rowsOf(none, peinfo, { executable: path });
  assert.match(run.notes.join(), /is not in the file/);
  none.close();
});

test('in memory, imports show where their pointers lead', async () => {
  const source = mapped(sampleBytes('amd64'));
  const bytes = source.space.readPartial(source.base, source.sizeOfImage).bytes;
  const slots = [...imports(source)].map(({ slot }) => slot);
  for (const [index, slot] of slots.entries()) bytes.writeBigUInt64LE(BigInt(0x7fff0000 + index), slot);
  const pe = LoadedPe.read(new BufferSpace(bytes, 0x400000n), 0x400000n);
  const found: PeRow[] = [];
  const names = { nearest: () => undefined, name: (address: bigint) => (address === 0x7fff0001n ? 'other!Hook' : address === 0x7fff0000n ? 'alpha!AlphaOne' : undefined) };
  for await (const [, row] of peRows({ pe, names, loaded: true, note: () => undefined }, PE_PARTS)) if (row.dll) found.push(row);
  const cell = (one: unknown): unknown => (typeof one === 'function' ? (one as () => unknown)() : one);
  assert.deepEqual(found.map((row) => cell(row.value)), ['alpha.dll', 'alpha.dll → other!Hook', 'beta.dll → 0x7fff0002', 'late.dll → 0x7fff0003 (on first call)']);
  assert.deepEqual(found.map((row) => cell(row.function)), [0x7fff0000n, 0x7fff0001n, 0x7fff0002n, 0x7fff0003n]);
});

test('drivers of the image: their debug records, sizes and sections', { skip }, async () => {
  const truth = replicaTruth<{ loaded: { name: string; base: string; size: string; pdb_guid: string | null }[] }>('modules').loaded;
  let compared = 0;
  for (const { base, pdb_guid: guid, size, name } of truth.slice(0, 40)) {
    if (guid === null || BigInt(base) >= 0xfffff96000000000n) continue;
    const all = await rows(peinfo, { image_base: BigInt(base), parts: ['header', 'sections'] });
    assert.equal(String(value(all, 'GUID/Age')).slice(0, 32), guid, name);
    const image = all.find((row) => row['name'] === 'Image base');
    assert.deepEqual([image?.['vma'], Number(image?.['size']) >= Number(size)], [BigInt(base), true]);
    const sections = part(all, 'Sections');
    for (const [index, row] of sections.entries()) if (index > 0) assert.ok((row['vma'] as bigint) > (sections[index - 1]?.['vma'] as bigint));
    compared++;
  }
  assert.ok(compared > 30, `${compared}`);
});

test('the kernel by itself: its exports are names of its profile at the same places', { skip }, async () => {
  const all = await rows(peinfo, { parts: ['header', 'exports'] });
  assert.equal(value(all, 'GUID/Age'), 'F8E2A8B5C9B74BF4A6E4A48F180099942');
  const exported = part(all, 'Exports');
  assert.ok(exported.length > 1900, `${exported.length}`);
  const resolver = await (session as Session).resolver(null);
  let same = 0;
  for (const row of exported) if (resolver.symbol(`nt!${String(row['name'])}`) === row['vma']) same++;
  assert.ok(same > exported.length - 20, `${same} of ${exported.length}`);
  assert.ok(exported.every((row) => row['status'] === 'M'));
});

test('a process: facts, environment and program as in the truth', { skip }, async () => {
  interface Dlls {
    readonly pid: number;
    readonly name: string;
    readonly peb: { va: string; image_base?: string } | null;
    readonly command_line: string | null;
    readonly environment: Record<string, string> | string[] | null;
  }
  const all = await rows(procinfo, { method: METHODS });
  let compared = 0;
  for (const one of replicaTruth<Dlls[]>('dlls')) {
    if (one.peb?.image_base === undefined || !one.environment || Array.isArray(one.environment)) continue;
    const own = all.filter((row) => describeStruct(row['_EPROCESS'] as Struct).pid === one.pid);
    const facts = part(own, 'Process');
    assert.equal(value(facts, 'name'), one.name);
    assert.equal(facts.find((row) => row['name'] === 'PEB')?.['vma'], BigInt(one.peb.va));
    assert.equal(facts.find((row) => row['name'] === 'image (PEB)')?.['vma'], BigInt(one.peb.image_base));
    assert.equal(value(facts, 'command line'), one.command_line);
    assert.deepEqual(Object.fromEntries(part(own, 'Environment').map((row) => [row['name'], row['value']])), one.environment);
    assert.equal(own.find((row) => row['name'] === 'Image base')?.['vma'], BigInt(one.peb.image_base));
    compared++;
  }
  assert.ok(compared > 20, `${compared}`);
  const narrowed = await rows(procinfo, { pids: [444], parts: ['process'] });
  assert.ok(narrowed.length > 10 && narrowed.every((row) => row['part'] === 'Process' && row['pid'] === 444));
});
