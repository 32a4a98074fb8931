import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Kernel } from '../../../src/kernel/kernel.js';
import type { ApiSets } from '../../../src/kernel/windows/system/api-sets.js';
import { BufferSpace } from '../../../src/memory/space.js';
import { UsageError } from '../../../src/plugin/error.js';
import { moduleKey, type ModuleNames } from '../../../src/session/resolver/module-names.js';
import { ModuleProfiles } from '../../../src/session/resolver/module-profiles.js';
import { PeNames, type PeSurroundings } from '../../../src/session/resolver/pe-names.js';
import { Resolver } from '../../../src/session/resolver/resolver.js';
import { SharedReads } from '../../../src/session/resolver/shared-reads.js';
import { openRepository } from '../../../src/symbols/repository/open.js';
import { SymbolTable } from '../../../src/symbols/symbol-table.js';
import { temporary } from '../../support/folder.js';
import { FAKE_PE_SIZE, type FakePe, fakePe } from '../../support/pe.js';

const BASE = 0x76d00000n;

/** Modules side by side in a process, the kernel's names, and a map of API sets. */
function process(images: Readonly<Record<string, FakePe>>, sets: Readonly<Record<string, string>> = {}): { resolver: Resolver; module(name: string): PeNames } {
  const names = Object.keys(images);
  const space = new BufferSpace(Buffer.concat(Object.values(images).map((image) => fakePe(image))), BASE);
  const nt = { name: 'nt', start: 1n << 63n, end: (1n << 63n) + 1n, lookup: (symbol: string) => (symbol === 'HalBeep' ? 0xfffff80000001000n : undefined), nearest: () => undefined, at: () => [], index: () => new SymbolTable([]) };
  const modules: PeNames[] = [];
  const around: PeSurroundings = {
    profiles: new ModuleProfiles(undefined),
    reads: new SharedReads(),
    module: (key, machine): ModuleNames | undefined => (key === 'nt' ? nt : modules.find((one) => moduleKey(one.path) === key && one.machine === machine)),
    names: () => resolver,
    types: () => kernel.profile.types,
    apiSets: () => ({ host: (name: string, importer?: string) => sets[`${name.toLowerCase()}<${importer ?? ''}`] ?? sets[name.toLowerCase()] }) as unknown as ApiSets,
  };
  for (const [index, name] of names.entries()) {
    const start = BASE + BigInt(index * FAKE_PE_SIZE);
    modules.push(new PeNames(space, name, start, start + BigInt(FAKE_PE_SIZE), `C:\\Windows\\System32\\${name.replace(/_.*/, '')}.dll`, around, name === 'ntdll_32' ? ['ntdll32'] : []));
  }
  const ranges = modules.map((one) => ({ start: one.start, end: one.end, names: one }));
  const kernel = { os: 'windows', profile: { compiler: { types: { struct: () => undefined } }, symbols: {} } } as unknown as Kernel;
  const resolver = new Resolver(kernel, space, { kernel: nt, modules: () => ({ modules: [], ranges: [] }), process: () => ({ modules, ranges }) });
  return { resolver, module: (name) => modules.find((one) => one.name === name) as PeNames };
}

const wide = (exports: FakePe['exports']): FakePe => ({ machine: 0x8664, ...(exports && { exports }) });
const narrow = (exports: FakePe['exports']): FakePe => ({ machine: 0x14c, ...(exports && { exports }) });

test('a forwarded export has the address of what it leads to, through modules, API sets and ordinals', async () => {
  const { resolver, module } = process(
    {
      kernel32: wide({ HeapAlloc: 'NTDLL.RtlAllocateHeap', HeapFree: 'api-ms-win-core-heap-l1-1-0.HeapFree', ByOrdinal: 'NTDLL.#1', Own: 0x800, Beep: 'ntoskrnl.HalBeep', Lost: 'nowhere.Thing', NoSet: 'ext-ms-win-none-l1-1-0.Thing' }),
      kernelbase: wide({ HeapFree: 'NTDLL.RtlFreeHeap' }),
      ntdll: wide({ RtlAllocateHeap: 0x900, RtlFreeHeap: 0xa00 }),
    },
    { 'api-ms-win-core-heap-l1-1-0': 'kernelbase.dll' },
  );
  const ntdll = module('ntdll').start;
  assert.equal(await resolver.address('kernel32!HeapAlloc'), ntdll + 0x900n);
  assert.equal(await resolver.address('kernel32!HeapFree+4'), ntdll + 0xa04n);
  assert.equal(await resolver.address('kernel32!ByOrdinal'), ntdll + 0x900n);
  assert.equal(await resolver.address('kernel32!Own'), module('kernel32').start + 0x800n);
  assert.equal(await resolver.address('kernel32!Beep'), 0xfffff80000001000n);
  assert.deepEqual((await resolver.locate('kernel32!HeapFree')).via, ['kernel32!HeapFree', 'kernelbase!HeapFree', 'ntdll!RtlFreeHeap']);
  assert.deepEqual((await resolver.locate('kernel32!ByOrdinal')).via, ['kernel32!ByOrdinal', 'ntdll!RtlAllocateHeap']);
  assert.equal((await resolver.locate('kernel32!Own')).via, undefined);
  // The name of a place is the one that stands there.
  assert.equal(resolver.name(ntdll + 0x900n), 'ntdll!RtlAllocateHeap');
  await assert.rejects(resolver.address('kernel32!Lost'), (error) => error instanceof UsageError && /only stands for nowhere!Thing, which is not known here/.test(error.message));
  await assert.rejects(resolver.address('kernel32!NoSet'), /only stands for ext-ms-win-none-l1-1-0!Thing/);
  assert.deepEqual([...resolver.search('kernel32!Heap*')].map(({ name, kind }) => `${name} ${kind}`), ['HeapAlloc I', 'HeapFree I']);
  assert.deepEqual(resolver.complete('kernel32!Heap'), ['kernel32!HeapAlloc', 'kernel32!HeapFree']);
});

