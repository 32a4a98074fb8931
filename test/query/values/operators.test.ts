import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BinaryOperator } from '../../../grammar/efilter-tree.js';
import { Absent } from '../../../src/memory/absent.js';
import { Timestamp } from '../../../src/object/time.js';
import { listOf, structType, tupleOf, type Type, typeName, types } from '../../../src/query/types.js';
import { negate } from '../../../src/query/values/arithmetic.js';
import { valueContext } from '../../../src/query/values/context.js';
import { ValueError } from '../../../src/query/values/error.js';
import { compileOperator, type OperandFacts } from '../../../src/query/values/operators.js';

const context = valueContext('UTC');
const compile = (operator: BinaryOperator, a: Type, b: Type, facts?: OperandFacts) =>
  compileOperator(operator, a, b, context, facts);
const time = (iso: string): Timestamp => new Timestamp(BigInt(Date.parse(iso)) * 1_000_000n);
const { any, int, float, string, address, duration, size, bool } = types;
const ints = listOf(int);
const strings = listOf(string);
const gone = new Absent('unreadable', 'gone');

const TABLE: readonly (readonly [
  a: unknown,
  left: Type,
  operator: BinaryOperator,
  b: unknown,
  right: Type,
  value: unknown,
  type: string,
])[] = [
  [7, int, '/', 2, int, 3, 'int'],
  [-7, int, '/', 2, int, -3, 'int'],
  [7, float, '/', 2, int, 3.5, 'float'],
  [7, int, '%', -3, int, 1, 'int'],
  [1, int, '/', 0, int, null, 'int'],
  [1, float, '/', 0, int, null, 'float'],
  [1, int, '%', 0n, int, null, 'int'],
  [9007199254740991, int, '+', 2, int, 9007199254740993n, 'int'],
  [2 ** 53 - 1, int, '*', 2 ** 53 - 1, int, 81129638414606663681390495662081n, 'int'],
  [0xffff888000001000n, address, '+', 16, int, 0xffff888000001010n, 'address'],
  [0xffff888000001000n, address, '-', 0xffff888000000000n, address, 0x1000n, 'int'],
  [4096, size, '/', 1024, int, 4, 'size'],
  [4096, size, '/', 1024, size, 4, 'int'],
  [true, bool, '+', true, bool, 2, 'int'],
  ['a', string, '+', 'b', string, 'ab', 'string'],
  ['a', string, '||', 1, int, 'a1', 'string'],
  ['a', string, '||', null, any, null, 'string'],
  ['a', any, '+', 1, any, null, 'any'],
  [null, any, '+', 1, int, null, 'any'],
  [gone, int, '+', 1, int, gone, 'int'],
  // Lists element by element: a single value with each, the shorter goes on with 0.
  [[1, 2, 3], ints, '+', 10, int, [11, 12, 13], 'list of int'],
  [[1, 2, 3], ints, '+', [10], ints, [11, 2, 3], 'list of int'],
  [[1, 0], ints, '/', [0, 2], ints, [null, 0], 'list of int'],
  [[1, 'x', null], listOf(any), '*', 2, int, [2, null, null], 'list'],
  [[1, 2], ints, '<', 2, int, [true, false], 'list of bool'],
  // Times.
  [
    time('2026-11-24T12:00:00Z'),
    types.time,
    '-',
    time('2026-11-24T11:00:00Z'),
    types.time,
    3_600_000_000_000n,
    'duration',
  ],
  [time('2026-11-24T12:00:00Z'), types.time, '+', 3_600_000_000_000n, duration, time('2026-11-24T13:00:00Z'), 'time'],
  [time('2026-11-24T12:00:00Z'), types.time, '-', 90, int, time('2026-11-24T11:58:30Z'), 'time'],
  [time('2026-11-24T12:00:00Z'), types.time, '+', 0.25, float, time('2026-11-24T12:00:00.250Z'), 'time'],
  [time('2026-11-24T12:00:00Z'), types.time, '==', '2026-11-24 12:00', string, true, 'bool'],
  [time('2026-11-24T12:00:00Z'), types.time, '<', '24 Nov 2026 14:00', string, true, 'bool'],
  ['2026-11-25', string, '>', time('2026-11-24T12:00:00Z'), types.time, true, 'bool'],
  [time('2026-11-24T12:00:00Z'), any, '>', '2026-11-24', any, true, 'bool'],
  [7_200_000_000_000n, duration, '>=', '2 hours', string, true, 'bool'],
  // Equality.
  [1, int, '==', 1n, int, true, 'bool'],
  [2 ** 53, float, '==', 9007199254740993n, int, false, 'bool'],
  [2n ** 64n, int, '>', 1.8e19, float, true, 'bool'],
  ['a', string, '==', 'A', string, false, 'bool'],
  [null, types.null, '==', null, types.null, null, 'bool'],
  [gone, int, '!=', 1, int, null, 'bool'],
  ['1', any, '==', 1, any, false, 'bool'],
  ['1', any, '<', 1, any, null, 'bool'],
  [[1, 2], tupleOf([int, int]), '==', [1, 2n], tupleOf([int, int]), true, 'bool'],
  [[1, 2], tupleOf([int, int]), '<', [1, 3], tupleOf([int, int]), true, 'bool'],
  // Membership: parts of texts, elements of lists, parts of a list's texts unless the list is written out.
  ['ern', string, 'in', 'kernel', string, true, 'bool'],
  ['ERN', string, 'in', 'kernel', string, false, 'bool'],
  ['sh', string, 'in', ['bash', 'sshd'], strings, true, 'bool'],
  [1n, int, 'in', [1, 2], ints, true, 'bool'],
  [3, int, 'in', [1, null], ints, null, 'bool'],
  [3, int, 'not in', [1, 2], ints, true, 'bool'],
  [3, int, 'in', [], ints, false, 'bool'],
  [3, int, 'in', null, any, null, 'bool'],
  [1, int, 'in', [{ pid: 1 }, { pid: 2 }], listOf(any), true, 'bool'],
  ['a', string, 'in', { a: 1 }, any, true, 'bool'],
  // Patterns.
  ['SVCHOST.exe', string, '=~', 'svchost', string, true, 'bool'],
  ['SVCHOST.exe', string, '=~', '(?i)^svchost', string, true, 'bool'],
  ['SVCHOST.exe', string, '!~', 'lsass', string, true, 'bool'],
  [['a', 'lsass'], strings, '=~', '^ls', string, true, 'bool'],
  [[], strings, '=~', '', string, false, 'bool'],
  [null, string, '=~', 'x', string, null, 'bool'],
  ['x', string, '=~', null, any, null, 'bool'],
  [4096, int, '=~', '^40', string, true, 'bool'],
  ['/usr/bin/SH', string, 'like', '/usr/%', string, true, 'bool'],
  ['c:\\windows', string, 'like', 'C:\\w%', string, true, 'bool'],
  [['a', 'bc'], strings, 'like', 'b_', string, true, 'bool'],
  ['a', string, 'not like', 'b', string, true, 'bool'],
];

