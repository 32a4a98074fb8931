import { Absent, corrupt } from '../../../memory/absent.js';
import { decodeCString, decodeText } from '../../../object/text.js';
import type { Struct } from '../../../object/struct.js';
import type { StructType } from '../../../object/struct-type.js';
import type { WalkOptions } from '../lists/list.js';
import { callerName, type LogKernel, type LogRecord } from './record.js';

/** Descriptor states in the two top bits of prb_desc.state_var (kernel/printk/printk_ringbuffer.h: enum desc_state). */
const COMMITTED = 1;
const FINALIZED = 2;
/** Rings are at most 2^31 bytes of text and 2^26 descriptors (CONFIG_LOG_BUF_SHIFT 25, log_buf_len up to 2 GiB / 32). */
const LARGEST_DESCRIPTOR_BITS = 26;
const LARGEST_DATA_BITS = 31;

/** kernel/printk/printk_ringbuffer.h */
interface DescriptorRing extends Struct {
  readonly count_bits: number;
  readonly head_id: Counter;
  readonly tail_id: Counter;
}
interface DataRing extends Struct {
  readonly size_bits: number;
}
interface Counter extends Struct {
  readonly counter: bigint | number;
}
interface Descriptor extends Struct {
  readonly state_var: Counter;
  readonly text_blk_lpos: Struct & { readonly begin: bigint | number; readonly next: bigint | number };
}
interface Info extends Struct {
  readonly seq: bigint;
  readonly ts_nsec: bigint;
  readonly text_len: number;
  readonly facility: number;
  readonly level: number;
  readonly caller_id: number;
  readonly dev_info: Struct & { readonly subsystem: string; readonly device: string };
}

/** The ring of text, in which a descriptor's block lies. */
interface Text {
  readonly address: bigint;
  readonly bits: number;
  readonly word: number;
}

/**
 * The log of kernels since 5.10 (kernel commits b6cf8b3f3312 and 896fbe20b4e2): a printk_ringbuffer of descriptors, of infos (one for
 * each descriptor) and of text. Descriptors are found by number from tail_id to head_id; one counts if its own number is the wanted one
 * and its state is committed or finalized. The text block of a descriptor begins with that number again.
 * @param address of the struct printk_ringbuffer
 */
export function* ringRecords(kernel: LogKernel, address: bigint, options: WalkOptions = {}): Generator<LogRecord> {
  const { profile, space } = kernel;
  const ring = profile.struct('printk_ringbuffer').at(space, address);
  const descriptors = ring.$get('desc_ring') as DescriptorRing;
  const data = ring.$get('text_data_ring') as DataRing;
  if (descriptors.count_bits > LARGEST_DESCRIPTOR_BITS || data.size_bits > LARGEST_DATA_BITS) {
    throw corrupt(`a log of 2^${descriptors.count_bits} records and 2^${data.size_bits} bytes`, address);
  }
  const word = profile.pointerSize;
  const count = 2 ** descriptors.count_bits;
  const text: Text = { address: data.$pointer('data'), bits: data.size_bits, word };
  const types = {
    descriptor: profile.struct<Descriptor>('prb_desc'),
    info: profile.struct<Info>('printk_info'),
    descriptors: descriptors.$pointer('descs'),
    infos: descriptors.$pointer('infos'),
  };
  // The two top bits of a descriptor's number hold its state.
  const bits = word * 8 - 2;
  const tail = BigInt.asUintN(bits, BigInt(descriptors.tail_id.counter));
  const head = BigInt.asUintN(bits, BigInt(descriptors.head_id.counter));
  const distance = BigInt.asUintN(bits, head - tail);
  let missing = 0;
  if (distance < BigInt(count)) {
    for (let step = 0n; step <= distance; step++) {
      const id = BigInt.asUintN(bits, tail + step);
      const record = recordAt(kernel, types, text, Number(id % BigInt(count)), bits, id);
      if (record instanceof Absent) missing++;
      else if (record) yield record;
    }
  } else {
    options.onFault?.(`the log's head (${head}) and tail (${tail}) do not fit its ${count} records: all that can be read are shown, by their numbers`);
    const found: LogRecord[] = [];
    for (let index = 0; index < count; index++) {
      const record = recordAt(kernel, types, text, index, bits);
      if (record instanceof Absent) missing++;
      else if (record) found.push(record);
    }
    yield* found.sort((a, b) => Number((a.sequence ?? 0n) - (b.sequence ?? 0n)));
  }
  if (missing > 0) options.onFault?.(`${missing} records of the log cannot be read`);
}

