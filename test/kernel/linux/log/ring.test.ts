import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kernelLog, logLayout } from '../../../../src/kernel/linux/log/log.js';
import type { LogRecord } from '../../../../src/kernel/linux/log/record.js';
import { Absent } from '../../../../src/memory/absent.js';
import { FakeImage, type LiteralTypes } from '../../../support/image.js';

/** The layouts of 6.1's printk_ringbuffer.h on amd64. */
const types: LiteralTypes = {
  atomic64_t: [8, { counter: [0, 's64'] }],
  prb_data_blk_lpos: [16, { begin: [0, 'unsigned long'], next: [8, 'unsigned long'] }],
  prb_desc: [24, { state_var: [0, 'atomic64_t'], text_blk_lpos: [8, 'prb_data_blk_lpos'] }],
  dev_printk_info: [64, { subsystem: [0, ['array', 16, 'char']], device: [16, ['array', 48, 'char']] }],
  printk_info: [
    88,
    {
      seq: [0, 'u64'], ts_nsec: [8, 'u64'], text_len: [16, 'u16'], facility: [18, 'u8'], flags: [19, ['bits', 'u8', 0, 5]], level: [19, ['bits', 'u8', 5, 3]],
      caller_id: [20, 'u32'], dev_info: [24, 'dev_printk_info'],
    },
  ],
  prb_desc_ring: [48, { count_bits: [0, 'unsigned int'], descs: [8, 'prb_desc *'], infos: [16, 'printk_info *'], head_id: [24, 'atomic64_t'], tail_id: [32, 'atomic64_t'] }],
  prb_data_ring: [32, { size_bits: [0, 'unsigned int'], data: [8, 'char *'] }],
  printk_ringbuffer: [88, { desc_ring: [0, 'prb_desc_ring'], text_data_ring: [48, 'prb_data_ring'] }],
};
const COMMITTED = 1n << 62n;
const FINALIZED = 2n << 62n;
const REUSABLE = 3n << 62n;
const COUNT = 8;
const SIZE = 256;

/** A log of 8 descriptors and 256 bytes of text, written as printk would: descriptor numbers go on for ever, text positions too. */
class Log {
  readonly image = new FakeImage({ types });
  readonly ring = this.image.place('printk_ringbuffer');
  readonly descriptors = this.image.room(24 * COUNT);
  readonly infos = this.image.room(88 * COUNT);
  readonly text = this.image.room(SIZE);
  position = 0n;
  sequence = 0n;

  constructor() {
    this.image.symbol('prb', this.image.room(8));
    this.image.pointer(this.image.profile().address('prb'), this.ring);
    this.image.set('printk_ringbuffer', this.ring, {
      desc_ring: { count_bits: 3, descs: this.descriptors, infos: this.infos },
      text_data_ring: { size_bits: 8, data: this.text },
    });
    for (let i = 0; i < COUNT; i++) this.image.set('prb_desc', this.descriptors + BigInt(24 * i), { state_var: { counter: BigInt.asIntN(64, REUSABLE) } });
  }

  add(id: bigint, message: string, { state = FINALIZED, blockId = id }: { state?: bigint; blockId?: bigint } = {}): void {
    const bytes = Buffer.from(message, 'utf8');
    const length = BigInt(Math.ceil((8 + bytes.length) / 8) * 8);
    let begin = this.position;
    let next = begin + length;
    let offset = begin % BigInt(SIZE);
    // A block never reaches over the end: it is put at the start, and what is left at the end is wasted.
    if (begin / BigInt(SIZE) !== next / BigInt(SIZE) && next % BigInt(SIZE) !== 0n) {
      offset = 0n;
      next = (begin / BigInt(SIZE) + 1n) * BigInt(SIZE) + length;
    }
    if (message === '') [begin, next] = [3n, 3n];
    else {
      const block = Buffer.alloc(Number(length));
      block.writeBigUInt64LE(blockId);
      bytes.copy(block, 8);
      this.image.write(this.text + offset, block);
      this.position = next;
    }
    const index = id % BigInt(COUNT);
    this.image.set('prb_desc', this.descriptors + 24n * index, { state_var: { counter: BigInt.asIntN(64, id | state) }, text_blk_lpos: { begin, next } });
    this.image.set('printk_info', this.infos + 88n * index, {
      seq: this.sequence++, ts_nsec: id * 1000n, text_len: bytes.length, facility: 1, level: 6, caller_id: id % 2n === 0n ? 42 : 0x80000003,
      dev_info: { subsystem: 'pci', device: id === 5n ? '+pci:0000:00:02.0' : '' },
    });
  }

