import { Absent, orElse } from '../../../../memory/absent.js';
import type { Struct } from '../../../../object/struct.js';
import type { WindowsKernel } from '../../kernel.js';
import { objectTree } from '../../objects/object-tree.js';
import { objectOfBody } from '../../objects/objects.js';
import { findObjectTypes } from '../../objects/object-types.js';
import { unicodeText } from '../../strings.js';
import { undocumented } from '../../undocumented.js';
import type { Callback, Fault } from './callback.js';
import { recordsOn } from './lists.js';

/** OB_OPERATION (WDK, wdm.h) */
const OPERATIONS: readonly (readonly [bit: number, name: string])[] = [
  [1, 'create'],
  [2, 'duplicate'],
];

/** What drivers registered with ObRegisterCallbacks for handles of a type: on the list that each type has since Windows Vista SP1. */
export function* typeCallbacks(kernel: WindowsKernel, onFault: Fault): Generator<Callback> {
  if (!kernel.profile.has('_OBJECT_TYPE', 'CallbackList')) return;
  const block = undocumented(kernel, '_OB_CALLBACK_CONTEXT_BLOCK');
  for (const { type } of findObjectTypes(kernel, onFault)) {
    const name = orElse(() => unicodeText(type.$get('Name') as Struct), '?');
    for (const record of recordsOn(kernel, `the CallbackList of ${name}`, type.$addressOf('CallbackList'), block, 'CallbackListEntry', onFault, () => undefined)) {
      for (const [member, when] of [
        ['PreCallback', 'before'],
        ['PostCallback', 'after'],
      ] as const) {
        // Most register but one of the two.
        if (orElse(() => record.$pointer(member), 1n) === 0n) continue;
        yield {
          type: '_OBJECT_TYPE.CallbackList',
          api: 'ObRegisterCallbacks',
          offset: record.$address,
          callback: () => record.$pointer(member),
          details: () => `${name}, ${when} ${operations(record)}${orElse(() => Number(record.$get('Enabled')) !== 0, true) ? '' : ', disabled'}${orElse(() => `, altitude ${altitude(kernel, record)}`, '')}`,
        };
      }
    }
  }
}

function operations(record: Struct): string {
  const bits = Number(record.$get('Operations'));
  const named = OPERATIONS.filter(([bit]) => (bits & bit) !== 0).map(([, name]) => name);
  return named.length === 0 ? `operations 0x${bits.toString(16)}` : named.join(' and ');
}

function altitude(kernel: WindowsKernel, record: Struct): string {
  return unicodeText(undocumented(kernel, '_OB_REGISTRATION').at(kernel.space, record.$pointer('Registration')).$get('Altitude') as Struct);
}

/**
 * What drivers registered with ExRegisterCallback: on the list of each object of the type Callback in the namespace (\Callback\PowerState …), and, since Windows
 * 8.1, of each that the kernel lists besides: one that was made without a name, or was taken out of the namespace.
 */
export function* objectCallbacks(kernel: WindowsKernel, onFault: Fault): Generator<Callback> {
  const known = new Set<bigint>();
  try {
    for (const { object, path } of objectTree(kernel)) {
      if (object.type !== 'Callback') continue;
      known.add(object.body);
      yield* registrations(kernel, object.body, path, onFault);
    }
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    onFault(`the namespace cannot be read: ${error.reason}`);
  }
  const head = kernel.symbol('ExpCallbackListHead');
  if (head === undefined) return;
  for (const { $address: body } of recordsOn(kernel, 'ExpCallbackListHead', head, undocumented(kernel, '_CALLBACK_OBJECT'), 'ExpCallbackList', onFault, () => undefined)) {
    if (known.has(body)) continue;
    if (orElse(() => objectOfBody(kernel, body).type === 'Callback', false)) yield* registrations(kernel, body, `object at 0x${body.toString(16)}, not in the namespace`, onFault);
    else onFault(`ExpCallbackListHead: what is at 0x${body.toString(16)} is no callback object, or not in memory`);
  }
}

function* registrations(kernel: WindowsKernel, body: bigint, name: string, onFault: Fault): Generator<Callback> {
  const head = body + BigInt(undocumented(kernel, '_CALLBACK_OBJECT').offsetOf('RegisteredCallbacks'));
  for (const record of recordsOn(kernel, name, head, undocumented(kernel, '_CALLBACK_REGISTRATION'), 'Link', onFault, () => undefined)) {
    yield { type: '_CALLBACK_OBJECT', api: 'ExRegisterCallback', offset: record.$address, callback: () => record.$pointer('CallbackFunction'), details: () => name };
  }
}