/** What types say before anything runs. */
const UNLIKE: readonly (readonly [left: Type, operator: BinaryOperator, right: Type, reason: RegExp])[] = [
  [string, '==', int, /string and int are unlike; int\(x\) makes a number of text/],
  [int, '<', string, /string and int are unlike/],
  [types.time, '==', int, /timestamp\(n\) makes a time/],
  [structType('task_struct'), '==', string, /struct task_struct and string are unlike; compare one of its members/],
  [types.bytes, '==', string, /str\(x\) reads bytes as text/],
  [tupleOf([int]), '==', tupleOf([int, int]), /never equal/],
  [tupleOf([int]), '==', int, /tuple of 1 and int are unlike/],
  [strings, '==', int, /unlike/],
  [string, '+', int, /string is no number: string \+ int means nothing; a \|\| b joins/],
  [types.time, '*', int, /a time takes \+ and -/],
  [types.time, '+', types.time, /a time takes/],
  [structType('task_struct'), '=~', string, /no text to search in/],
  [string, '=~', int, /a regular expression is a string, not int/],
  [int, 'in', string, /cannot be part of a text/],
  [int, 'in', strings, /unlike/],
  [string, 'like', int, /a pattern is a string/],
  [types.bytes, '-', int, /bytes is no number/],
];

