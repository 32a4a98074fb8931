import type { Forge } from './forge.js';

export interface MadeCallback {
  readonly kind: string;
  readonly address: bigint;
  readonly index: number;
}

/** A callback in one of Ps' tables: a reference with counts in its low bits to a block of rundown protection, function and context (WRK, ex.h). */
function notify(forge: Forge, table: string, index: number, routine: bigint): MadeCallback {
  const block = forge.paged.allocate(3 * forge.pointer, 'Cbrb');
  forge.word(block, 0x20n);
  forge.word(block + BigInt(forge.pointer), routine);
  forge.word(forge.symbol(table) + BigInt(index * forge.pointer), block | (forge.pointer === 8 ? 15n : 7n));
  return { kind: table, address: routine, index };
}

/** Callbacks of every kind. `stray` is code outside of all modules. */
export function writeCallbacks(forge: Forge, { watch, tcpip, hal, device, stray }: { watch: readonly bigint[]; tcpip: readonly bigint[]; hal: readonly bigint[]; device: bigint; stray: bigint }): MadeCallback[] {
  const made: MadeCallback[] = [];
  const [, , , onProcess = 0n, onImage = 0n, , onShutdown = 0n] = watch;
  made.push(notify(forge, 'PspCreateProcessNotifyRoutine', 0, tcpip[3] ?? 0n));
  made.push(notify(forge, 'PspCreateProcessNotifyRoutine', 1, onProcess));
  made.push(notify(forge, 'PspCreateProcessNotifyRoutine', 2, stray));
  forge.u32(forge.symbol('PspCreateProcessNotifyRoutineCount'), 3);
  made.push(notify(forge, 'PspCreateThreadNotifyRoutine', 0, onShutdown));
  forge.u32(forge.symbol('PspCreateThreadNotifyRoutineCount'), 1);
  made.push(notify(forge, 'PspLoadImageNotifyRoutine', 0, onImage));
  forge.u32(forge.symbol('PspLoadImageNotifyRoutineCount'), 1);
  const word = forge.pointer;
  const item = (words: readonly bigint[], tag: string): bigint => {
    const at = forge.nonPaged.allocate(words.length * word, tag);
    for (const [index, value] of words.entries()) forge.word(at + BigInt(index * word), value);
    return at;
  };
  // KBUGCHECK_CALLBACK_RECORD (wdm.h): entry, routine, buffer, length, component, checksum, state.
  const name = forge.nonPaged.allocate(16, 'Name');
  forge.system.write(name, Buffer.from('hal\0'));
  const halRoutine = hal[6] ?? 0n;
  const record = item([0n, 0n, halRoutine, 0n, 0n, name, halRoutine + BigInt(0) + name, 1n], 'KBug');
  forge.link(forge.symbol('KeBugCheckCallbackListHead'), [record]);
  made.push({ kind: 'KeBugCheckCallbackListHead', address: halRoutine, index: 0 });
  // KBUGCHECK_REASON_CALLBACK_RECORD: entry, routine, component, checksum, reason, state.
  const reason = item([0n, 0n, watch[2] ?? 0n, name, (watch[2] ?? 0n) + name, 1n], 'KBug');
  forge.link(forge.symbol('KeBugCheckReasonCallbackListHead'), [reason]);
  made.push({ kind: 'KeBugCheckReasonCallbackListHead', address: watch[2] ?? 0n, index: 0 });
  // Shutdown: entry and device, whose driver handles IRP_MJ_SHUTDOWN.
  const shutdown = item([0n, 0n, device], 'IoSh');
  forge.link(forge.symbol('IopNotifyShutdownQueueHead'), [shutdown]);
  forge.link(forge.symbol('IopNotifyLastChanceShutdownQueueHead'), []);
  // Registry (since Windows Vista): list entry, two words, cookie, context, function, altitude (reverse engineering of CmRegisterCallbackEx, as Volatility states it).
  const registry = forge.paged.allocate(0x60, 'CMcb');
  forge.word(registry + BigInt(word === 8 ? 0x28 : 0x1c), watch[7] ?? 0n);
  forge.word(registry + BigInt(word === 8 ? 0x18 : 0x10), 0x1234n);
  const altitude = forge.text('320000');
  forge.system.write(registry + BigInt(word === 8 ? 0x30 : 0x20), unicode(forge, altitude));
  forge.link(forge.symbol('CallbackListHead'), [registry]);
  forge.u32(forge.symbol('CmpCallBackCount'), 1);
  made.push({ kind: 'CallbackListHead', address: watch[7] ?? 0n, index: 0 });
  return made;
}

