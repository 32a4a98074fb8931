import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { dlldump, moddump, pedump, procdump } from '../../../plugins/windows/pedump.js';
import { METHODS } from '../../../src/kernel/windows/processes/processes.js';
import { BufferSpace } from '../../../src/memory/space.js';
import { describeStruct } from '../../../src/object/describe.js';
import type { Struct } from '../../../src/object/struct.js';
import type { Row } from '../../../src/plugin/columns.js';
import { PeFileSpace } from '../../../src/symbols/pe/file.js';
import { LoadedPe } from '../../../src/symbols/pe/loaded.js';
import { temporary } from '../../support/folder.js';
import { rowsOf } from '../../support/sample.js';
import { replicaSession, replicaSkip as skip, replicaTruth } from '../../support/windows.js';

interface Module {
  readonly base: string;
  readonly size: string;
  readonly name: string;
}
interface Dlls {
  readonly pid: number;
  readonly name: string;
  readonly peb: { image_base?: string } | null;
  readonly dlls: { load_order: Module[] } | null;
  readonly dlls32: Module[] | null;
}

const session = skip ? undefined : await replicaSession();
const folder = temporary();
after(() => {
  session?.close();
});
const clean = (): void => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
};
beforeEach(clean);
const run = async (plugin: Parameters<typeof rowsOf>[1], args: Record<string, unknown>): Promise<readonly Row[]> => (await rowsOf(session as never, plugin, { dump_dir: folder, ...args })).rows;
const pid = (row: Row): number | undefined => describeStruct(row['_EPROCESS'] as Struct).pid;
const dumped = (row: Row): Buffer => readFileSync(String(row['filename']));
const fromFile = (bytes: Buffer): LoadedPe => {
  const space = new PeFileSpace(bytes, 'dump');
  return LoadedPe.read(space, space.base);
};

/** The pages of an image that memory has: those that are in every process, and what single processes have beside. */
function pagesOf(): { image(path: string): number[]; special(pid: number, from: bigint, to: bigint): { certain: number[]; perhaps: number[] } } {
  const images = new Map(replicaTruth<{ file: string; pages: string[] }[]>('user_images').map(({ file, pages }) => [file, pages.map(Number)]));
  const special = new Map(replicaTruth<{ pid: number; ptes: { va: string; kind: string; physical: string | null }[] }[]>('special_ptes').map((one) => [one.pid, one.ptes]));
  return {
    image: (path) => images.get(path) ?? [],
    special: (id, from, to) => {
      const within = (special.get(id) ?? []).filter(({ va, physical }) => physical !== null && BigInt(va) >= from && BigInt(va) < to);
      const rva = ({ va }: { va: string }): number => Number(BigInt(va) - from);
      return { certain: within.filter(({ kind }) => kind !== 'prototype via VAD').map(rva), perhaps: within.filter(({ kind }) => kind === 'prototype via VAD').map(rva) };
    },
  };
}

test('the program of every process: where the PEB says, and the debug record of its file', { skip }, async () => {
  const rows = await run(procdump, { method: METHODS });
  const truth = new Map(replicaTruth<Dlls[]>('dlls').filter(({ peb }) => peb !== null).map((one) => [one.pid, one]));
  const guids = new Map(replicaTruth<{ file: string; guid: string }[]>('user_images').map(({ file, guid }) => [file.split('\\').at(-1)?.toLowerCase(), guid]));
  assert.ok(rows.length >= 25, `${rows.length}`);
  let compared = 0;
  for (const row of rows) {
    const one = truth.get(pid(row) ?? -1);
    // Of processes whose PEB is paged out the truth has no base: the next test but one knows it.
    if (one?.peb?.image_base === undefined) continue;
    assert.equal(row['base'], BigInt(one.peb.image_base), one.name);
    assert.equal(basename(String(row['filename'])), `executable.${one.name}_${one.pid}.exe`);
    const pe = fromFile(dumped(row));
    assert.equal(pe.base, row['base'], 'the header names where the image was');
    const guid = guids.get(one.name.toLowerCase());
    if (guid === undefined || !pe.debug()) continue;
    assert.equal(pe.debug()?.guid, guid, one.name);
    compared++;
  }
  assert.ok(compared >= 20, `${compared}`);
});

