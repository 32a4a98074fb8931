import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../support/property.js';
import { dis } from '../../../plugins/general/dis.js';
import { Absent } from '../../../src/memory/absent.js';
import type { Row } from '../../../src/plugin/columns.js';
import { sessionOn } from '../../support/fake-session.js';
import { FakeImage } from '../../support/image.js';
import { committedSample, rowsOf, type Sample } from '../../support/sample.js';

const sample = committedSample();
const skip = sample ? false : 'no committed sample';

/** The guest's /proc/kallsyms: name → addresses, and address → names. */
function kallsyms(of: Sample): { addresses: Map<string, bigint[]>; names: Map<bigint, string[]> } {
  const [addresses, names] = [new Map<string, bigint[]>(), new Map<bigint, string[]>()];
  for (const line of of.truth('proc/kallsyms').split('\n')) {
    const [hex, , name] = line.split(/\s/);
    if (hex === undefined || name === undefined) continue;
    const address = BigInt(`0x${hex}`);
    addresses.set(name, [...(addresses.get(name) ?? []), address]);
    names.set(address, [...(names.get(address) ?? []), name]);
  }
  return { addresses, names };
}

const comment = (row: Row | undefined): string => String(row?.['comment']);

test('a function is listed to its end; calls and jumps carry the names that the guest has for their targets', { skip }, async () => {
  const session = (sample as Sample).session();
  const { addresses, names } = kallsyms(sample as Sample);
  const resolver = await session.resolver();
  const [start] = addresses.get('do_exit') as [bigint];
  const { rows } = await rowsOf(session, dis, { offset: await resolver.address('linux!do_exit') });
  assert.equal(rows[0]?.['address'], start);
  const next = [...names.keys()].filter((address) => address > start).sort((a, b) => (a < b ? -1 : 1))[0] as bigint;
  const last = rows.at(-1) as Row;
  const end = (last['address'] as bigint) + BigInt(last['size'] as number);
  assert.ok(end <= next && next - end < 16n, 'it ends at the next symbol, but for padding');
  let calls = 0;
  for (const row of rows) {
    assert.equal(row['divider'], '------ linux!do_exit ------');
    assert.equal(row['function'], 'linux!do_exit');
    assert.equal(row['rel'], (row['address'] as bigint) - start);
    const target = row['target'] as bigint | null;
    if (row['mnemonic'] === 'CALL' && target !== null && names.has(target)) {
      const [said = ''] = comment(row).split(' -> ');
      assert.ok((names.get(target) as string[]).includes(said.replace('linux!', '')), `${String(row['instruction'])} ${comment(row)}`);
      calls++;
    } else if (/^J/.test(String(row['mnemonic'])) && target !== null && target >= start && target < next) {
      assert.equal(comment(row), `linux!do_exit + 0x${(target - start).toString(16).toUpperCase()}`);
    }
  }
  assert.ok(calls > 50, `${calls} calls`);
  session.close();
});

test('variables carry the value that the guest says, and the name; texts are quoted; per-CPU variables are named', { skip }, async () => {
  const session = (sample as Sample).session();
  const { addresses } = kallsyms(sample as Sample);
  const resolver = await session.resolver();
  // The command line says panic=-1, and /proc says what pid_max is.
  assert.match((sample as Sample).truth('proc/cmdline'), /panic=-1/);
  const panicking = await rowsOf(session, dis, { offset: await resolver.address('linux!panic') });
  const timeout = panicking.rows.find((row) => row['target'] === addresses.get('panic_timeout')?.[0]);
  assert.match(comment(timeout), /^0xFFFFFFFF linux!panic_timeout/);
  assert.equal(timeout?.['value'], 0xffffffffn);
  assert.ok(panicking.rows.some((row) => comment(row).includes('"Kernel panic - not syncing: %s\\n"')));
  const current = panicking.rows.find((row) => row['target'] !== null && comment(row).includes('linux!current_task'));
  if (current) assert.match(String(current['instruction']), /GS:/);
  const exiting = await rowsOf(session, dis, { offset: await resolver.address('linux!do_exit'), rows: 12 });
  const task = exiting.rows.find((row) => comment(row).includes('linux!current_task'));
  // One processor: the running task is what its current_task holds.
  assert.match(String(task?.['instruction']), new RegExp(`\\[GS:0x${(addresses.get('current_task')?.[0] ?? 0n).toString(16)}\\]`));
  assert.match(comment(task), /^0x[0-9A-F]{16} linux!current_task -> linux!/);
  session.close();
});

