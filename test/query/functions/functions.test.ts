import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Absent } from '../../../src/memory/absent.js';
import { Timestamp } from '../../../src/object/time.js';
import { bindFunction, checkCall, placeArguments, signature } from '../../../src/query/functions/library.js';
import { library } from '../../../src/query/functions/index.js';
import { listOf, type Type, typeName, typeOfValue, types } from '../../../src/query/types.js';
import type { ValueContext } from '../../../src/query/values/context.js';
import { ValueError } from '../../../src/query/values/error.js';

const NOW = 1_795_611_791n * 1_000_000_000n;
const utc: ValueContext = { timezone: 'UTC', now: NOW };

/** Calls a function by name, as the engine does with arguments that are not known beforehand. */
function call(
  name: string,
  args: readonly unknown[],
  context = utc,
  given?: readonly Type[],
  constant = false,
): unknown {
  const declared = library.scalar(name);
  assert.ok(declared, `no function ${name}`);
  const argumentTypes = given ?? args.map((arg) => (typeof arg === 'function' ? types.any : typeOfValue(arg)));
  const checked = checkCall(declared, argumentTypes);
  if (!('result' in checked)) throw new TypeError(checked.message);
  return bindFunction(declared, argumentTypes, context, constant)(args);
}

const at = (iso: string): Timestamp => new Timestamp(BigInt(Date.parse(iso)) * 1_000_000n);