test('modules of processes, 32-bit ones too: every page that memory has, and as many missing as it has not', { skip }, async () => {
  const pages = pagesOf();
  const vads = new Map(replicaTruth<{ pid: number; vads: { start: string; file: string | null }[] }[]>('vad').map((one) => [one.pid, new Map(one.vads.map(({ start, file }) => [BigInt(start), file]))]));
  for (const id of [208, 444, 2860]) {
    const rows = await run(dlldump, { pids: [id], layout: 'memory', fix_base: false });
    const truth = replicaTruth<Dlls[]>('dlls').find((one) => one.pid === id);
    const stated = [...(truth?.dlls?.load_order ?? []), ...(truth?.dlls32 ?? [])];
    const byBase = new Map(rows.map((row) => [row['base'] as bigint, row]));
    for (const { base, size, name } of stated) {
      const row = byBase.get(BigInt(base));
      assert.ok(row, `${name} of ${id}`);
      assert.equal(String(row['module']).toLowerCase(), name.toLowerCase());
      const bytes = dumped(row);
      // Headers of the replica's smallest files claim more than the loader's entries.
      assert.ok(bytes.length === Number(size) || (bytes.length === 0x5000 && Number(size) < 0x5000), name);
      const file = vads.get(id)?.get(BigInt(base)) ?? '';
      const { certain, perhaps } = pages.special(id, BigInt(base), BigInt(base) + BigInt(bytes.length));
      const present = new Set([...pages.image(file), ...certain]);
      const missing = bytes.length / 4096 - present.size;
      const extra = perhaps.filter((rva) => !present.has(rva)).length;
      assert.ok([missing, missing - extra].includes(row['missing'] as number), `${name}: ${String(row['missing'])}, not ${missing}`);
      for (let rva = 0; rva < bytes.length; rva += 4096) {
        const zero = bytes.subarray(rva, rva + 4096).every((byte) => byte === 0);
        assert.equal(zero, !present.has(rva) && !(perhaps.includes(rva) && !zero), `${name}+0x${rva.toString(16)}`);
      }
    }
    assert.equal(new Set(readdirSync(folder)).size, rows.length, 'one file for each');
    clean();
  }
});

test('a process whose PEB is paged out: the kernel says where its program is, and regions what is mapped', { skip }, async () => {
  const rows = await run(dlldump, { method: METHODS, regex: /^ntdll/i });
  const programs = await run(procdump, { method: METHODS });
  const pagedOut = replicaTruth<Dlls[]>('dlls').filter(({ peb }) => peb !== null && peb.image_base === undefined).map((one) => one.pid);
  assert.equal(pagedOut.length, 2);
  for (const id of pagedOut) {
    assert.ok(rows.some((row) => pid(row) === id && row['source'] === 'region'), `${id}`);
    assert.ok(programs.some((row) => pid(row) === id && row['base'] === 0xffe70000n), `${id}`);
  }
});

test('drivers, those of sessions too', { skip }, async () => {
  const rows = await run(moddump, { regex: /./ });
  const truth = replicaTruth<{ loaded: (Module & { pdb_guid: string | null })[] }>('modules').loaded;
  assert.deepEqual(rows.map((row) => [row['name'], row['base']]), truth.map(({ name, base }) => [name, BigInt(base)]));
  let compared = 0;
  for (const [index, { name, pdb_guid: guid, size }] of truth.entries()) {
    const row = rows[index] ?? {};
    if (row['filename'] === null) continue;
    const pe = fromFile(dumped(row));
    assert.ok(pe.sizeOfImage === Number(size) || (pe.sizeOfImage === 0x5000 && Number(size) < 0x5000), name);
    if (guid === null) continue;
    assert.equal(pe.debug()?.guid, guid, name);
    compared++;
  }
  assert.ok(compared > 100, `${compared}`);
  assert.ok(rows.some((row) => row['name'] === 'win32k.sys' && row['filename'] !== null));
});

test('one image, to a file of any name; what is none is said', { skip }, async () => {
  const out = join(folder, 'my kernel.bin');
  const [row] = await run(pedump, { image_base: 0xfffff8000261f000n, out_file: out });
  assert.equal(row?.['filename'], out);
  const bytes = readFileSync(out);
  assert.equal(fromFile(bytes).debug()?.guid, 'F8E2A8B5C9B74BF4A6E4A48F18009994');
  // The same through the file's own layout: exports survive.
  const names = [...LoadedPe.read(new BufferSpace(readFileSync(String((await run(pedump, { image_base: 0xfffff8000261f000n, layout: 'memory' }))[0]?.['filename']))), 0n).exports()].length;
  assert.equal([...fromFile(bytes).exports()].length, names);
  const [nothing] = await run(pedump, { image_base: 0xfffff8000261f800n });
  assert.deepEqual([nothing?.['filename'], nothing?.['size']], [null, null]);
  assert.match(String(nothing?.['comment']), /^no file: no MZ/);
  const [missing] = await run(pedump, { image_base: 0x1000n });
  assert.match(String(missing?.['comment']), /not in memory/);
  for (const name of readdirSync(folder)) assert.equal(dirname(join(folder, name)), folder);
});