test('branch=yes visits every instruction once, deeper at each branch, and nothing outside of the function', { skip }, async () => {
  const session = (sample as Sample).session();
  const offset = await (await session.resolver()).address('linux!current_time');
  const straight = (await rowsOf(session, dis, { offset })).rows;
  const followed = (await rowsOf(session, dis, { offset, branch: true })).rows;
  const address = (row: Row): string => String(row['address']);
  assert.equal(new Set(followed.map(address)).size, followed.length);
  const known = new Set(straight.map(address));
  // The end of a function that does not return may be its last padding.
  assert.ok(followed.filter((row) => !known.has(address(row))).every((row) => row['mnemonic'] === 'NOP'));
  assert.ok(followed.length > straight.length / 2);
  assert.ok(followed.some((row) => (row.$depth ?? 0) > 1));
  const limited = (await rowsOf(session, dis, { offset, branch: true, rows: 40 })).rows;
  assert.deepEqual(limited.map(address), followed.slice(0, 40).map(address), 'fewer rows are the first ones of all, and stay in the function');
  for (const [index, row] of followed.entries()) {
    const before = followed[index - 1];
    if (!before || (row.$depth ?? 0) <= (before.$depth ?? 0)) continue;
    assert.equal(before['target'], row['address'], 'what is deeper is where the branch before it leads');
  }
  session.close();
});

test('without arguments it goes on where it stopped, each space by itself', { skip }, async () => {
  const session = (sample as Sample).session();
  const offset = await (await session.resolver()).address('linux!commit_creds');
  const whole = (await rowsOf(session, dis, { offset, rows: 12 })).rows.map((row) => row['address']);
  const first = await rowsOf(session, dis, { offset, rows: 5 });
  await rowsOf(session, dis, { offset: 0x1000000n, address_space: 'P', rows: 3 });
  const second = await rowsOf(session, dis, { rows: 7 });
  assert.deepEqual([...first.rows, ...second.rows].map((row) => row['address']), whole);
  await assert.rejects(rowsOf(session, dis, { address_space: 'pid@1' }), /Where should it begin/);
  session.close();
});

test('an indirect call through memory says where the pointer leads; a call to a jump says where that leads', async () => {
  const { image, at } = holed();
  // CALL [RIP+0x1ffa]; CALL second+0x10, where a JMP first stands
  image.write(at, Buffer.from([0xff, 0x15, ...le32(0x1ffan), 0xe8, ...le32(0x2010n - 11n), 0xc3]));
  image.pointer(at + 0x2000n, at + 0x2010n);
  image.symbol('hop', at + 0x2010n);
  image.write(at + 0x2010n, Buffer.from([0xe9, ...le32(BigInt.asUintN(32, -0x2015n))]));
  const session = sessionOn(image.kernel());
  const { rows } = await rowsOf(session, dis, { offset: at, length: 11 });
  assert.deepEqual(
    rows.map((row) => [row['instruction'], row['comment']]),
    [
      ['CALL QWORD [RIP+0x1ffa]', '0xFFFFFFFF81002010 linux!second -> linux!hop'],
      ['CALL 0xffffffff81002010', 'linux!hop -> linux!first'],
    ],
  );
  session.close();
});

/** Kernel code by hand: a page of code, a page that is missing, a page of code. */
function holed(paging: 'amd64' | 'i386' = 'amd64'): { image: FakeImage; at: bigint } {
  const at = paging === 'amd64' ? 0xffffffff81000000n : 0xc1000000n;
  const image = new FakeImage({ paging });
  const page = Buffer.alloc(4096, 0x90);
  image.write(at, page);
  image.write(at + 0x2000n, page);
  // At the end of the first page: half of a call.
  image.write(at + 0xffdn, Buffer.from('e80102', 'hex'));
  image.symbol('first', at);
  image.symbol('second', at + 0x2000n);
  return { image, at };
}

test('a page that is missing is one row, and the listing goes on behind it', async () => {
  const { image, at } = holed();
  const session = sessionOn(image.kernel());
  const { rows, run } = await rowsOf(session, dis, { offset: at + 0xffcn, length: 0x1008 });
  assert.deepEqual(
    rows.map((row) => [row['address'], row['instruction']]),
    [
      [at + 0xffcn, 'NOP'],
      [at + 0xffdn, 'DB 0xe8'],
      [at + 0xffen, 'ADD [RDX], EAX'],
      [at + 0x1000n, null],
      [at + 0x2000n, 'NOP'],
      [at + 0x2001n, 'NOP'],
      [at + 0x2002n, 'NOP'],
      [at + 0x2003n, 'NOP'],
    ],
  );
  const gap = rows[3] as Row;
  assert.ok(gap['opcode'] instanceof Absent && comment(gap) === '0x1000 bytes not in memory');
  assert.equal(run.faults, 1);
  session.close();
});

test('where nothing is mapped that is said at once, with what to ask next; a length asks for what lies behind, too', async () => {
  const { image, at } = holed();
  const session = sessionOn(image.kernel());
  const start = at + 0x1800n;
  const missing = await rowsOf(session, dis, { offset: start });
  assert.deepEqual(missing.rows.map((row) => [row['address'], comment(row)]), [[start, 'not in memory']]);
  assert.deepEqual(missing.run.notes.slice(0, 1), [
    `Nothing is in memory at 0x${start.toString(16)}: \`vtop 0x${start.toString(16)}\` tells why. The next byte that is there: \`dis 0x${(at + 0x2000n).toString(16)}\`.`,
  ]);
  assert.equal((await rowsOf(session, dis, { offset: start, length: 0x802 })).rows.length, 3);
  session.close();
});