/** Values by hand, or by the manual that the comment names. */
const TABLE: readonly (readonly [name: string, args: readonly unknown[], value: unknown])[] = [
  ['hex', [0], '0x0'],
  ['hex', [-1], '-0x1'],
  ['hex', [0xffff888003d8c000n], '0xffff888003d8c000'],
  ['hex', [[1, null, 16n]], ['0x1', null, '0x10']],
  ['hex', [Buffer.from('AB')], '4142'],
  ['str', [1n << 64n], '18446744073709551616'],
  ['str', [Buffer.from('ab\0c')], 'ab'],
  ['str', [[1, 'a', null]], '[1, a, null]'],
  ['int', ['0x1f'], 31],
  ['int', ['-12'], -12],
  ['int', ['4k'], 4096],
  ['int', ['0b101'], 5],
  ['int', ['ff', 16], 255],
  ['int', ['18446744073709551615'], 18446744073709551615n],
  ['int', [2.9], 2],
  ['int', [-2.9], -2],
  ['int', [1e20], 100000000000000000000n],
  ['int', [at('1970-01-01T00:01:00Z')], 60],
  ['int', [['1', '2']], [1, 2]],
  ['float', ['1.5e3'], 1500],
  ['float', ['0x10'], 16],
  ['bool', [''], false],
  ['bool', [[0, 1]], true],
  ['typeof', [null], 'null'],
  ['typeof', [1.5], 'float'],
  ['typeof', [new Timestamp(0n)], 'time'],
  ['concat', ['a', null, 4], 'a4'],
  ['join', ['-', [1, null, 'b']], '1-b'],
  ['join', ['-', 'alone'], 'alone'],
  // Slices as Python has them.
  ['substr', ['hello', 1, 3], 'el'],
  ['substr', ['hello', -3], 'llo'],
  ['substr', ['hello', 0, -1], 'hell'],
  ['substr', ['hello', 3, 1], ''],
  ['substr', ['hello', 2, 100], 'llo'],
  ['substr', ['a\u{1f600}b', 1, 2], '\u{1f600}'],
  ['length', ['a\u{1f600}b'], 3],
  ['length', [Buffer.alloc(5)], 5],
  ['trim', [' \t a b \n'], 'a b'],
  ['trim', ['xxaxx', 'x'], 'a'],
  ['ltrim', ['  a '], 'a '],
  ['rtrim', ['  a '], '  a'],
  ['replace', ['aaa', 'aa', 'b'], 'ba'],
  ['replace', ['abc', '', 'x'], 'abc'],
  ['split', ['a,b,,c', ','], ['a', 'b', '', 'c']],
  ['split', ['  a  b '], ['a', 'b']],
  ['find', ['hello', 'l'], 2],
  ['find', ['hello', 'z'], -1],
  ['lpad', ['7', 3, '0'], '007'],
  ['basename', ['/usr/bin/'], 'bin'],
  ['basename', ['sh'], 'sh'],
  ['basename', ['/'], ''],
  ['dirname', ['/sh'], '/'],
  ['dirname', ['sh'], ''],
  ['dirname', ['C:\\Windows\\x.dll'], 'C:\\Windows'],
  ['extension', ['/a.b/c'], ''],
  ['extension', ['.bashrc'], ''],
  // The table of the Python documentation of difflib's neighbours: kitten → sitting is 3 (Levenshtein, 1965 as Wikipedia has it).
  ['levenshtein', ['kitten', 'sitting'], 3],
  ['levenshtein', ['', 'abc'], 3],
  ['levenshtein', ['ab', 'ba'], 2],
  ['starts_with', ['abc', 'A'], false],
  // printf of glibc.
  ['format', ['%5d|%-5d|%05d|%+d', 42, 42, 42, 42], '   42|42   |00042|+42'],
  ['format', ['%x %X %#x %#010x', 255, 255, 255, 255], 'ff FF 0xff 0x000000ff'],
  ['format', ['%-#10x|', 255], '0xff      |'],
  ['format', ['%o %b %c', 8, 5, 65], '10 101 A'],
  ['format', ['%.3f %e %g %g', 1.5, 12345.678, 0.0001, 1e10], '1.500 1.234568e+04 0.0001 1e+10'],
  ['format', ['%s %5.2s| %%', null, 'abc'], '-    ab| %'],
  ['format', ['%lld %#lx', -(1n << 63n), 1n << 63n], '-9223372036854775808 0x8000000000000000'],
  ['regex_search', ['s{2}h', 'OpenSSH'], true],
  ['regex_search', ['b', ['a', 'B']], true],
  ['regex_search', ['x', ['a', 'B']], false],
  ['regex_extract', ['(\\d+)\\.(\\d+)', 'v6.1', 2], '1'],
  ['regex_extract', ['(?P<major>\\d+)', 'v6.1', 'major'], '6'],
  ['regex_extract', ['\\d+', 'none'], null],
  ['regex_extract_all', ['[a-z]', 'a1b2'], ['a', 'b']],
  ['sub', ['a', 'b', 'AaA'], 'bbb'],
  ['sub', ['(\\w+) (\\w+)', '\\2 \\1', 'hello world'], 'world hello'],
  ['sub', ['x*', '-', 'abc'], '-a-b-c-'],
  ['sub', ['o', '0', ['foo', 'bar']], ['f00', 'bar']],
  ['sub', ['a', '$1', 'a'], '$1'],
  ['re_filter', ['^b', ['Bar', 'foo', 'bz']], ['Bar', 'bz']],
  ['re_filter', ['b', { x: 'ab', y: 'c' }], { x: 'ab' }],
  ['re_filter', ['b', 'c'], null],
  ['abs', [-(1n << 70n)], 1n << 70n],
  ['round', [2.5], 3],
  ['round', [-2.5], -3],
  ['round', [1.005, 2], 1.01],
  ['round', [1250, -2], 1300],
  ['round', [12345678901234567890n, 2], 12345678901234567890n],
  ['floor', [-1.1], -2],
  ['ceil', [-0.5], 0],
  ['sqrt', [-1], null],
  ['ln', [0], null],
  ['power', [2, 100], 1n << 100n],
  ['power', [2, -1], 0.5],
  ['power', [0, -1], null],
  ['bit_and', [0xffff888003d8c123n, 0xfff], 0x123],
  ['bit_shift', [1, 63], 1n << 63n],
  ['bit_shift', [0x1000, -12], 1],
  ['least', ['b', 'a'], 'a'],
  ['min', [[3, null, 1n]], 1n],
  ['max', [[]], null],
  ['min', [2, 1], 1],
  ['timestamp', [0], new Timestamp(0n)],
  ['timestamp', [1.25], new Timestamp(1_250_000_000n)],
  ['timestamp', ['1763992921'], new Timestamp(1_763_992_921_000_000_000n)],
  ['timestamp', ['2026-11-24'], at('2026-11-24T00:00:00Z')],
  ['duration', ['1d 2h 30 min'], 95_400_000_000_000n],
  ['duration', ['01:30:00'], 5_400_000_000_000n],
  ['duration', [1.5], 1_500_000_000n],
  ['seconds', [1_500_000_000n], 1.5],
  ['age', [at('2026-11-25T12:00:00Z'), at('2026-11-25T13:00:00Z')], 3_600_000_000_000n],
  [
    'strftime',
    ['%Y-%m-%dT%H:%M:%S.%f %j %a %A %b %B %p %I %y %u %w %s %z %%', at('2026-11-24T14:03:11.250Z')],
    '2026-11-24T14:03:11.250000 328 Tue Tuesday Nov November PM 02 26 2 2 1795528991 +0000 %',
  ],
  ['strftime', ['%-d.%-m.', at('2026-01-02T00:00:00Z')], '2.1.'],
  ['date_trunc', ['month', at('2026-11-24T14:03:11Z')], at('2026-11-01T00:00:00Z')],
  ['date_trunc', ['week', at('2026-11-25T14:03:11Z')], at('2026-11-23T00:00:00Z')],
  ['date_trunc', ['minute', at('2026-11-24T14:03:11Z')], at('2026-11-24T14:03:00Z')],
  ['count', [[1, null, 3]], 3],
  ['count', [null], 0],
  ['count', ['text'], 1],
  ['take', [2, [1, 2, 3]], [1, 2]],
  ['take', [-1, [1, 2, 3]], []],
  ['drop', [1, [1, 2, 3]], [2, 3]],
  ['first', [[]], null],
  ['last', [[1, 2]], 2],
  ['reverse', ['aé'], 'éa'],
  ['singleton', [[4, 4n, null]], 4],
  ['unique', [[1, 1n, 'a', true, 'a', null, null]], [1, 'a', null]],
  ['flatten', [[[1], 2, [3, 4]]], [1, 2, 3, 4]],
  ['range', [5, 0, -2], [5, 3, 1]],
  ['contains', [['ab'], 'a'], false],
  ['contains', ['ab', 'a'], true],
  ['sum', [[1, 2n ** 63n]], 9223372036854775809n],
  // The exact sum of these doubles, which adding them in a row misses.
  ['sum', [[1e16, 1.5, -1e16]], 1.5],
  ['sum', [[]], null],
  ['sum', [[{ pid: 1 }, { pid: 2 }]], 3],
  ['mean', [[1, 2, null]], 1.5],
  ['median', [[4, 1, 3, 2]], 2.5],
  ['median', [[9, 1, 5]], 5],
  ['map', [[1, 2], (x: unknown) => Number(x) * 2], [2, 4]],
  ['filter', [[1, 2, 3], (x: unknown) => Number(x) > 1], [2, 3]],
  ['sort', [['b', 'a', null, 3]], [null, 3, 'a', 'b']],
  ['any', [[], () => true], false],
  ['each', [[], () => false], true],
  ['coalesce', [null, new Absent('unreadable', 'x'), 0], 0],
  ['nullif', [1, 1n], null],
  ['nullif', [1, null], 1],
  ['iif', [null, 1], null],
  // RFC 1321 and FIPS 180-4.
  ['md5', [''], 'd41d8cd98f00b204e9800998ecf8427e'],
  ['sha1', [Buffer.from('abc')], 'a9993e364706816aba3e25717850c26c9cd0d89d'],
  ['entropy', [Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))], 8],
  ['entropy', [''], 0],
  [
    'bind',
    [
      ['a', 1],
      ['b', null],
    ],
    { a: 1, b: null },
  ],
  ['keys', [{ b: 1, a: 2 }], ['a', 'b']],
  ['cidr_match', ['172.16.5.4', '172.16.0.0/12'], true],
  ['cidr_match', ['172.32.5.4', '172.16.0.0/12'], false],
  ['cidr_match', ['::ffff:10.0.0.1', '10.0.0.0/8'], true],
  ['cidr_match', ['2001:db8::1', '2001:db8::/32'], true],
  ['cidr_match', ['2001:db9::1', '2001:db8::/32'], false],
  ['cidr_match', ['1.2.3.4', '0.0.0.0/0'], true],
  ['cidr_match', ['::1', '0.0.0.0/0'], false],
  ['cidr_match', ['no address', '0.0.0.0/0'], false],
  ['is_private', ['8.8.8.8'], false],
  ['is_private', ['fe80::1%eth0'], true],
  ['ip_version', ['1.2.3.256'], null],
  ['why', [new Absent('unreadable', 'page not present', 0x1000n)], 'unreadable at 0x1000: page not present'],
];