describe('operators', () => {
  for (const [a, left, operator, b, right, value, type] of TABLE) {
    it(`${typeName(left)} ${operator} ${typeName(right)} = ${String(value)}`, () => {
      const compiled = compile(operator, left, right);
      assert.deepEqual(compiled.compute(a, b), value);
      assert.equal(typeName(compiled.type), type);
      const constant = compile(operator, left, right, { constant: { value: b } });
      assert.deepEqual(constant.compute(a, b), value);
    });
  }

  for (const [left, operator, right, reason] of UNLIKE) {
    it(`${typeName(left)} ${operator} ${typeName(right)} is refused before anything runs`, () => {
      assert.throws(
        () => compile(operator, left, right),
        (error) => error instanceof ValueError && reason.test(error.message),
      );
    });
  }

  it('of a list that is written out compare whole values', () => {
    const exact = compile('in', string, strings, { exact: true });
    assert.equal(exact.compute('sh', ['bash', 'sshd']), false);
    assert.equal(exact.compute('sh', ['sh']), true);
  });

  it('refuse a constant that is no pattern or date, and forgive a row that has none', () => {
    assert.throws(() => compile('=~', string, string, { constant: { value: '(' } }), ValueError);
    assert.throws(() => compile('<', types.time, string, { constant: { value: 'soon' } }), /'soon' is no date/);
    assert.throws(() => compile('<', string, types.time, { constantLeft: { value: 'soon' } }), /'soon' is no date/);
    assert.throws(() => compile('<', duration, string, { constant: { value: 'long' } }), /no length of time/);
    assert.ok(compile('=~', string, string).compute('x', '(') instanceof Absent);
    assert.ok(compile('<', types.time, string).compute(new Timestamp(0n), 'soon') instanceof Absent);
  });

  it('never throw for the values of a row', () => {
    const operators: BinaryOperator[] = [
      'or',
      'and',
      '==',
      '!=',
      '<',
      '<=',
      '>',
      '>=',
      '=~',
      '!~',
      'in',
      'not in',
      'like',
      'not like',
      '+',
      '-',
      '*',
      '/',
      '%',
      '||',
    ];
    const odd = [
      null,
      undefined,
      gone,
      true,
      0,
      -1,
      1.5,
      NaN,
      Infinity,
      1n << 4000n,
      '',
      'a(',
      [],
      [null, [1]],
      { a: 1 },
      new Timestamp(0n),
      Buffer.from('x'),
      new Map([[1, 2]]),
    ];
    for (const operator of operators) {
      const { compute } = compile(operator, any, any);
      for (const a of odd) for (const b of odd) compute(a, b);
    }
  });

  it('keep numbers from filling memory', () => {
    let value: unknown = 3n;
    for (let round = 0; round < 100 && !(value instanceof Absent); round++)
      value = compile('*', int, int).compute(value, value);
    assert.ok(value instanceof Absent);
    assert.match(value.reason, /4096 bits/);
  });

  it('negate', () => {
    assert.equal(negate(5), -5);
    assert.ok(Object.is(negate(0), 0));
    assert.equal(negate(5n), -5n);
    assert.equal(negate('x'), null);
    assert.deepEqual(negate([1, null]), [-1, null]);
  });
});