test('modules that hand a name to each other end; a forwarder without a dot is none', () => {
  const { module } = process({ a: wide({ X: 'b.Y', Odd: 'nodot' }), b: wide({ Y: 'a.X' }) });
  assert.equal(module('a').lookup('X'), undefined);
  assert.ok((module('a').forwarded('X')?.steps.length ?? 0) <= 8);
  assert.equal(module('a').lookup('Odd'), undefined);
});

test('in a process of WoW64 each half leads to its own: 32 bits to ntdll32', async () => {
  const { resolver, module } = process({ ntdll: wide({ RtlAllocateHeap: 0x900 }), kernel32: narrow({ HeapAlloc: 'NTDLL.RtlAllocateHeap' }), ntdll_32: narrow({ RtlAllocateHeap: 0xb00 }) });
  assert.equal(await resolver.address('kernel32!HeapAlloc'), module('ntdll_32').start + 0xb00n);
  assert.equal(await resolver.address('ntdll!RtlAllocateHeap'), module('ntdll').start + 0x900n);
  assert.equal(await resolver.address('ntdll32!RtlAllocateHeap'), module('ntdll_32').start + 0xb00n);
});

test('without a debug record an index of builds tells which one it is, where its bytes fit one alone', () => {
  const folder = temporary();
  after(() => rmSync(folder, { recursive: true }));
  const hex = (text: string): string => Buffer.from(text).toString('hex');
  const save = (name: string, json: unknown): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, `${name}.gz`), gzipSync(JSON.stringify(json)));
  };
  const index = (entries: Record<string, unknown>): unknown => ({ $METADATA: { Type: 'Index', ProfileClass: 'Index' }, $INDEX: entries });
  for (const [key, mark] of [['A1', 0x100], ['B2', 0x200]] as const) save(`tcpip/GUID/${key}`, { $METADATA: { ProfileClass: 'Tcpip', arch: 'AMD64' }, $CONSTANTS: { Mark: mark } });
  save('tcpip/index', index({ 'tcpip/GUID/A1': [[0x800, [hex('TcpSend')]], [0x900, ['90']]], 'tcpip/GUID/B2': [[0x800, [hex('TcpRecv')]], [0x900, ['90']]], '../../etc/passwd': [[0x900, ['90']]] }));
  // Two builds that fit as well as each other, and bytes without a text, tell nothing.
  save('twins/index', index({ 'tcpip/GUID/A1': [[0x800, [hex('TcpSend')]]], 'tcpip/GUID/B2': [[0x800, [hex('TcpSend')]]] }));
  save('chance/index', index({ 'tcpip/GUID/A1': [[0x900, ['90']]] }));
  save('damaged/index', { $INDEX: 5, $METADATA: {} });
  const image = fakePe({ machine: 0x8664 });
  image.write('TcpSend', 0x800);
  image[0x900] = 0x90;
  const space = new BufferSpace(image, BASE);
  const profiles = new ModuleProfiles(openRepository([folder], { cache: undefined }));
  const nothing = { nearest: () => undefined, symbol: () => undefined, names: () => [], struct: () => undefined, enum: () => undefined, typedef: () => undefined, structNames: () => [], enumNames: () => [] };
  const around: PeSurroundings = { profiles, reads: new SharedReads(), module: () => undefined, apiSets: () => undefined, names: () => nothing, types: () => nothing };
  const mark = (name: string): bigint | undefined => new PeNames(space, name, BASE, BASE + BigInt(FAKE_PE_SIZE), `C:\\${name}.sys`, around).lookup('Mark');
  assert.equal(mark('tcpip'), BASE + 0x100n);
  for (const name of ['twins', 'chance', 'damaged', 'nowhere']) assert.equal(mark(name), undefined, name);
});

test('an importer may have a host of its own for an API set', () => {
  const { module } = process({ user32: wide({ Draw: 'ext-ms-win-gdi-draw-l1-1-0.Draw' }), other: wide({ Draw: 'ext-ms-win-gdi-draw-l1-1-0.Draw' }), gdi32: wide({ Draw: 0x800 }), gdi32full: wide({ Draw: 0x900 }) }, { 'ext-ms-win-gdi-draw-l1-1-0<user32.dll': 'gdi32full.dll', 'ext-ms-win-gdi-draw-l1-1-0': 'gdi32.dll' });
  assert.equal(module('user32').lookup('Draw'), module('gdi32full').start + 0x900n);
  assert.equal(module('other').lookup('Draw'), module('gdi32').start + 0x800n);
});
