import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { impscan } from '../../../plugins/windows/impscan.js';
import { dlldump, moddump, procdump } from '../../../plugins/windows/pedump.js';
import { peinfo } from '../../../plugins/windows/peinfo.js';
import { vadmap } from '../../../plugins/windows/vadmap.js';
import type { Row } from '../../../src/plugin/columns.js';
import { imports } from '../../../src/symbols/pe/imports.js';
import type { LoadedPe } from '../../../src/symbols/pe/loaded.js';
import { temporary } from '../../support/folder.js';
import { rowsOf } from '../../support/sample.js';
import { samplePieces, sampleSession, sampleTruth } from '../../support/windows-sample.js';
import { ForgedWindows, layoutSkip } from '../../support/windows-kernel.js';
import { mapped, sampleBytes } from '../../symbols/pe/samples.js';

/** The committed sample: its executables lie beside it, as the linker made them. */
const session = sampleSession();
const folder = temporary();
after(() => {
  session.close();
});
const rows = async (plugin: Parameters<typeof rowsOf>[1], args: Record<string, unknown>): Promise<readonly Row[]> => (await rowsOf(session, plugin, args)).rows;
const pieces = new Map(readdirSync(join(samplePieces, 'x64')).map((name) => [name.toLowerCase(), readFileSync(join(samplePieces, 'x64', name))]));

/** Asserts that a file is the linker's but for what the loader wrote: import addresses, which are in a range of the file. */
function assertSame(name: string, bytes: Buffer): void {
  const original = pieces.get(name.toLowerCase());
  assert.ok(original, name);
  assert.equal(bytes.length, original.length, name);
  const pe = mapped(original);
  const table = pe.directory(12) ?? { rva: 0, size: 0 };
  const holder = pe.sections.find(({ rva, size }) => table.rva >= rva && table.rva < rva + size);
  const start = holder ? table.rva - holder.rva + holder.rawOffset : 0;
  const different = [...bytes.keys()].filter((at) => bytes[at] !== original[at]);
  for (const at of different) assert.ok(at >= start && at < start + table.size, `${name} at 0x${at.toString(16)}`);
  assert.ok(different.length > 0 || table.size === 0, name);
}

test('programs, libraries and drivers in memory, written back, are the files that the linker made', async () => {
  let compared = 0;
  for (const plugin of [procdump, dlldump]) {
    for (const row of await rows(plugin, { dump_dir: folder, fix_base: false })) {
      const name = String(row['module'] ?? '') || /executable\.(.*)_\d+\.exe$/.exec(String(row['filename']))?.[1] || '';
      if (Number(row['missing']) > 0 || !pieces.has(name.toLowerCase())) continue;
      assertSame(name, readFileSync(String(row['filename'])));
      compared++;
    }
  }
  assert.ok(compared > 30, `${compared}`);
  const drivers = await rows(moddump, { dump_dir: folder, fix_base: false });
  assert.deepEqual(drivers.map((row) => [row['name'], row['base']]), sampleTruth().modules.map(({ name, base }) => [name, BigInt(base)]));
  // The kernel has written to its own data.
  for (const row of drivers.slice(1)) assertSame(String(row['name']), readFileSync(String(row['filename'])));
});

/** `alpha.dll!AlphaOne`, without the case of the module. */
function stated(pe: LoadedPe): string[] {
  return [...imports(pe)].map(({ dll, name }) => `${dll.toLowerCase()}!${String(name)}`).sort();
}

test('imports told by code are those of the linker, forwarded ones by either name', async () => {
  const all = await rows(impscan, {});
  let compared = 0;
  for (const { name, pid, exited, dlls } of sampleTruth().processes) {
    const own = all.filter((row) => row['pid'] === pid);
    const original = pieces.get(name.toLowerCase());
    // The session manager has no kernel32, which all are linked to; a paged-out PEB tells no modules.
    if (exited !== null || !original || !dlls.some(({ path }) => /kernel32/i.test(path))) continue;
    const found = own.map((row) => [`${String(row['module']).toLowerCase()}!${String(row['function'])}`, ...String(row['also'] ?? '').split(', ').map((text) => text.replace(/^[^!]*/, (dll) => dll.toLowerCase()))]);
    const expected = stated(mapped(original));
    for (const one of expected) assert.ok(found.some((names) => names.includes(one)), `${name}: ${one}`);
    assert.equal(found.length, new Set(expected.map((one) => one.replace('kernel32.dll!HeapAlloc', 'ntdll.dll!RtlAllocateHeap'))).size, name);
    for (const row of own) assert.ok(Number(row['uses']) > 0 && row['stated'] !== null);
    compared++;
  }
  assert.ok(compared >= 8, `${compared}`);
});

