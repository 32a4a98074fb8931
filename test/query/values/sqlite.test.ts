import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from '../../support/property.js';
import initSqlJs, { type Database } from 'sql.js';
import { library } from '../../../src/query/functions/index.js';
import { type Type, types } from '../../../src/query/types.js';
import { valueContext } from '../../../src/query/values/context.js';
import { like } from '../../../src/query/values/like.js';
import { compileOperator } from '../../../src/query/values/operators.js';
import { compareValues } from '../../../src/query/values/order.js';
import { and, not, or } from '../../../src/query/values/truth.js';

const context = valueContext('UTC');

/** What SQLite says, computed by sql.js: the truth for everything that EFilter has in common with SQL. */
describe('values as SQLite has them', () => {
  let db: Database;
  before(async () => {
    db = new (await initSqlJs()).Database();
  });
  after(() => db.close());

  /** A value of SQLite's as ours: its truth values are 0 and 1, its integers have 64 bits. */
  function ask(sql: string, parameters: readonly (string | number | null)[]): unknown {
    const statement = db.prepare(sql);
    try {
      statement.bind([...parameters]);
      statement.step();
      return statement.get()[0];
    } finally {
      statement.free();
    }
  }

  const truthOf = (value: unknown): unknown => (value === true ? 1 : value === false ? 0 : value);
  const small = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  const number = fc.oneof(
    small,
    fc.constantFrom(0, 1, -1),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }),
  );
  const text = fc.string({
    unit: fc.constantFrom(
      'a',
      'B',
      'b',
      'A',
      '%',
      '_',
      '\\',
      'é',
      'É',
      '\u{1f600}',
      '\ue000',
      ' ',
      '1',
      '.',
      '$',
      '\u0131',
      '\u212a',
      'K',
      'i',
    ),
    maxLength: 8,
  });
  const nullable = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
    fc.option(arbitrary, { nil: null, freq: 5 });

  it('like, with and without an escape', () => {
    fc.assert(
      fc.property(text, text, (value, pattern) => {
        assert.equal(truthOf(like(value, pattern)), ask('select ? like ?', [value, pattern]));
        for (const simple of [`%${value}%`, `${value}%`, `%${value}`, value.slice(1)]) {
          assert.equal(truthOf(like(value, simple)), ask('select ? like ?', [value, simple]));
        }
        assert.equal(truthOf(like(value, pattern, '\\')), ask("select ? like ? escape '\\'", [value, pattern]));
        assert.equal(truthOf(like(value, pattern, 'a')), ask("select ? like ? escape 'a'", [value, pattern]));
      }),
      { numRuns: 5_000 },
    );
  });

  it('three-valued logic', () => {
    const values = [null, true, false, 0, 1, 2, -1, 0.5] as const;
    for (const a of values) {
      assert.equal(truthOf(not(a)), ask('select not ?', [truthOf(a) as number | null]));
      for (const b of values) {
        const given = [truthOf(a), truthOf(b)] as (number | null)[];
        assert.equal(truthOf(and(a, b)), ask('select ? and ?', given), `${a} and ${b}`);
        assert.equal(truthOf(or(a, b)), ask('select ? or ?', given), `${a} or ${b}`);
      }
    }
  });

  it('comparisons of like values, null with everything', () => {
    const operators = ['==', '!=', '<', '<=', '>', '>='] as const;
    const pair = fc.oneof(fc.tuple(nullable(number), nullable(number)), fc.tuple(nullable(text), nullable(text)));
    fc.assert(
      fc.property(pair, fc.constantFrom(...operators), ([a, b], operator) => {
        const type: Type = typeof (a ?? b) === 'string' ? types.string : types.float;
        assert.equal(
          truthOf(compileOperator(operator, type, type, context).compute(a, b)),
          ask(`select ? ${operator} ?`, [a, b]),
        );
      }),
      { numRuns: 5_000 },
    );
  });

  it('arithmetic of whole numbers and of floats', () => {
    const operators = ['+', '-', '*', '/', '%'] as const;
    fc.assert(
      fc.property(nullable(small), nullable(small), fc.constantFrom(...operators), (a, b, operator) => {
        const ours = compileOperator(operator, types.int, types.int, context).compute(a, b);
        // As text: sql.js gives numbers, which beyond 2^53 are not exact.
        assert.equal(
          ours === null ? null : String(ours),
          ask(`select cast(cast(? as integer) ${operator} cast(? as integer) as text)`, [a, b]),
        );
      }),
      { numRuns: 5_000 },
    );
    const float = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 });
    fc.assert(
      fc.property(float, float, fc.constantFrom('+', '-', '*', '/'), (a, b, operator: '+' | '-' | '*' | '/') => {
        const theirs = ask(`select cast(? as real) ${operator} cast(? as real)`, [a, b]) as number | null;
        const ours = compileOperator(operator, types.float, types.float, context).compute(a, b) as number | null;
        // SQLite keeps no -0; what it overflows to is null.
        assert.equal(
          ours === null || !Number.isFinite(ours) ? null : ours + 0,
          theirs === null || !Number.isFinite(theirs) ? null : theirs + 0,
        );
      }),
      { numRuns: 5_000 },
    );
  });

  it('order: nulls, numbers, text by code point', () => {
    const value = nullable(fc.oneof(number, text));
    fc.assert(
      fc.property(
        fc.uniqueArray(value, { maxLength: 12, selector: (one) => (Object.is(one, -0) ? 0 : one) }),
        (values) => {
          db.run('create temp table if not exists ordering (x)');
          db.run('delete from ordering');
          for (const one of values) db.run('insert into ordering values (?)', [one]);
          const theirs = (db.exec('select x from ordering order by x')[0]?.values ?? []).map(([one]) => one);
          assert.deepEqual(
            [...values].sort(compareValues).map((one) => (Object.is(one, -0) ? 0 : one)),
            theirs,
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('in a list, with nulls in it', () => {
    const tiny = nullable(fc.integer({ min: 0, max: 3 }));
    fc.assert(
      fc.property(tiny, fc.array(tiny, { minLength: 1, maxLength: 4 }), (a, list) => {
        const compute = compileOperator('in', types.int, { kind: 'list', of: types.int }, context, {
          exact: true,
        }).compute;
        assert.equal(truthOf(compute(a, list)), ask(`select ? in (${list.map(() => '?').join(', ')})`, [a, ...list]));
      }),
      { numRuns: 2_000 },
    );
  });

  it('aggregates', () => {
    const aggregates = ['count', 'sum', 'avg', 'min', 'max', 'group_concat'] as const;
    fc.assert(
      fc.property(fc.array(nullable(small), { maxLength: 10 }), fc.constantFrom(...aggregates), (values, name) => {
        const declared = library.aggregate(name);
        assert.ok(declared);
        const state = declared.create({ ...context, types: [types.int] });
        for (const value of values) if (value !== null) state.add([value]);
        const rows =
          values.map((value) => `select ${value ?? 'null'} as x`).join(' union all ') || 'select 1 as x where 0';
        assert.equal(state.result(), ask(`select ${name}(x) from (${rows})`, []));
      }),
      { numRuns: 1_000 },
    );
  });

  it('functions that both have', () => {
    const calls: readonly (readonly [sql: string, name: string, args: readonly (string | number | null)[]])[] = [
      ['lower(?)', 'lower', ['ABC']],
      ['upper(?)', 'upper', ['abc']],
      ['length(?)', 'length', ['a\u{1f600}']],
      ['trim(?)', 'trim', ['  a ']],
      ['trim(?, ?)', 'trim', ['xyaxy', 'yx']],
      ['replace(?, ?, ?)', 'replace', ['aXbX', 'X', '--']],
      ['abs(?)', 'abs', [-5]],
      ['sign(?)', 'sign', [-0.5]],
      ['round(?)', 'round', [2.5]],
      ['round(?, ?)', 'round', [-2.675, 1]],
      ['min(?, ?, ?)', 'min', [3, 1, 2]],
      ['max(?, ?)', 'max', ['a', 'b']],
      ['coalesce(?, ?)', 'coalesce', [null, 7]],
      ['ifnull(?, ?)', 'ifnull', [null, 7]],
      ['nullif(?, ?)', 'nullif', [1, 1]],
      ['iif(?, ?, ?)', 'iif', [0, 'a', 'b']],
      ['concat(?, ?, ?)', 'concat', ['a', null, 1]],
      ['printf(?, ?, ?)', 'format', ['%05d %x', 42, 255]],
      ['printf(?, ?)', 'format', ['%-6s|', 'ab']],
    ];
    for (const [sql, name, args] of calls) {
      const declared = library.scalar(name);
      assert.ok(declared, name);
      const call = { ...context, types: args.map(() => types.any) };
      assert.equal(declared.call(args, call), ask(`select ${sql}`, args), sql);
    }
  });
});
