import { Absent } from '../../memory/absent.js';
import { Pointer } from '../../object/pointer.js';
import { rowType, type Type, types } from '../types.js';
import { ValueError } from '../values/error.js';
import { entriesOf } from '../values/order.js';
import { described, text } from './arguments.js';
import { param, rest, scalar } from './define.js';
import type { ScalarFunction } from './function.js';

/** Rows from pairs; a key given twice keeps its last value. */
function dictionary(pairs: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      if (!Array.isArray(pair) || pair.length !== 2) throw new ValueError('bind and dict take key: value');
      return [String(pair[0]), pair[1] as unknown];
    }),
  );
}

function deref(value: unknown): unknown {
  if (value instanceof Pointer) return value.isNull ? null : value.deref();
  // A pointer to a struct reads as that struct already.
  if (typeof value === 'object' && value !== null) return value;
  throw new ValueError(`${described(value)} is no pointer`);
}

function entries(value: unknown): (readonly [string, unknown])[] {
  const plain = typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
  if (
    !plain ||
    !(value instanceof Map || [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null))
  ) {
    throw new ValueError(`${described(value)} is no row`);
  }
  return entriesOf(value);
}

const FILE: Type = rowType(new Map([['filename', types.string]]));

export const objectFunctions: readonly ScalarFunction[] = [
  ...(['bind', 'dict'] as const).map((name) =>
    scalar({
      name,
      topic: 'objects',
      doc: 'A row of keys and values.',
      parameters: [{ ...rest('pairs', 'any', 'pair'), optional: true }],
      result: rowType(),
      nulls: 'handled',
      call: dictionary,
      examples: [{ query: `${name}(a: 1, b: "x")`, value: { a: 1, b: 'x' } }],
    }),
  ),
  scalar({
    name: 'deref',
    topic: 'objects',
    doc: 'What a pointer points at; a pointer to a struct is that struct anyway.',
    parameters: [param('pointer', ['any'])],
    result: ([pointer]) => (pointer?.kind === 'struct' ? pointer : types.any),
    maps: 0,
    call: ([value]) => deref(value),
    examples: [{ query: 'select deref(proc).pid as pid from pslist() where pid == 1', value: [{ pid: 1 }] }],
  }),
  scalar({
    name: 'file',
    topic: 'objects',
    doc: 'A row that says that a name is that of a file, as Rekall marked files to be collected.',
    parameters: [param('name', 'string')],
    result: FILE,
    maps: 0,
    call: ([name]) => ({ filename: text(name) }),
    examples: [{ query: 'file("/bin/sh").filename', value: '/bin/sh' }],
  }),
  scalar({
    name: 'keys',
    topic: 'objects',
    doc: "The names of a row's columns or a dict's keys, by name.",
    parameters: [param('row', 'row')],
    result: { kind: 'list', of: types.string },
    call: ([row]) => entries(row).map(([key]) => key),
    examples: [{ query: 'keys(dict(b: 1, a: 2))', value: ['a', 'b'] }],
  }),
  scalar({
    name: 'values',
    topic: 'objects',
    doc: 'The values of a row or a dict, by the order of their names.',
    parameters: [param('row', 'row')],
    result: { kind: 'list', of: types.any },
    call: ([row]) => entries(row).map(([, value]) => value),
    examples: [{ query: 'values(dict(b: 1, a: 2))', value: [2, 1] }],
  }),
  scalar({
    name: 'why',
    topic: 'objects',
    doc: 'Why a value could not be read, in words; null where it could.',
    parameters: [param('value')],
    result: types.string,
    nulls: 'handled',
    call: ([value]) => (value instanceof Absent ? value.toString() : null),
    examples: [{ query: 'why(4)', value: null }],
  }),
];
