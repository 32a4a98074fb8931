import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imports } from '../../../src/symbols/pe/imports.js';
import { fileLayout } from '../../../src/symbols/pe/layout.js';
import { resources, version } from '../../../src/symbols/pe/resources.js';
import { assembled, mapped, NAMES, sampleBytes, sampleTruth } from './samples.js';

/** Blocks of llvm-readobj's output: `Import {` … `}` */
function blocks(text: string, name: string): string[] {
  return [...text.matchAll(new RegExp(`^( *)${name} \\{\\n(.*?)^\\1\\}`, 'gms'))].map(([, , body]) => body ?? '');
}
const field = (text: string, name: string): string => new RegExp(`^ *${name}: ?(.*)$`, 'm').exec(text)?.[1] ?? '';
const number = (text: string, name: string): number => Number(/0x[0-9A-F]+|\d+/i.exec(field(text, name))?.[0]);

for (const name of NAMES) {
  const pe = mapped(sampleBytes(name));
  const truth = sampleTruth(name);

  test(`${name}: headers and sections as llvm-readobj has them`, () => {
    const { header } = pe;
    const file = blocks(truth, 'ImageFileHeader')[0] ?? '';
    const optional = blocks(truth, 'ImageOptionalHeader')[0] ?? '';
    assert.deepEqual(
      [header.machine, header.timestamp, header.characteristics, header.statedSections],
      [number(/\(.*\)/.exec(field(file, 'Machine'))?.[0].replace('(', 'm: ') ?? '', 'm'), number(field(file, 'TimeDateStamp').replace(/.*\(/, 'm: '), 'm'), number(/Characteristics \[ \((.*)\)/.exec(file)?.[1]?.replace(/^/, 'm: ') ?? '', 'm'), number(file, 'SectionCount')],
    );
    assert.deepEqual(
      [header.entryPoint, header.imageBase, header.sectionAlignment, header.fileAlignment, header.sizeOfImage, header.sizeOfHeaders, header.wide],
      [number(optional, 'AddressOfEntryPoint'), BigInt(field(optional, 'ImageBase')), number(optional, 'SectionAlignment'), number(optional, 'FileAlignment'), number(optional, 'SizeOfImage'), number(optional, 'SizeOfHeaders'), name === 'amd64'],
    );
    assert.deepEqual([header.imageVersion, header.subsystemVersion, header.linker, header.subsystem], ['3.4', '6.0', '14.0', 2]);
    const pairs = [...optional.matchAll(/^ {4}\w+RVA: (0x[0-9A-F]+)\n {4}\w+Size: (0x[0-9A-F]+)$|^ {4}DebugRVA: (0x[0-9A-F]+)\n {4}DebugSize: (0x[0-9A-F]+)$/gm)];
    assert.equal(pairs.length, 16);
    assert.deepEqual(header.directories, pairs.map(([, rva, size, debug, length]) => ({ rva: Number(rva ?? debug), size: Number(size ?? length) })));
    const sections = blocks(truth, 'Section').map((text) => ({
      name: field(text, 'Name').replace(/ .*/, ''),
      size: number(text, 'VirtualSize'),
      rva: number(text, 'VirtualAddress'),
      rawSize: number(text, 'RawDataSize'),
      rawOffset: number(text, 'PointerToRawData'),
      characteristics: Number(/Characteristics \[ \((.*)\)/.exec(text)?.[1]),
    }));
    assert.equal(sections.length, 5);
    assert.deepEqual(header.sections, sections);
  });

  test(`${name}: exports, with and without names, and the forwarder`, () => {
    const stated = blocks(truth, 'Export').map((text) => ({ ordinal: number(text, 'Ordinal'), name: field(text, 'Name') || undefined, rva: number(text, 'RVA') }));
    const found = [...pe.allExports()];
    assert.deepEqual(found.map(({ ordinal, name: one, rva }) => ({ ordinal, name: one, rva })), stated.filter(({ rva }) => rva !== 0));
    assert.ok(found.some((one) => one.name === undefined) && found.length === 5);
    // The linker writes a forwarder with the underscore that functions have on x86.
    assert.deepEqual(found.filter((one) => one.forwarder !== undefined).map((one) => [one.name, one.forwarder?.replace(/^_/, '')]), [['forwarded', 'NTDLL.RtlAllocateHeap']]);
    assert.deepEqual([...pe.exports()].map((one) => one.name).sort(), ['alias', 'first', 'forwarded', 'second']);
    assert.equal(pe.exportedName(), `${name}.dll`);
  });

  test(`${name}: imports by name, by number, and on first call`, () => {
    const stated = [...blocks(truth, 'Import'), ...blocks(truth, 'DelayImport')].filter((text) => text.includes('Name:')).flatMap((text) =>
      [...text.matchAll(/^ *Symbol: (\S*) \((\d+)\)$/gm)].map(([, symbol, id]) => [field(text, 'Name'), symbol === '' ? undefined : symbol, symbol === '' ? Number(id) : undefined]),
    );
    const found = [...imports(pe)];
    assert.deepEqual(found.map((one) => [one.dll, one.name, one.ordinal]), stated);
    assert.deepEqual(stated.length, 4);
    const tables = [...blocks(truth, 'Import'), ...blocks(truth, 'DelayImport')].map((text) => field(text, 'ImportAddressTable(?:RVA)?')).filter(Boolean).map(Number);
    for (const { slot, delayed } of found) assert.ok(tables.some((at) => slot >= at && slot < at + 16), `${slot} ${delayed}`);
    assert.deepEqual(found.map((one) => one.delayed), [false, false, false, true]);
  });

  test(`${name}: the debug record, resources, the version`, () => {
    const debug = pe.debug();
    const stated = /\((.*)\)/.exec(field(truth, 'PDBGUID'))?.[1]?.split(' ') ?? [];
    const guid = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map((at) => stated[at]).join('');
    const { rva = 0, ...record } = debug ?? {};
    assert.deepEqual(record, { guid, age: 1, pdb: 'sample.pdb', path: 'd:\\build\\sample.pdb' });
    assert.equal(pe.bytes(rva, 4).toString('latin1'), 'RSDS');
    assert.deepEqual([...resources(pe)].map(({ type, name: one, language, rva, size }) => [type, one, language, rva, size]), blocks(truth.replace(/ \[$/gm, ' {').replace(/^( *)\]$/gm, '$1}'), 'Data').map((_, index) => {
      const data = [...truth.matchAll(/DataRVA: (0x\w+)\n *DataSize: (\d+)/g)][index] ?? [];
      return [[10, 7, 1033], [16, 1, 1033]][index]?.concat([Number(data[1]), Number(data[2])]);
    }));
    const told = version(pe);
    assert.deepEqual([told?.file, told?.product], ['6.1.7600.16385', '10.0.19041.2']);
    assert.deepEqual(Object.fromEntries(told?.texts ?? []), {
      CompanyName: 'Nobody Corporation',
      FileDescription: 'Sample of an executable',
      FileVersion: '6.1.7600.16385 (test)',
      OriginalFilename: 'sample.dll',
      Odd: '',
    });
  });

  test(`${name}: what is mapped, written back, is the file`, () => {
    const { bytes, layout } = assembled(pe);
    assert.deepEqual(layout.remarks, []);
    assert.deepEqual(bytes, sampleBytes(name));
  });

  test(`${name}: laid out as memory is, and with another base, it reads the same`, () => {
    const { bytes } = assembled(pe, { layout: 'memory' });
    assert.equal(bytes.length, pe.sizeOfImage);
    const again = mapped(bytes);
    assert.deepEqual([...imports(again)], [...imports(pe)]);
    assert.deepEqual([...again.allExports()], [...pe.allExports()]);
    for (const [index, section] of again.sections.entries()) {
      assert.deepEqual([section.rawOffset, section.rva, section.size], [pe.sections[index]?.rva, pe.sections[index]?.rva, pe.sections[index]?.size]);
      assert.deepEqual(bytes.subarray(section.rva, section.rva + section.size), pe.bytes(section.rva, section.size));
    }
    const { patches, remarks } = fileLayout(pe.header, 0x7ff00000n, { layout: 'file', fixBase: true, most: 1 << 20 });
    const moved = sampleBytes(name);
    for (const patch of patches) patch.bytes.copy(moved, patch.at);
    assert.equal(mapped(moved).header.imageBase, 0x7ff00000n);
    assert.match(remarks.join(), /^image base changed from 0x1(80000000|0000000)$/);
  });
}

test('headers that lie: sizes are bounded, what overlaps is told', () => {
  const bytes = sampleBytes('amd64');
  const { header, sections } = mapped(bytes);
  const at = (index: number, offset: number): number => header.sectionTable + index * 40 + offset;
  const huge = Buffer.from(bytes);
  huge.writeUInt32LE(0xfffffff0, at(1, 16));
  huge.writeUInt32LE(0xfffffff0, at(1, 8));
  const cut = assembled(mapped(huge), { most: 1 << 20 });
  assert.equal(cut.bytes.length, 1 << 20);
  assert.match(cut.layout.remarks.join(), /cut at 1048576 bytes: \.rdata/);
  const same = Buffer.from(bytes);
  same.writeUInt32LE(sections[0]?.rawOffset ?? 0, at(1, 20));
  const overlapping = assembled(mapped(same)).layout;
  assert.match(overlapping.remarks.join(), /overlaps what is before it in the file: \.rdata/);
  for (const [index, part] of overlapping.parts.entries()) assert.ok(index === 0 || part.at >= (overlapping.parts[index - 1]?.at ?? 0) + (overlapping.parts[index - 1]?.length ?? 0));
  const many = Buffer.from(bytes);
  many.writeUInt16LE(0xffff, header.ntOffset + 6);
  assert.ok(mapped(many).sections.length <= 2048);
  const memory = assembled(mapped(huge), { layout: 'memory', most: 1 << 20 });
  assert.equal(memory.bytes.length, 1 << 20);
  assert.match(memory.layout.remarks.join(), /are claimed, 1048576 are written/);
});
