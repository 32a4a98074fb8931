import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kernelLog, logLayout } from '../../../../src/kernel/linux/log/log.js';
import { facilityName, levelName, type LogRecord } from '../../../../src/kernel/linux/log/record.js';
import { FakeImage, type LiteralTypes } from '../../../support/image.js';

/** struct printk_log of 5.9's kernel/printk/printk.c with CONFIG_PRINTK_CALLER, and of 3.11's without. */
function types(name: string, caller: boolean): LiteralTypes {
  return {
    [name]: [
      caller ? 24 : 16,
      {
        ts_nsec: [0, 'u64'], len: [8, 'u16'], text_len: [10, 'u16'], dict_len: [12, 'u16'], facility: [14, 'u8'], flags: [15, ['bits', 'u8', 0, 5]], level: [15, ['bits', 'u8', 5, 3]],
        ...(caller ? { caller_id: [16, 'u32'] as const } : {}),
      },
    ],
  };
}
const SIZE = 320;

class Buffered {
  readonly image: FakeImage;
  readonly buffer: bigint;
  at = 0;

  constructor(readonly struct = 'printk_log', readonly caller = true) {
    this.image = new FakeImage({ types: types(struct, caller) });
    this.buffer = this.image.room(SIZE);
    this.variable('log_buf', 8, this.buffer);
    this.variable('log_buf_len', 4, BigInt(SIZE));
    this.variable('log_first_idx', 4, 0n);
    this.variable('log_next_idx', 4, 0n);
    this.variable('log_first_seq', 8, 100n);
  }

  variable(name: string, size: 4 | 8, value: bigint): void {
    const known = this.image.profile().symbols.address(name);
    const at = known ?? this.image.room(size);
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    this.image.write(at, bytes.subarray(0, size));
    if (known === undefined) this.image.symbol(name, at);
  }

  add(text: string, dictionary = ''): void {
    const header = this.caller ? 24 : 16;
    const [message, words] = [Buffer.from(text, 'utf8'), Buffer.from(dictionary, 'utf8')];
    const size = Math.ceil((header + message.length + words.length) / 8) * 8;
    if (this.at + size + header > SIZE) {
      // A header of length 0 says that the next record is at the start.
      this.image.set(this.struct, this.buffer + BigInt(this.at), { len: 0 });
      this.at = 0;
    }
    const at = this.buffer + BigInt(this.at);
    this.image.set(this.struct, at, {
      ts_nsec: 5_000_000_000n, len: size, text_len: message.length, dict_len: words.length, facility: 3, level: 4, ...(this.caller ? { caller_id: 7 } : {}),
    });
    this.image.write(at + BigInt(header), Buffer.concat([message, words]));
    this.at += size;
    this.variable('log_next_idx', 4, BigInt(this.at));
  }

  read(): { records: LogRecord[]; faults: string[] } {
    const faults: string[] = [];
    return { records: [...kernelLog(this.image.kernel(), { onFault: (what) => faults.push(what) })], faults };
  }
}

test('records of 3.5 to 5.9, wrapped around the end of the buffer', () => {
  const log = new Buffered();
  assert.equal(logLayout(log.image.kernel()), 'records');
  for (const letter of 'abcde') log.add(letter.repeat(40), letter === 'd' ? 'SUBSYSTEM=pci\0DEVICE=+pci:0000:00:02.0' : '');
  // e stands where a was; b made room for the header that follows it. The oldest is now c.
  assert.equal(log.at, 64, 'the records did wrap');
  log.variable('log_first_idx', 4, 128n);
  log.variable('log_first_seq', 8, 102n);
  const { records, faults } = log.read();
  assert.deepEqual(faults, []);
  assert.deepEqual(records.map((record) => record.text[0]), ['c', 'd', 'e']);
  assert.deepEqual(records.map((record) => record.sequence), [102n, 103n, 104n]);
  assert.deepEqual(records.map((record) => record.device), [undefined, '+pci:0000:00:02.0', undefined]);
  const first = records[0];
  assert.deepEqual([first?.nanoseconds, facilityName(first?.facility ?? 0), levelName(first?.level ?? 0), first?.caller], [5_000_000_000n, 'daemon', 'warn', 'T7']);
});

test('records of struct log, as it was called until 3.10, know no caller', () => {
  const log = new Buffered('log', false);
  log.add('only one');
  const { records } = log.read();
  assert.deepEqual(records.map((record) => [record.text, record.caller]), [['only one', undefined]]);
});

test('records that cannot be end the walk with a note', () => {
  const short = new Buffered();
  short.add('one');
  short.add('two');
  short.image.set('printk_log', short.buffer + 32n, { len: 8 });
  const broken = short.read();
  assert.deepEqual(broken.records.map((record) => record.text), ['one']);
  assert.match(broken.faults.join(), /a record of 8 bytes with 3 of text/);

  const endless = new Buffered();
  endless.variable('log_next_idx', 4, 200n);
  assert.deepEqual(endless.read(), { records: [], faults: ['the log has no end: two records of length 0'] });
});

/** A kernel before 3.5: text in a ring. */
function plain(text: string, size: number, end: number, logged: number): FakeImage {
  const image = new FakeImage();
  const buffer = image.room(size);
  const ring = Buffer.alloc(size);
  const bytes = Buffer.from(text, 'utf8');
  for (const [index, byte] of bytes.entries()) ring[(end - bytes.length + index + 8 * size) % size] = byte;
  image.write(buffer, ring);
  const set = (name: string, width: 4 | 8, value: bigint): void => {
    const at = image.room(width);
    const word = Buffer.alloc(8);
    word.writeBigUInt64LE(value);
    image.write(at, word.subarray(0, width));
    image.symbol(name, at);
  };
  set('log_buf', 8, buffer);
  set('log_buf_len', 4, BigInt(size));
  set('log_end', 4, BigInt(end));
  set('logged_chars', 4, BigInt(logged));
  return image;
}

test('plain text, wrapped around the end of its buffer', () => {
  const text = '<5>[    0.000000] Linux version 2.6.32\n<6>[   12.345678] eth0: link up\nand more of it\n<30>daemon without time\n';
  const image = plain(text, 256, 1050, text.length);
  assert.equal(logLayout(image.kernel()), 'plain');
  assert.ok(1050 % 256 < text.length, 'the text does wrap');
  const records = [...kernelLog(image.kernel())];
  assert.deepEqual(records.map((record) => [record.text, record.level, record.facility, record.nanoseconds]), [
    ['Linux version 2.6.32', 5, 0, 0n],
    ['eth0: link up\nand more of it', 6, 0, 12_345_678_000n],
    ['daemon without time', 6, 3, undefined],
  ]);
});

test('plain text whose first line was cut off has no level for it', () => {
  const text = 'rest of a line\n<4>next\n';
  const records = [...kernelLog(plain(text, 64, text.length, text.length).kernel())];
  assert.deepEqual(records.map((record) => [record.text, record.level]), [['rest of a line', undefined], ['next', 4]]);
});