test('imports of drivers, and what the loader made of them', async () => {
  for (const { name, base } of sampleTruth().modules.slice(1)) {
    const all = await rows(impscan, { kernel: true, base: BigInt(base) });
    const original = mapped(pieces.get(name.toLowerCase()) as Buffer);
    assert.deepEqual(all.map((row) => `${String(row['module']).toLowerCase()}!${String(row['function'])}`).sort(), stated(original));
    const told = await rows(peinfo, { image_base: BigInt(base), parts: ['imports'] });
    assert.deepEqual(told.map((row) => [row['vma'], row['function']]), all.map((row) => [row['iat'], row['call']]));
    assert.deepEqual(told.map((row) => [row['dll'], row['value'], row['name']]), all.map((row) => ['ntoskrnl.exe', 'ntoskrnl.exe', row['function']]));
  }
  const nothing = await rowsOf(session, impscan, { kernel: true });
  assert.equal(nothing.rows.length, 0);
  assert.match(nothing.run.notes.join(), /^No pointer to an exported function/);
});

test('a region whose pages are valid, in transition, in the page file, demand zero and never touched', async () => {
  const explorer = sampleTruth().processes.find(({ name }) => name === 'explorer.exe');
  const found = await rows(vadmap, { pids: [explorer?.pid], start: 0x600000n, end: 0x610000n, coalesce: false });
  const types = new Set(found.map((row) => row['type']));
  for (const type of ['Valid', 'Transition', 'Pagefile', 'Demand Zero']) assert.ok(types.has(type), type);
});

test('XP with PAE: a driver of 32 bits is written back, its imports are told', { skip: layoutSkip('xp') }, async () => {
  const forged = await ForgedWindows.of('xp');
  const bytes = sampleBytes('i386');
  const source = mapped(bytes);
  const image = source.space.readPartial(source.base, source.sizeOfImage).bytes;
  const [sample, alpha, beta] = [0xf8000000n, 0xf8100000n, 0xf8200000n];
  // Exporters: the sample once more, whose exports are known; the functions it imports are theirs.
  const [first, , byNumber] = [...source.allExports()];
  const slots = [...imports(source)].filter(({ delayed }) => !delayed);
  for (const [index, { slot }] of slots.entries()) image.writeUInt32LE(Number(index < 2 ? alpha : beta) + ((index === 1 ? byNumber : first)?.rva ?? 0), slot);
  for (const base of [sample, alpha, beta]) forged.image.write(base, image);
  forged.modules([
    { name: 'ntoskrnl.exe', base: forged.base, size: 0x1000 },
    { name: 'sample.sys', base: sample, size: image.length },
    { name: 'alpha.sys', base: alpha, size: image.length },
    { name: 'beta.sys', base: beta, size: image.length },
    { name: '/../..\\\x1b[31m', base: alpha + 0x8000n, size: 0x1000 },
  ]);
  forged.image.write(alpha + 0x8000n, image);
  const xp = forged.session();
  const { rows: found } = await rowsOf(xp, impscan, { kernel: true, base: sample });
  assert.deepEqual(
    found.map((row) => [row['iat'], row['module'], row['function'], row['stated']]),
    slots.map(({ slot, dll, name, ordinal }, index) => [sample + BigInt(slot), index < 2 ? 'alpha.sys' : 'beta.sys', index === 1 ? 'second' : 'first', `${dll}!${name ?? `#${ordinal}`}`]),
  );
  const { rows: written } = await rowsOf(xp, moddump, { regex: /^sample/, dump_dir: folder });
  assert.equal(written.length, 1);
  assert.match(String(written[0]?.['comment']), /image base changed from 0x10000000/);
  const back = readFileSync(String(written[0]?.['filename']));
  assert.equal(back.length, bytes.length);
  assert.equal(mapped(back).base, sample);
  // Names of the image never lead out of the folder, or to the terminal.
  const before = new Set(readdirSync(folder));
  const { rows: hostile } = await rowsOf(xp, moddump, { regex: /31m/, dump_dir: folder });
  const [file] = readdirSync(folder).filter((name) => !before.has(name));
  assert.equal(hostile[0]?.['filename'], join(folder, file ?? ''));
  assert.match(file ?? '', /^driver\.f8108000\.[\w.]+$/);
  xp.close();
});
