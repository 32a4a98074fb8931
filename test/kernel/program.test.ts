import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { dis } from '../../plugins/general/dis.js';
import { dt } from '../../plugins/general/dt.js';
import { grep } from '../../plugins/general/grep.js';
import { addressResolver } from '../../plugins/general/resolve.js';
import { moddump } from '../../plugins/windows/pedump.js';
import { pslist } from '../../plugins/windows/pslist.js';
import { DetectionError } from '../../src/kernel/error.js';
import type { Program } from '../../src/kernel/program/detect.js';
import { ImageError } from '../../src/memory/image.js';
import { PluginError } from '../../src/plugin/error.js';
import { Session } from '../../src/session/session.js';
import { temporary } from '../support/folder.js';
import { root } from '../support/root.js';
import { rowsOf } from '../support/sample.js';
import { sharedData } from '../support/shared.js';
import { replicaSession, replicaSkip } from '../support/windows.js';

const folder = temporary();
const sample = (name: string): string => join(root, 'test/data/pe', name);

test('a library as the image: its exports are names, its content stands where it is linked for', async () => {
  for (const [name, bits] of [['amd64.dll', 64], ['i386.dll', 32]] as const) {
    const session = new Session({ filename: sample(name), cache: 'memory' });
    const program = (await session.kernel()) as Program;
    assert.equal(program.os, 'program');
    assert.equal(program.space.bits, bits);
    const bytes = readFileSync(sample(name));
    const resolver = await session.resolver();
    let count = 0;
    for (const { name: symbol, rva, forwarder } of program.pe.exports()) {
      if (forwarder !== undefined) continue;
      const address = await resolver.address(`${name.replace('.dll', '')}!${symbol}`);
      assert.equal(address, program.extent.start + BigInt(rva));
      const section = program.pe.sections.find((one) => rva >= one.rva && rva < one.rva + one.rawSize);
      if (!section) continue;
      assert.equal(program.space.readU8(address), bytes[section.rawOffset + rva - section.rva]);
      count++;
    }
    assert.ok(count > 0, name);
    // All of it can be searched, at its addresses.
    const { rows } = await rowsOf(session, grep, { keyword: ['MZ'] });
    assert.equal(rows[0]?.['offset'], program.extent.start);
    await assert.rejects(rowsOf(session, pslist, {}), (error) => error instanceof PluginError && /needs windows; this is the program/i.test(error.message));
    session.close();
  }
});

test('of a private PDB functions have prototypes, static ones names, and types the names of typedefs', async () => {
  const session = new Session({ filename: join(root, 'test/data/pdb/program-amd64.dll'), profile: join(root, 'test/data/pdb/program-amd64.pdb'), cache: 'memory' });
  const resolver = await session.resolver();
  const entry = await resolver.address('program!Entry');
  const { rows } = await rowsOf(session, dis, { offset: entry });
  assert.equal(rows[0]?.['divider'], '------ program!Entry: long (void *, unsigned long, void *) ------');
  assert.equal(rows[0]?.['function'], 'program!Entry');
  assert.deepEqual([rows[0]?.['comment'], rows[0]?.['source']], ['program.cpp:72', '/tmp/rekall-pdb/program.cpp:72']);
  assert.deepEqual([rows[1]?.['comment'], rows[1]?.['source']], ['', '/tmp/rekall-pdb/program.cpp:72'], 'a line is told where it begins');
  // Calls lead to functions that no public symbol names; a decorated name gives way to the plain one.
  const called = new Set(rows.filter((row) => row['mnemonic'] === 'CALL').map((row) => row['comment']));
  for (const name of ['complete_1', 'mean', '_underscored', 'largest<int>']) assert.ok(called.has(`program!${name}`), `${name} in ${[...called].join()}`);
  assert.match([...called].join(), /6BShape@1@@' \+ 0x8 -> program!shapes::Box::area,/);
  const shown = async (target: string): Promise<unknown[]> => (await rowsOf(session, dt, { target })).rows.map((row) => [row['field'], row['type']]);
  assert.deepEqual(await shown('mean'), [['returns', 'double'], ['parameter 1', 'float *'], ['parameter 2', 'unsigned long'], ['...', '']]);
  assert.deepEqual(await shown("program!'shapes::Shape::scaled'"), [['returns', 'long'], ['parameter 1', 'shapes::Shape *'], ['parameter 2', 'unsigned char'], ['parameter 3', 'shapes::Shape *']]);
  assert.deepEqual(await shown('REQUEST'), [['id', 'unsigned long long'], ['done', 'function *']]);
  assert.deepEqual((await rowsOf(session, dt, { target: 'REQUEST' })).run.notes, ['struct Request, 16 bytes, declared in .\\program.cpp, line 41']);
  const { rows: found } = await rowsOf(session, addressResolver, { symbol: ['program!Entry+4'] });
  assert.deepEqual(found.map((row) => row['Symbol']), ['program!Entry+0x4']);
  session.close();
});

test("a kernel's file has the names and types of its profile, and disassembles as it does in memory", { skip: replicaSkip }, async () => {
  const memory = await replicaSession();
  await rowsOf(memory, moddump, { regex: /ntoskrnl/, dump_dir: folder });
  const [file = ''] = readdirSync(folder).filter((name) => name.includes('ntoskrnl'));
  const session = new Session({ filename: join(folder, file), repository_path: [sharedData('profiles').path], cache: 'memory' });
  const program = (await session.kernel()) as Program;
  assert.equal(program.moduleName, 'nt');
  assert.ok(program.profile.has('_EPROCESS', 'ActiveProcessLinks'));
  const code = async (where: Session): Promise<unknown[]> => {
    const start = await (await where.resolver()).address('nt!PsSetLoadImageNotifyRoutine');
    const { rows } = await rowsOf(where, dis, { offset: start, length: 20 });
    return rows.map(({ address, opcode, instruction, comment }) => [address, opcode, instruction, comment]);
  };
  const expected = await code(memory);
  assert.ok(expected.length > 4, `${expected.length}`);
  assert.deepEqual(await code(session), expected);
  memory.close();
  session.close();
});

test('a program with damaged headers, and any cut, gives names, or says what is wrong', async () => {
  const whole = readFileSync(sample('amd64.dll'));
  const path = join(folder, 'damaged.dll');
  let state = 1;
  const random = (most: number): number => (state = (state * 48271) % 0x7fffffff) % most;
  for (let round = 0; round < 150; round++) {
    const bytes = Buffer.from(whole.subarray(0, round % 3 === 0 ? random(whole.length) : whole.length));
    for (let change = 0; change < 4 && bytes.length > 0; change++) bytes[random(Math.min(bytes.length, 0x400))] = random(256);
    writeFileSync(path, bytes);
    const session = new Session({ filename: path, cache: 'memory' });
    try {
      const kernel = await session.kernel();
      kernel.space.isValid(kernel.extent?.start ?? 0n);
      for (const _symbol of kernel.profile.symbols.symbols()) continue;
    } catch (error) {
      assert.ok(error instanceof DetectionError || error instanceof ImageError, String(error));
    }
    session.close();
  }
});
