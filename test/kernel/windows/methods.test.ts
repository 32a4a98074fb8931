import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { detectKernel, type DetectionOptions } from '../../../src/kernel/detect.js';
import { DetectionError } from '../../../src/kernel/error.js';
import type { Method } from '../../../src/kernel/methods.js';
import { Trace } from '../../../src/kernel/trace.js';
import type { WindowsKernel } from '../../../src/kernel/windows/kernel.js';
import { openRepository } from '../../../src/symbols/repository/open.js';
import { temporary } from '../../support/folder.js';
import { localServer } from '../../support/http-server.js';
import { Mutated } from '../../support/mutated.js';
import { sharedData } from '../../support/shared.js';
import { replicaPath, replicaSkip as skip, replicaTruth } from '../../support/windows.js';

interface System {
  readonly kernel: { base: string; physical: string; dtb: string; guid: string; age: number; rsds_rva: string };
  readonly kdbg: { va: string; size: number };
}
const truth = skip === false ? replicaTruth<System>('system') : undefined;
const KEY = 'F8E2A8B5C9B74BF4A6E4A48F180099942';
const physicalBase = Number(truth?.kernel.physical ?? 0);
const record = physicalBase + Number(truth?.kernel.rsds_rva ?? 0);
/** Names of processes that page tables are looked for by. */
const PROCESSES = ['System\0\0', 'Idle\0\0\0', 'smss.exe', 'csrss.exe', 'lsass.exe'];