test('bytes that begin no instruction, wrong ranges, addresses that cannot be', async () => {
  const { image, at } = holed();
  image.write(at, Buffer.from('06d60f04c5c3', 'hex'));
  const session = sessionOn(image.kernel());
  const hostile = await rowsOf(session, dis, { offset: at, length: 6 });
  assert.deepEqual([hostile.rows[0]?.['instruction'], comment(hostile.rows[0])], ['DB 0x06', 'no instruction']);
  assert.equal(hostile.rows.at(-1)?.['address'], at + 5n);
  const nothing = await rowsOf(session, dis, { offset: at, length: 0 });
  assert.deepEqual([nothing.rows.length, nothing.run.notes], [0, ['A length of 0: nothing to list.']]);
  await assert.rejects(rowsOf(session, dis, { offset: at, end: at - 1n }), /lies before the start/);
  await assert.rejects(rowsOf(session, dis, { offset: at, length: -4 }), /length is -4/);
  await assert.rejects(rowsOf(session, dis, { offset: at, rows: 0 }), /rows is 0/);
  // Not canonical, and the very end of the address space.
  const impossible = await rowsOf(session, dis, { offset: 0x0000900000000000n, length: 0x100 });
  assert.deepEqual(impossible.rows.map((row) => [row['address'], comment(row)]), [[0x0000900000000000n, '0x100 bytes not in memory']]);
  const top = await rowsOf(session, dis, { offset: 0xfffffffffffffff0n, length: 0x1000 });
  assert.deepEqual(top.rows.map((row) => comment(row)), ['0x10 bytes not in memory']);
  // As long as can be said: what is there is listed, what is not costs a row.
  const long = await rowsOf(session, dis, { offset: 0n, end: 0xffffffffffffffffn, rows: 3 });
  assert.deepEqual(long.rows.map((row) => row['address']), [0n, at, at + 1n]);
  session.close();
});

test('32-bit kernels and the other modes', async () => {
  const { image, at } = holed('i386');
  image.write(at, Buffer.from([0xa1, ...le32(at + 0x2000n), 0x68, ...le32(at), 0xe8, 0xf1, 0xff, 0xff, 0xff, 0xc3]));
  const session = sessionOn(image.kernel());
  const { rows } = await rowsOf(session, dis, { offset: at, length: 16 });
  assert.deepEqual(
    rows.map((row) => [row['instruction'], row['comment']]),
    [
      ['MOV EAX, [0xc1002000]', '0x90909090 linux!second'],
      ['PUSH 0xc1000000', 'linux!first'],
      ['CALL 0xc1000000', 'linux!first'],
      ['RET', ''],
    ],
  );
  const real = await rowsOf(session, dis, { offset: at, length: 3, mode: 'I8086' });
  assert.equal(real.rows[0]?.['instruction'], 'MOV AX, [0x2000]');
  session.close();
});

test('canonical takes instructions apart and keeps addresses out where names are known', async () => {
  const { image, at } = holed();
  image.write(at, Buffer.from('48895c2408e8f6ffffff90488b05f11f0000f3a4', 'hex'));
  const session = sessionOn(image.kernel());
  const { rows } = await rowsOf(session, dis, { offset: at, length: 20, canonical: true });
  assert.deepEqual(
    rows.map((row) => row['instruction']),
    [
      '{mnemonic: MOV, operands: [{type: MEM, base: RSP, disp: 0x8, size: 8}, {type: REG, reg: RBX, size: 8}]}',
      '{mnemonic: CALL, operands: [{type: BRANCH, target: linux!first}]}',
      '{mnemonic: NOP, operands: []}',
      '{mnemonic: MOV, operands: [{type: REG, reg: RAX, size: 8}, {type: MEM, base: RIP, target: linux!second+0x3, size: 8}]}',
      '{mnemonic: MOVSB, operands: []}',
    ],
  );
  session.close();
});

test('any bytes are listed without a gap or an overlap', async () => {
  const { image, at } = holed();
  image.map(at + 0x1000n);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 600 }), fc.nat(4000), fc.constantFrom('AMD64', 'I386', 'I8086'), async (bytes, offset, mode) => {
      const start = at + BigInt(offset);
      image.write(start, bytes);
      const session = sessionOn(image.kernel());
      for (const branch of [false, true]) {
        const { rows } = await rowsOf(session, dis, { offset: start, length: bytes.length, mode, branch });
        const sorted = rows.map((row) => ({ from: row['address'] as bigint, size: row['size'] as number })).sort((a, b) => (a.from < b.from ? -1 : 1));
        let next = start;
        if (!branch) {
          for (const { from, size } of sorted) {
            assert.equal(from, next);
            assert.ok(size >= 1 && size <= 15);
            next = from + BigInt(size);
          }
          assert.ok(next >= start + BigInt(bytes.length) && next < start + BigInt(bytes.length) + 15n);
        }
      }
      session.close();
    }),
    { numRuns: 60 },
  );
});

function le32(value: bigint): number[] {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(Number(value));
  return [...bytes];
}
