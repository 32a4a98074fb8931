import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callbacksPlugin } from '../../../plugins/windows/callbacks.js';
import { Absent } from '../../../src/memory/absent.js';
import type { PagingKind } from '../../../src/memory/paging/create.js';
import { ForgedObjects, OLD_HEADER, type Structs } from '../../support/forged-objects.js';
import { rowsOf } from '../../support/sample.js';

/**
 * Records at the places where headers have them, as numbers: wdm.h, the WRK, and what Volatility 3 and WinObjEx64 state of the rest.
 * Here [x64, x86].
 */
const PLACES = {
  component: [0x28, 0x14],
  reason: [0x28, 0x14],
  registry: [0x28, 0x1c],
  altitude: [0x30, 0x20],
  plugAndPlay: [0x20, 0x14],
  plugAndPlayDriver: [0x30, 0x1c],
  powerGuid: [0x24, 0x14],
  power: [0x40, 0x28],
  operations: [0x10, 0x08],
  registration: [0x18, 0x10],
  before: [0x28, 0x18],
  after: [0x30, 0x1c],
  registrationAltitude: [0x10, 0x08],
  registered: [0x10, 0x08],
  listed: [0x28, 0x14],
  ioTimer: [0x18, 0x0c],
  ioTimerDevice: [0x28, 0x14],
} as const;

const BOTH: readonly { paging: PagingKind; structs: Structs; what: string }[] = [
  { paging: 'amd64', structs: {}, what: 'x64' },
  { paging: 'i386-pae', structs: OLD_HEADER, what: 'x86' },
];

/** A kernel with one routine, or a few, in each place. Routine n is at 0x…n000. */
class Registered extends ForgedObjects {
  readonly word = this.types.pointerSize;
  readonly high = this.word === 8 ? 0xfffff88000000000n : 0x8a000000n;
  readonly nowhere = this.word === 8 ? 0xfffffa8012345000n : 0x8f345000n;

  routine(number: number): bigint {
    return this.high + BigInt(number * 0x1000);
  }

  placeOf(key: keyof typeof PLACES): bigint {
    return BigInt(PLACES[key][this.word === 8 ? 0 : 1]);
  }

  /** Words in fresh memory: [offset, value]. */
  record(...words: readonly (readonly [offset: bigint | number, value: bigint])[]): bigint {
    const at = this.room(0x80);
    for (const [offset, value] of words) this.pointer(at + BigInt(offset), value);
    return at;
  }

  u32(at: bigint, value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    this.write(at, bytes);
  }

  ascii(text: string): bigint {
    const at = this.room(text.length + 1);
    this.string(at, text);
    return at;
  }

  text(at: bigint, value: string): void {
    this.set('_UNICODE_STRING', at, this.unicode(value) as never);
  }
}