  range(tail: bigint, head: bigint): void {
    this.image.set('printk_ringbuffer', this.ring, { desc_ring: { tail_id: { counter: tail }, head_id: { counter: head } } });
  }

  read(): { records: LogRecord[]; faults: string[] } {
    const faults: string[] = [];
    return { records: [...kernelLog(this.image.kernel(), { onFault: (what) => faults.push(what) })], faults };
  }

  texts(): string[] {
    return this.read().records.map((record) => record.text);
  }
}

test('records, their blocks wrapped around the end of the text', () => {
  const log = new Log();
  const messages = ['a'.repeat(70), 'b'.repeat(80), 'c'.repeat(60), 'd'.repeat(50), 'zwölf\nlines', ''];
  for (const [index, message] of messages.slice(0, 3).entries()) log.add(BigInt(index + 1), message);
  // The first two have made room for what follows.
  log.add(4n, messages[3] as string);
  log.add(5n, messages[4] as string);
  log.add(6n, messages[5] as string);
  log.range(3n, 6n);
  const { records, faults } = log.read();
  assert.deepEqual(faults, []);
  assert.deepEqual(records.map((record) => record.text), messages.slice(2));
  assert.ok(log.position > BigInt(SIZE), 'the text did wrap');
  assert.deepEqual(records.map((record) => [record.sequence, record.nanoseconds, record.facility, record.level, record.caller, record.device]), [
    [2n, 3000n, 1, 6, 'C3', undefined],
    [3n, 4000n, 1, 6, 'T42', undefined],
    [4n, 5000n, 1, 6, 'C3', '+pci:0000:00:02.0'],
    [5n, 6000n, 1, 6, 'T42', undefined],
  ]);
});

test('a block that ends with the ring', () => {
  const log = new Log();
  log.add(1n, 'x'.repeat(SIZE - 8));
  log.range(1n, 1n);
  assert.equal(log.position, BigInt(SIZE));
  assert.deepEqual(log.texts(), ['x'.repeat(SIZE - 8)]);
});

test('what is being written, free, or another record by now is passed over', () => {
  const log = new Log();
  log.add(10n, 'committed, may still grow', { state: COMMITTED });
  log.add(11n, 'reserved: being written', { state: 0n });
  log.add(12n, 'overwritten', { blockId: 99n });
  log.add(13n, 'good');
  log.add(6n, 'in the place of number 14');
  log.range(10n, 14n);
  assert.deepEqual(log.texts(), ['committed, may still grow', 'good']);
  assert.deepEqual(log.read().faults, []);
});

test('a head that does not fit the tail: everything that can be read, by number', () => {
  const log = new Log();
  log.add(9n, 'second');
  log.add(8n, 'third');
  log.range(1n, 0x123456789n);
  const { records, faults } = log.read();
  assert.deepEqual(records.map((record) => record.text), ['second', 'third']);
  assert.match(faults.join(), /do not fit its 8 records/);
});

test('positions of text that cannot be cost their record', () => {
  const log = new Log();
  log.add(1n, 'one');
  log.add(2n, 'two');
  log.image.set('prb_desc', log.descriptors + 24n, { text_blk_lpos: { begin: 512n, next: 16n } });
  log.range(1n, 2n);
  const { records, faults } = log.read();
  assert.deepEqual(records.map((record) => record.text), ['two']);
  assert.deepEqual(faults, ['1 records of the log cannot be read']);
});

test('a ring of an absurd size, and a kernel without a log', () => {
  const log = new Log();
  log.image.set('printk_ringbuffer', log.ring, { desc_ring: { count_bits: 40 } });
  assert.throws(() => log.read(), (error) => error instanceof Absent && error.kind === 'corrupt');
  assert.equal(logLayout(log.image.kernel()), 'ring');
  assert.throws(() => logLayout(new FakeImage().kernel()), (error) => error instanceof Absent && /neither prb nor log_buf/.test(error.reason));
});