function unicode(forge: Forge, value: Readonly<Record<string, unknown>>): Buffer {
  const bytes = Buffer.alloc(forge.pointer * 2);
  bytes.writeUInt16LE(Number(value['Length']), 0);
  bytes.writeUInt16LE(Number(value['MaximumLength']), 2);
  if (forge.pointer === 8) bytes.writeBigUInt64LE(value['Buffer'] as bigint, 8);
  else bytes.writeUInt32LE(Number(value['Buffer']), 4);
  return bytes;
}

export interface MadeTimer {
  readonly timer: bigint;
  readonly routine: bigint;
  readonly due: bigint;
  readonly period: number;
}

/** x64: what hides the pointer to a timer's DPC (nt!KiSetTimer, "Timer DPC obfuscation" since Windows 7). */
const WAIT_NEVER = 0xd0cc8d73b2a31f07n;
const WAIT_ALWAYS = 0x5e5c8d1193f0aa55n;

function rotateRight(value: bigint, count: bigint): bigint {
  return BigInt.asUintN(64, (value >> count) | (value << (64n - count)));
}

function swapped(value: bigint): bigint {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes.readBigUInt64BE();
}

/** Timers in the processor's table, by the time at which they are due. */
export function writeTimers(forge: Forge, routines: readonly { routine: bigint; due: bigint; period: number }[]): MadeTimer[] {
  forge.system.write(forge.symbol('KiWaitNever'), bytes64(WAIT_NEVER));
  forge.system.write(forge.symbol('KiWaitAlways'), bytes64(WAIT_ALWAYS));
  const prcb = forge.symbol('KiInitialPCR') + BigInt(forge.offset('_KPCR', 'Prcb'));
  const table = prcb + BigInt(forge.offset('_KPRCB', 'TimerTable'));
  const entrySize = forge.size('_KTIMER_TABLE_ENTRY');
  const buckets = new Map<number, bigint[]>();
  const made = routines.map(({ routine, due, period }) => {
    const timer = forge.nonPaged.allocate(forge.size('_KTIMER'), 'Time');
    const dpc = forge.nonPaged.allocate(forge.size('_KDPC'), 'KDpc');
    forge.put('_KDPC', dpc, { Type: 19, Importance: 1, DeferredRoutine: routine });
    const hidden = rotateRight(swapped(dpc ^ WAIT_ALWAYS) ^ timer, WAIT_NEVER & 0x3fn) ^ WAIT_NEVER;
    forge.put('_KTIMER', timer, { Header: { Type: 8, Size: 16, Inserted: 1 }, DueTime: { QuadPart: due }, Dpc: BigInt.asUintN(64, hidden), Period: period });
    const bucket = Number((due >> 18n) & 0xffn);
    buckets.set(bucket, [...(buckets.get(bucket) ?? []), timer]);
    return { timer, routine, due, period };
  });
  const entries = table + BigInt(forge.offset('_KTIMER_TABLE', 'TimerEntries'));
  for (let bucket = 0; bucket < 256; bucket++) {
    const at = entries + BigInt(bucket * entrySize);
    forge.link(at + BigInt(forge.offset('_KTIMER_TABLE_ENTRY', 'Entry')), (buckets.get(bucket) ?? []).map((timer) => timer + BigInt(forge.offset('_KTIMER', 'TimerListEntry'))));
  }
  return made;
}

function bytes64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}