function symbol(name: string): number {
  const { path } = sharedData('profiles', 'v1.0', 'nt', 'GUID', `${KEY}.gz`);
  const json = JSON.parse(gunzipSync(readFileSync(path)).toString().replace(/"str:[^\n]*\n/g, '')) as { $CONSTANTS: Record<string, number> };
  const offset = json.$CONSTANTS[name];
  assert.ok(offset !== undefined, name);
  return physicalBase + offset;
}

interface Outcome {
  readonly kernel: WindowsKernel;
  readonly steps: string[];
}

/** What detection makes of an image: the kernel must be that of the truth. */
async function found(image: Mutated, methods?: readonly Method[], more: Partial<DetectionOptions> = {}): Promise<Outcome> {
  const trace = new Trace();
  const physical = image.physical();
  const repository = openRepository([sharedData('profiles').path], { cache: undefined });
  const kernel = (await detectKernel(physical, { trace, cache: { get: () => undefined, set: () => undefined }, repository: () => Promise.resolve(repository), methods, ...more })) as WindowsKernel;
  physical.close();
  assert.equal(kernel.location.base, BigInt(truth?.kernel.base ?? 0));
  assert.equal(kernel.location.dtb, Number(truth?.kernel.dtb));
  return { kernel, steps: trace.steps.map(({ tried, found: what, outcome }) => `${tried}: ${what} (${outcome})`) };
}

async function replica(): Promise<Mutated> {
  return new Mutated(await replicaPath());
}

/** Writes what nt/index says of the kernel where it says so: the replica has no code and texts of its own there. */
function withIndexBytes(image: Mutated): Mutated {
  const { path } = sharedData('profiles', 'v1.0', 'nt', 'index.gz');
  const index = JSON.parse(gunzipSync(readFileSync(path)).toString()) as { $INDEX: Record<string, [number, string[]][]> };
  for (const [offset, [value]] of index.$INDEX[`nt/GUID/${KEY}`] ?? []) image.write(physicalBase + offset, Buffer.from(value ?? '', 'hex'));
  return image;
}

test('a record whose PDB has another name: the kernel is found by its image', { skip }, async () => {
  const image = (await replica()).write(record + 24, Buffer.from('harmless.pdb\0', 'latin1'));
  const { kernel, steps } = await found(image);
  assert.equal(kernel.location.guid, KEY);
  assert.equal(kernel.location.pdb, 'harmless.pdb');
  assert.ok(steps.some((step) => step.startsWith("the kernel's file: ntoskrnl.exe at physical 0x261f000")), steps.join('\n'));
});

test('no record at all: nt/index knows the build by its bytes', { skip }, async () => {
  const image = withIndexBytes(await replica()).wipe(record, 40);
  const { kernel, steps } = await found(image);
  assert.equal(kernel.location.guid, KEY);
  assert.ok(steps.some((step) => /nt\/index: image at 0xfffff8000261f000: nt\/GUID\/F8E2.* fits at 14 of 14 places/.test(step)), steps.join('\n'));
});

test('neither record nor header: the process objects lead to page tables, the list of processes to the base', { skip }, async () => {
  const image = (await replica()).wipe(record, 40).wipe(physicalBase, 4096);
  const { kernel, steps } = await found(image, ['eprocess_index']);
  assert.equal(kernel.location.guid, KEY);
  assert.ok(steps.some((step) => step.startsWith('list of processes, whose head') && step.endsWith('(verified)')), steps.join('\n'));
});

test('a header that is gone: the record and the build string lead to the base', { skip }, async () => {
  const { steps } = await found((await replica()).wipe(physicalBase, 4096));
  assert.ok(steps.some((step) => step.startsWith('build string where the profile has NtBuildLab: base 0xfffff8000261f000') && step.endsWith('(verified)')), steps.join('\n'));
});

test('page tables: without names of processes by the processor, then by themselves; a low stub before all', { skip }, async () => {
  const nameless = async (): Promise<Mutated> => {
    const image = await replica();
    for (const name of PROCESSES) image.replaceAll(name, '\x01\x01\x01\x01');
    return image;
  };
  const byProcessor = await found(await nameless());
  assert.ok(byProcessor.steps.some((step) => step.startsWith('processor block at 0x2809d00, amd64: 0x187000')), byProcessor.steps.join('\n'));
  const processor = symbol('KiInitialPCR');
  const bySelf = await found((await nameless()).wipe(processor, 0x300));
  assert.ok(bySelf.steps.some((step) => /^entry 493 names its own table/.test(step)), bySelf.steps.join('\n'));
  // PROCESSOR_START_BLOCK: jump, completion flag, LmTarget, Cr3.
  const stub = Buffer.alloc(0x1000);
  stub.write('e94d060001000000', 'hex');
  stub.writeBigUInt64LE(BigInt(truth?.kernel.base ?? 0) + 0x12340n, 0x70);
  stub.writeBigUInt64LE(BigInt(truth?.kernel.dtb ?? 0), 0xa0);
  const byStub = await found((await nameless()).write(0x13000, stub));
  assert.ok(byStub.steps.some((step) => step.startsWith('low stub at 0x13000, amd64: 0x187000')), byStub.steps.join('\n'));
  // One that names other tables is not believed.
  stub.writeBigUInt64LE(0x5000n, 0xa0);
  const lying = await found((await replica()).write(0x13000, stub));
  assert.ok(!lying.steps.some((step) => step.includes('low stub')), lying.steps.join('\n'));
});

test("System's name wiped and a list of processes that leads nowhere: other processes, threads and the processor suffice", { skip }, async () => {
  const image = (await replica()).replaceAll('System\0\0', 'xxxxxxx').wipe(symbol('PsActiveProcessHead'), 16);
  const { steps } = await found(image);
  assert.ok(steps.some((step) => /right; list of processes not where the profile has it \(verified\)/.test(step)), steps.join('\n'));
});

test('the debugger block is not needed', { skip }, async () => {
  const at = physicalBase + Number(BigInt(truth?.kdbg.va ?? 0) - BigInt(truth?.kernel.base ?? 0));
  const { kernel } = await found((await replica()).wipe(at, truth?.kdbg.size ?? 0));
  assert.match(kernel.banner, /^7600/);
});

test('records of kernels that do not run, with and without a profile, and copies: the running kernel is found', { skip }, async () => {
  const rsds = (guid: string, name: string): Buffer => {
    const bytes = Buffer.alloc(24 + name.length + 1);
    bytes.write('RSDS', 'latin1');
    const hex = Buffer.from(guid, 'hex');
    bytes.writeUInt32LE(hex.readUInt32BE(0), 4);
    bytes.writeUInt16LE(hex.readUInt16BE(4), 8);
    bytes.writeUInt16LE(hex.readUInt16BE(6), 10);
    hex.copy(bytes, 12, 8, 16);
    bytes.writeUInt32LE(2, 20);
    bytes.write(name, 24, 'latin1');
    return bytes;
  };
  // Below the kernel: free pages of the replica, as a file in the cache would be.
  const image = (await replica())
    .write(0x10000, rsds('00112233445566778899AABBCCDDEEFF', 'ntkrnlmp.pdb'))
    .write(0x11000, rsds('3844DBB920174967BE7AA4A2C20430FA', 'ntkrnlmp.pdb'))
    .write(0x12000, rsds('F8E2A8B5C9B74BF4A6E4A48F18009994', 'ntkrnlmp.pdb'));
  const { kernel, steps } = await found(image);
  assert.equal(kernel.location.guid, KEY);
  assert.ok(steps.some((step) => step.startsWith('profile 00112233445566778899AABBCCDDEEFF2') && step.endsWith('(failed)')), steps.join('\n'));
  assert.ok(steps.some((step) => step.startsWith('in the page tables at 0x187000: this kernel does not run')), steps.join('\n'));
});

test('a server that cannot be reached is named once, however many names it would be asked for', { skip }, async () => {
  const repository = openRepository(['http://127.0.0.1:9/a', '/nowhere'], { cache: undefined, http: { attempts: 1 } });
  await assert.rejects(found(await replica(), undefined, { repository: () => Promise.resolve(repository) }), (error) => {
    assert.ok(error instanceof DetectionError);
    assert.equal(error.message.match(/127\.0\.0\.1:9\/a/g)?.length, 1, error.message);
    assert.match(error.message, /refused.*; \/nowhere is not there/);
    return true;
  });
});

test('page tables that the analyst states are used, and said to be wrong where they are', { skip }, async () => {
  const { steps } = await found(await replica(), undefined, { dtb: Number(truth?.kernel.dtb) });
  assert.ok(steps.some((step) => step.startsWith('stated, amd64: 0x187000') && step.endsWith('(verified)')), steps.join('\n'));
  await assert.rejects(found(await replica(), undefined, { dtb: 0x5000 }), (error) => {
    assert.ok(error instanceof DetectionError);
    assert.match(error.message, /^This is Windows \(ntkrnlmp\.pdb GUID F8E2[0-9A-F]+ age 2\), and the page tables at 0x5000 \(--dtb\) do not lead to that kernel/);
    return true;
  });
});

test('a damaged profile is named once, with what is wrong', { skip }, async () => {
  const folder = temporary();
  const name = join(folder, 'nt', 'GUID', `${KEY}.gz`);
  mkdirSync(dirname(name), { recursive: true });
  writeFileSync(name, readFileSync(sharedData('profiles', 'v1.0', 'nt', 'GUID', `${KEY}.gz`).path).subarray(0, 4000));
  const repository = openRepository([folder], { cache: undefined });
  await assert.rejects(found(await replica(), ['rsds'], { repository: () => Promise.resolve(repository) }), (error) => {
    assert.ok(error instanceof DetectionError);
    assert.match(error.message, /no profile for it that can be read\. Looked in: .*\.gz is a gzip file that cannot be unpacked/);
    assert.equal(error.message.split(name).length, 2, error.message);
    return true;
  });
});

test('Ctrl-C stops the waiting for a server at once', { skip }, async () => {
  const server = await localServer({ '/v1.0/inventory.gz': () => undefined });
  const stop = new AbortController();
  // The server never answers, and is waited for longer than tests run: only Ctrl-C ends that.
  const repository = openRepository([server.url], { cache: undefined, http: { timeout: 3_600_000 } });
  try {
    const reason = new Error('stopped');
    const search = found(await replica(), ['rsds'], { repository: () => Promise.resolve(repository), signal: stop.signal });
    while (server.asked.length === 0) await setTimeout(10);
    stop.abort(reason);
    await assert.rejects(search, reason);
    // What was stopped is asked for anew.
    server.files.set('/v1.0/inventory.gz', '{"$INVENTORY": {}}');
    assert.equal(await repository.load('nt/GUID/A'), undefined);
    assert.equal(server.asked.length, 2, server.asked.join(' '));
  } finally {
    await server.close();
  }
});

test('a stated profile serves where the image names none; without any the message says what is missing', { skip }, async () => {
  const image = async (): Promise<Mutated> => (await replica()).wipe(record, 40);
  const { steps } = await found(await image(), ['rsds'], { profile: sharedData('profiles', 'v1.0', 'nt', 'GUID', `${KEY}.gz`).path });
  assert.ok(steps.some((step) => step.startsWith('RSDS records: none')), steps.join('\n'));
  // Without names of processes there is no list to go by: an interrupt handler leads down to the image's header.
  const nameless = await image();
  for (const name of PROCESSES) nameless.replaceAll(name, '\x01\x01\x01\x01');
  const byHandler = await found(nameless, ['rsds'], { profile: sharedData('profiles', 'v1.0', 'nt', 'GUID', `${KEY}.gz`).path });
  assert.ok(byHandler.steps.some((step) => /^header below 0xfffff80002[0-9a-f]+, which the processor block names: base 0xfffff8000261f000.*\(verified\)$/.test(step)), byHandler.steps.join('\n'));
  await assert.rejects(found(await image(), ['nt_index']), (error) => {
    assert.ok(error instanceof DetectionError);
    assert.match(error.message, /nothing in the image says which build.*--profile FILE/s);
    return true;
  });
});