/** What no value can be made of: the cell is Absent while rows run, a ValueError when it is known beforehand. */
const IMPOSSIBLE: readonly (readonly [name: string, args: readonly unknown[], reason: RegExp])[] = [
  ['int', ['abc'], /'abc' is no number/],
  ['int', [NaN], /no whole number/],
  ['float', ['x'], /no number/],
  ['bytes', [[300]], /300 is no byte/],
  ['regex_search', ['(', 'x'], /no regular expression/],
  ['sub', ['a', '\\9', 'a'], /no group 9/],
  ['repeat', ['x', 1e9], /more than/],
  ['lpad', ['x', 1e9], /more than/],
  ['format', ['%d'], /no value/],
  ['format', ['%q', 1], /knows no %q/],
  ['format', ['%99999d', 1], /too wide/],
  ['power', [10, 1_000_000], /4096 bits/],
  ['bit_shift', [1, 1_000_000], /256 bits/],
  ['timestamp', ['soon'], /no date/],
  ['timestamp', ['2026-02-30'], /no date/],
  ['duration', ['long'], /no length of time/],
  ['strftime', ['%Q', new Timestamp(0n)], /knows no %Q/],
  ['date_trunc', ['eon', new Timestamp(0n)], /not 'eon'/],
  ['range', [0, 1e9], /more than/],
  ['range', [0, 1, 0], /does not end/],
  ['unhex', ['abc'], /even number/],
  ['cidr_match', ['1.2.3.4', '10.0.0.0/33'], /no network/],
  ['is_private', ['here'], /no IP address/],
  ['levenshtein', ['a'.repeat(5000), 'b'], /up to 4096/],
];