function registered(paging: PagingKind, structs: Structs): Registered {
  const image = new Registered({ paging, structs });
  const w = image.word;
  const block = (routine: bigint, context = 0n): bigint => image.record([w, routine], [2 * w, context]);
  const count = w === 8 ? 0xfn : 7n;
  // A table of three slots, the second one free; another variable stands behind it.
  const table = image.words('PspCreateProcessNotifyRoutine', block(image.routine(1)) | count, 0n, block(image.routine(2), 2n) | count, 0x1234n);
  image.symbol('PspCreateProcessNotifyRoutineCount', table + BigInt(3 * w));
  image.symbol('PspLoadImageNotifyRoutineCount', image.words('PspLoadImageNotifyRoutine', image.nowhere | count) + BigInt(w));
  image.symbol('PspEnd', image.words('PspCreateThreadNotifyRoutine', block(0x401000n) | count) + BigInt(w));
  image.words('PspLegoNotifyRoutine', image.routine(3));

  const driver = image.object('Driver', '_DRIVER_OBJECT', { DriverName: image.unicode('\\Driver\\own'), MajorFunction: [...Array(28).keys()].map((index) => image.routine(0x40 + index)) }, 'own');
  const device = image.object('Device', '_DEVICE_OBJECT', { DriverObject: driver });
  image.list('IopNotifyShutdownQueueHead', [image.record([2 * w, device]), image.record([2 * w, image.nowhere])]);
  image.list('IopDiskFileSystemQueueHead', [device + BigInt(image.offsetOf('_DEVICE_OBJECT', 'Queue'))]);
  image.list('IopFsNotifyChangeQueueHead', [image.record([2 * w, driver], [3 * w, image.routine(4)])]);
  image.list('IopSessionNotificationQueueHead', [image.record([2 * w, driver], [3 * w, image.routine(0x11)])]);
  image.list('IopDriverReinitializeQueueHead', [image.record([2 * w, driver], [3 * w, image.routine(0x12)])]);
  image.list('IopTimerQueueHead', [image.record([image.placeOf('ioTimer'), image.routine(0x13)], [image.placeOf('ioTimerDevice'), device]) + BigInt(w)]);
  image.list('KeBugCheckCallbackListHead', [image.record([2 * w, image.routine(5)], [image.placeOf('component'), image.ascii('Ndis min')])]);
  const reason = image.record([2 * w, image.routine(6)], [3 * w, image.ascii('SMBiosDa')]);
  image.u32(reason + image.placeOf('reason'), 2);
  image.list('KeBugCheckReasonCallbackListHead', [reason]);
  const registry = image.record([image.placeOf('registry'), image.routine(7)]);
  image.text(registry + image.placeOf('altitude'), '320000');
  image.list('CallbackListHead', [registry]);
  const interface_ = image.record([image.placeOf('plugAndPlay'), image.routine(8)], [image.placeOf('plugAndPlayDriver'), driver]);
  image.u32(interface_ + BigInt(2 * w), 2);
  // The last of 13 lists has an entry, the others are empty.
  const heads = image.room(13 * 2 * w);
  for (let index = 0; index < 13; index++) image.ring(heads + BigInt(index * 2 * w), ...(index === 12 ? [interface_] : []));
  image.symbol('PnpDeviceClassNotifyList', heads);
  const power = image.record([image.placeOf('power'), image.routine(9)]);
  image.write(power + BigInt(2 * w), Buffer.from('PSet'));
  image.write(power + image.placeOf('powerGuid'), Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'));
  const noPower = image.record([image.placeOf('power'), image.routine(9)]);
  image.list('PopRegisteredPowerSettingCallbacks', [power, noPower]);
  image.list('RtlpDebugPrintCallbackList', [image.record([2 * w, image.routine(0xa)]) + BigInt(3 * w)]);

  image.words('SeFileSystemNotifyRoutinesHead', image.record([w, image.routine(0xb)]));
  // A chain of two that comes back to its first.
  const nmi = image.record([w, image.routine(0xc)]);
  image.pointer(nmi, image.record([0, nmi], [w, image.routine(0xd)]));
  image.words('KiNmiCallbackListHead', nmi);

  const own = image.room(0x20);
  image.text(own + image.placeOf('registrationAltitude'), '28900');
  const handle = image.record([image.placeOf('registration'), own], [image.placeOf('before'), image.routine(0xe)], [image.placeOf('after'), image.routine(0xf)]);
  image.u32(handle + image.placeOf('operations'), 3);
  image.u32(handle + image.placeOf('operations') + 4n, 1);
  image.ring(image.type('Process') + BigInt(image.offsetOf('_OBJECT_TYPE', 'CallbackList')), handle);

  const callback = image.object('Callback', '_DRIVER_OBJECT', {}, 'PowerState');
  image.ring(callback + image.placeOf('registered'), image.record([3 * w, image.routine(0x10)]));
  // One without a name, and what is no such object: the kernel lists both beside the one that has a name.
  const nameless = image.object('Callback', '_DRIVER_OBJECT', {});
  image.ring(nameless + image.placeOf('registered'), image.record([3 * w, image.routine(0x14)]));
  image.list('ExpCallbackListHead', [callback, nameless, image.record()].map((body) => body + image.placeOf('listed')));
  image.words('ObpRootDirectoryObject', image.directory(undefined, [[image.directory('Callback', [[callback]]).body]]).body);
  return image;
}

for (const { paging, structs, what } of BOTH) {
  test(`callbacks of every kind are found where headers say, ${what}`, async () => {
    const image = registered(paging, structs);
    const { rows, run } = await rowsOf(image.session(), callbacksPlugin);
    const number = (value: unknown): number | string => (value instanceof Absent ? value.kind : typeof value === 'bigint' && value >= image.high ? Number((value - image.high) / 0x1000n) : String(value));
    assert.deepEqual(
      rows.map((row) => [String(row['type']).replace('nt!', ''), number(row['callback']), row['details'], row['outside']]),
      [
        ['PspCreateProcessNotifyRoutine', 1, null, 'outside of all modules'],
        ['PspCreateProcessNotifyRoutine', 2, 'context 0x2', 'outside of all modules'],
        // In the half of the address space that is not the kernel's.
        ['PspCreateThreadNotifyRoutine', '4198400', null, 'user mode'],
        ['PspLoadImageNotifyRoutine', 'unreadable', rows[3]?.['details'], null],
        ['PspLegoNotifyRoutine', 3, null, 'outside of all modules'],
        ['CallbackListHead', 7, 'altitude 320000', 'outside of all modules'],
        ['KeBugCheckCallbackListHead', 5, 'Ndis min', 'outside of all modules'],
        ['KeBugCheckReasonCallbackListHead', 6, 'SMBiosDa, secondary dump data', 'outside of all modules'],
        ['IopNotifyShutdownQueueHead', 0x40 + 16, '\\Driver\\own', 'outside of all modules'],
        ['IopNotifyShutdownQueueHead', 'unreadable', `device at 0x${image.nowhere.toString(16)}`, null],
        ['IopFsNotifyChangeQueueHead', 4, '\\Driver\\own', 'outside of all modules'],
        ['IopDiskFileSystemQueueHead', 0x40 + 13, '\\Driver\\own', 'outside of all modules'],
        ['IopSessionNotificationQueueHead', 0x11, '\\Driver\\own', 'outside of all modules'],
        ['IopDriverReinitializeQueueHead', 0x12, '\\Driver\\own', 'outside of all modules'],
        ['IopTimerQueueHead', 0x13, '\\Driver\\own, stopped', 'outside of all modules'],
        ['PnpDeviceClassNotifyList', 8, 'device interface, {00000000-0000-0000-0000-000000000000}, \\Driver\\own', 'outside of all modules'],
        ['PopRegisteredPowerSettingCallbacks', 9, '{03020100-0504-0706-0809-0a0b0c0d0e0f}', 'outside of all modules'],
        // What has no mark is no registration.
        ['PopRegisteredPowerSettingCallbacks', 'corrupt', '{00000000-0000-0000-0000-000000000000}', null],
        ['RtlpDebugPrintCallbackList', 0xa, null, 'outside of all modules'],
        ['SeFileSystemNotifyRoutinesHead', 0xb, null, 'outside of all modules'],
        ['KiNmiCallbackListHead', 0xc, null, 'outside of all modules'],
        ['KiNmiCallbackListHead', 0xd, null, 'outside of all modules'],
        ['_OBJECT_TYPE.CallbackList', 0xe, 'Process, before create and duplicate, altitude 28900', 'outside of all modules'],
        ['_OBJECT_TYPE.CallbackList', 0xf, 'Process, after create and duplicate, altitude 28900', 'outside of all modules'],
        ['_CALLBACK_OBJECT', 0x10, '\\Callback\\PowerState', 'outside of all modules'],
        ['_CALLBACK_OBJECT', 0x14, rows.at(-1)?.['details'], 'outside of all modules'],
      ],
    );
    assert.match(String(rows.at(-1)?.['details']), /^object at 0x[0-9a-f]+, not in the namespace$/);
    const [loop, stranger] = run.notes;
    assert.equal(loop, `KiNmiCallbackListHead comes back to 0x${(rows.find((row) => row['type'] === 'nt!KiNmiCallbackListHead')?.['offset'] as bigint).toString(16)}.`);
    assert.match(String(stranger), /^ExpCallbackListHead: what is at 0x[0-9a-f]+ is no callback object/);
    assert.equal(run.notes.length, 2);
    const some = await rowsOf(image.session(), callbacksPlugin, { type_regex: /KeBugCheck/ });
    assert.equal(some.rows.length, 2);
  });
}

test('lists that loop, lead nowhere or were never made; a kernel without any of them', async () => {
  const image = new Registered();
  const first = image.record([0x10, image.routine(1)], [0x28, 0n]);
  const second = image.record([0x10, image.routine(2)], [0x28, 0n]);
  const head = image.list('KeBugCheckCallbackListHead', [first, second]);
  // The second leads to the first; going backwards it is met, too, and each is shown once.
  image.set('_LIST_ENTRY', second, { Flink: first });
  const lost = image.list('KeBugCheckReasonCallbackListHead', []);
  image.set('_LIST_ENTRY', lost, { Flink: image.nowhere, Blink: image.nowhere });
  image.symbol('CallbackListHead', image.room(16));
  image.symbol('IopFsNotifyChangeQueueHead', image.nowhere);
  image.ring(image.type('Device') + BigInt(image.offsetOf('_OBJECT_TYPE', 'CallbackList')));
  image.pointer(image.type('Device') + BigInt(image.offsetOf('_OBJECT_TYPE', 'CallbackList')), image.nowhere);
  image.words('ObpRootDirectoryObject', image.nowhere);
  assert.ok(head > 0n);
  const { rows, run } = await rowsOf(image.session(), callbacksPlugin);
  assert.deepEqual(rows.map((row) => row['callback']), [image.routine(1), image.routine(2)]);
  const told = run.notes.join('\n');
  for (const one of [/KeBugCheckCallbackListHead: .*loops/, /KeBugCheckReasonCallbackListHead: .*broken/, /null, never made: CallbackListHead\./, /IopFsNotifyChangeQueueHead cannot be read/, /the CallbackList of Device: /, /^the directory at \w+ cannot be read\.$/m]) assert.match(told, one);

  const none = await rowsOf(new ForgedObjects().session(), callbacksPlugin);
  assert.equal(none.rows.length, 0);
  assert.match(none.run.notes.join(), /No callbacks: the profile has none/);
});