interface Types {
  readonly descriptor: StructType<Descriptor>;
  readonly info: StructType<Info>;
  readonly descriptors: bigint;
  readonly infos: bigint;
}

/** The record of a descriptor; undefined where it is free, being written, or (given `wanted`) another one's by now. */
function recordAt(kernel: LogKernel, types: Types, text: Text, index: number, bits: number, wanted?: bigint): LogRecord | undefined | Absent {
  try {
    const { space } = kernel;
    const descriptor = types.descriptor.at(space, types.descriptors + BigInt(index * (types.descriptor.size ?? 0)));
    const raw = BigInt.asUintN(bits + 2, BigInt(descriptor.state_var.counter));
    const id = BigInt.asUintN(bits, raw);
    const state = Number(raw >> BigInt(bits));
    if ((state !== COMMITTED && state !== FINALIZED) || (wanted !== undefined && id !== wanted)) return undefined;
    const info = types.info.at(space, types.infos + BigInt(index * (types.info.size ?? 0)));
    const bytes = blockText(kernel, text, descriptor, id, info.text_len);
    // A descriptor whose text has been overwritten is one that the kernel would pass over as well.
    if (!bytes) return undefined;
    return {
      sequence: info.seq,
      nanoseconds: info.ts_nsec,
      facility: info.facility,
      level: info.level,
      text: decodeText(bytes),
      caller: info.$has('caller_id') ? callerName(info.caller_id) : undefined,
      device: deviceOf(info),
      address: info.$address,
    };
  } catch (error) {
    if (error instanceof Absent) return error;
    throw error;
  }
}

/** The text of a descriptor's block; undefined where the block is another's by now. */
function blockText(kernel: LogKernel, text: Text, descriptor: Descriptor, id: bigint, length: number): Buffer | undefined {
  const width = text.word * 8;
  const begin = BigInt.asUintN(width, BigInt(descriptor.text_blk_lpos.begin));
  const next = BigInt.asUintN(width, BigInt(descriptor.text_blk_lpos.next));
  // Odd positions mark records without a block: empty lines, and messages for which there was no room.
  if ((begin & 1n) === 1n && (next & 1n) === 1n) return Buffer.alloc(0);
  const shift = BigInt(text.bits);
  const size = 1n << shift;
  let offset: bigint;
  let room: bigint;
  // A block may end with the ring; older kernels put such a one at the start as well.
  if (begin < next && begin >> shift === (next - 1n) >> shift) {
    offset = begin % size;
    room = next - begin;
  } else if (BigInt.asUintN(width, begin + size) >> shift === next >> shift) {
    // A block that would reach over the end of the ring stands at its start instead.
    offset = 0n;
    room = next % size;
  } else {
    throw corrupt(`a block of text from ${begin} to ${next}`, descriptor.$address);
  }
  const start = text.address + offset;
  if (room < BigInt(text.word) || BigInt.asUintN(width, kernel.space.readPointer(start)) !== id) return undefined;
  return kernel.space.read(start + BigInt(text.word), Math.min(length, Number(room) - text.word));
}

/** printk_info.dev_info as dictionaries show it: `+pci:0000:00:02.0`, `b8:0`, `n2`. */
function deviceOf(info: Info): string | undefined {
  if (!info.$has('dev_info')) return undefined;
  const { device } = info.dev_info;
  return device === '' ? undefined : decodeCString(Buffer.from(device, 'utf8'));
}