describe('functions', () => {
  for (const [name, args, value] of TABLE) {
    it(`${name}(${args.map((arg) => (typeof arg === 'function' ? '…' : typeof arg === 'object' && arg !== null ? typeName(typeOfValue(arg)) : String(arg))).join(', ')})`, () => {
      assert.deepEqual(call(name, args), value);
    });
  }

  for (const [name, args, reason] of IMPOSSIBLE) {
    it(`${name} of what cannot be`, () => {
      const value = call(name, args);
      assert.ok(value instanceof Absent);
      assert.match(value.reason, reason);
      assert.throws(
        () => call(name, args, utc, undefined, true),
        (error) => error instanceof ValueError && reason.test(error.message),
      );
    });
  }

  it('pass nulls and Absent by', () => {
    const gone = new Absent('unreadable', 'gone');
    for (const declared of library.functions) {
      if (declared.kind !== 'scalar' || declared.nulls === 'handled' || declared.parameters.length === 0) continue;
      const bound = bindFunction(
        declared,
        declared.parameters.map(() => types.any),
        utc,
      );
      assert.equal(bound(declared.parameters.map(() => null)), null, declared.name);
      assert.equal(bound(declared.parameters.map(() => gone)), gone, declared.name);
    }
  });

  it('never throw for the values of a row', () => {
    const odd: readonly unknown[] = [
      '',
      'a',
      '\u{1f600}',
      -1,
      1e308,
      NaN,
      1n << 70n,
      true,
      [],
      [null],
      [[1]],
      { a: 1 },
      new Timestamp(1n << 100n),
      Buffer.from('x'),
      new Absent('corrupt', 'x'),
      null,
    ];
    for (const declared of library.functions) {
      if (declared.kind !== 'scalar' || declared.parameters.some(({ form }) => form === 'each')) continue;
      const bound = bindFunction(
        declared,
        declared.parameters.map(() => types.any),
        utc,
      );
      for (const a of odd) for (const b of odd) bound(declared.parameters.map((_, index) => (index % 2 === 0 ? a : b)));
    }
  });

  it('read dates in the time zone of the session', () => {
    const berlin = { timezone: 'Europe/Berlin', now: NOW };
    assert.deepEqual(call('timestamp', ['2026-07-01 12:00'], berlin), at('2026-07-01T10:00:00Z'));
    assert.deepEqual(call('timestamp', ['2026-12-01 12:00'], berlin), at('2026-12-01T11:00:00Z'));
    assert.equal(call('date', [at('2026-11-24T23:30:00Z')], berlin), '2026-11-25');
    assert.deepEqual(call('date_trunc', ['day', at('2026-11-24T23:30:00Z')], berlin), at('2026-11-24T23:00:00Z'));
    assert.deepEqual(call('date_trunc', ['hour', at('2026-10-25T01:30:00Z')], berlin), at('2026-10-25T01:00:00Z'));
  });

  it('know their types', () => {
    const result = (name: string, ...args: Type[]): string => {
      const declared = library.scalar(name) ?? library.aggregate(name);
      assert.ok(declared);
      const checked = checkCall(declared, args);
      return 'result' in checked ? typeName(checked.result) : checked.message;
    };
    assert.equal(result('hex', types.address), 'string');
    assert.equal(result('hex', listOf(types.int)), 'list of string');
    assert.equal(result('first', listOf(types.time)), 'time');
    assert.equal(result('sum', listOf(types.size)), 'size');
    assert.equal(result('coalesce', types.null, types.int, types.float), 'float');
    assert.match(result('lower', types.int), /lower takes string as text, not int\. Note that .*str\(x\)/);
    assert.match(
      result('timestamp', types.bool, types.int),
      /does not take so many arguments \(2\): timestamp\(value: number or string or time\) → time/,
    );
    assert.match(result('strftime', types.string, types.bytes), /not bytes/);
  });

  it('are both aggregates and functions of values, by one rule', () => {
    const kind = (name: string, call: Partial<Parameters<typeof library.resolve>[1]>): string | undefined =>
      library.resolve(name, { types: [types.int], aggregating: true, ...call })?.kind;
    assert.equal(kind('count', {}), 'aggregate');
    assert.equal(kind('COUNT', { types: [], star: true }), 'aggregate');
    assert.equal(kind('count', { aggregating: false }), 'scalar');
    assert.equal(kind('count', { types: [listOf(types.any)] }), 'scalar');
    assert.equal(kind('count', { types: [listOf(types.any)], distinct: true }), 'aggregate');
    assert.equal(kind('min', { types: [types.int, types.int] }), 'scalar');
    assert.equal(kind('lower', { types: [types.string] }), 'scalar');
    assert.equal(kind('group_concat', { types: [types.string] }), 'aggregate');
    assert.equal(kind('nothing', {}), undefined);
    assert.match(library.suggest('sumstr'), /Did you mean substr/);
  });

  it('take arguments by name', () => {
    const substr = library.scalar('substr');
    assert.ok(substr);
    assert.deepEqual(placeArguments(substr, [undefined, 'end', 'start']), [0, 2, 1]);
    assert.deepEqual(placeArguments(substr, [undefined, 'stop']), {
      message: 'substr has no argument stop; it has text, start, end.',
      argument: 1,
    });
    assert.deepEqual(placeArguments(substr, [undefined, 'text']), {
      message: 'substr is given text twice.',
      argument: 1,
    });
  });

  it('are listed with signature, sentence and example', () => {
    const rows = library.rows();
    assert.ok(rows.length > 90);
    for (const row of rows) {
      assert.match(row.doc, /^.{10,}\.$/, row.name);
      assert.ok(row.example.toLowerCase().includes(row.name), row.name);
      assert.match(row.signature, /→/);
    }
    const substr = library.scalar('substr');
    assert.equal(substr && signature(substr), 'substr(text: string, start: int, [end: int]) → string');
  });
});
