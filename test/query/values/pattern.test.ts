import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from '../../support/property.js';
import { Absent } from '../../../src/memory/absent.js';
import { ValueError } from '../../../src/query/values/error.js';
import { Pattern } from '../../../src/query/values/pattern.js';
import { patternCost } from '../../../src/query/values/pattern-cost.js';
import { bounded, withClock } from '../../support/effort.js';

/** Patterns and texts on which backtracking engines are known not to end (OWASP's list, RE2's tests, CVEs of Node packages). */
const BOMBS: readonly (readonly [pattern: string, text: string])[] = [
  ['^(a+)+$', `${'a'.repeat(5000)}!`],
  ['^(a|a)*$', `${'a'.repeat(5000)}!`],
  ['^(a|aa)+$', `${'a'.repeat(5000)}!`],
  ['^([a-zA-Z]+)*$', `${'a'.repeat(5000)}!`],
  ['(.*a){20}', 'a'.repeat(19).padEnd(5000, 'b')],
  ['(x+x+)+y', 'x'.repeat(5000)],
  ['(.*)*(.*)*(.*)*!', 'a'.repeat(2000)],
  [`${'a?'.repeat(40)}${'a'.repeat(40)}`, 'a'.repeat(39)],
  ['(a|b|ab)*c', 'ab'.repeat(3000)],
  ['.*.*.*=.*', 'a'.repeat(4000)],
  ['\\s+$', `${' '.repeat(60_000)}x`],
  ['(\\w+\\s?)*[.]', 'word '.repeat(2000)],
  ['^(([a-z])+.)+[A-Z]([a-z])+$', '1'.repeat(5000)],
  ['(a{0,30}){0,30}b', 'a'.repeat(3000)],
  ['((a|a)(a|a)){1,20}$', `${'a'.repeat(45)}!`],
];

describe('patterns', () => {
  for (const [source, text] of BOMBS) {
    it(`${source.slice(0, 30)} ends on a text of ${text.length}`, () => {
      bounded(10_000, () => {
        const pattern = new Pattern(source);
        for (const one of ['', 'a', text]) pattern.test(one);
      });
    });
  }

  it('refuses what only backtracking can do where that might not end', () => {
    assert.throws(() => new Pattern('(a+)+\\1'), /may take forever.*back-reference/);
    assert.throws(() => new Pattern('(?=(a+)+b)c'), /look-around/);
    assert.equal(new Pattern('(a)\\1').test('xaa'), true);
    assert.equal(new Pattern('^(?!lo$)').test('eth0'), true);
    assert.throws(
      () => new Pattern('(.*)x\\1').test('x'.repeat(10_000)),
      (error) =>
        error instanceof Absent && /back-reference and might not end on a text of 10000 characters/.test(error.reason),
    );
  });

  it('refuses what is no pattern, or too large', () => {
    for (const source of [
      '(',
      '[',
      '*',
      'a{2,1}',
      '(?<n>a)(?<n>b)',
      '(?x)a b',
      'a'.repeat(30_000),
      '('.repeat(500) + ')'.repeat(500),
    ]) {
      assert.throws(() => new Pattern(source), ValueError, source.slice(0, 20));
    }
    // V8 finds only when it is used that this has a million states.
    const large = (): boolean => new Pattern('((a{1,1000}){1,1000}){1,1000}').test('aaa');
    try {
      assert.equal(large(), true);
    } catch (error) {
      assert.ok(error instanceof ValueError || error instanceof Absent);
    }
  });

  it('estimates', () => {
    const degree = (source: string): number => patternCost(source).degree;
    assert.equal(degree('abc'), 1);
    assert.equal(degree('^abc'), 0);
    assert.equal(degree('^a|b'), 1);
    assert.equal(degree('a.*b'), 2);
    assert.equal(degree('a.*b[)*]*c'), 3);
    assert.equal(degree('(ab)*'), 2);
    assert.equal(degree('(a*)*'), Infinity);
    assert.equal(degree('(cat|dog)+'), 2);
    assert.equal(degree('(cat|car)+'), Infinity);
    assert.equal(patternCost('a{2}b{2,4}').factor, 3);
  });

  it('reads what Python writes', () => {
    assert.equal(new Pattern('(?i)WINDOWS').test('windows'), true);
    assert.equal(new Pattern('(?s)a.b').test('a\nb'), true);
    assert.equal(new Pattern('(?m)^b$').test('a\nb'), true);
    assert.equal(new Pattern('\\Ab').test('ab'), false);
    assert.equal(new Pattern('a\\Z').test('ab'), false);
    assert.equal(new Pattern('\\\\Ab').test('\\Ab'), true);
    assert.deepEqual({ ...new Pattern('(?P<n>\\d)').exec('a1')?.named }, { n: '1' });
  });

  it('does not look for all matches forever, where each needs a look at all that is left', () => {
    const text = 'a'.repeat(50_000);
    // On a clock by which each match takes a second.
    withClock(1000, () => assert.throws(() => [...new Pattern('a*?b|a').matches(text)], Absent));
    withClock(0, () => assert.equal([...new Pattern('a+?').matches(text)].length, text.length));
  });

  it('finds the same with both engines', () => {
    // Pieces on whose meaning V8 and re2 agree.
    const piece = fc.constantFrom(
      'a',
      'b',
      '.',
      'a*',
      'b+',
      '[ab]',
      '(a|b)',
      '(ab)?',
      '^',
      '$',
      'a{1,2}',
      '\\w',
      '\\d',
      '(a)(b)',
      'b*?',
      '\\.',
      '(?:ba)+',
      '[^a]',
    );
    const source = fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(''));
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'A', '1', '.', ' '), maxLength: 12 });
    fc.assert(
      fc.property(source, text, (written, short) => {
        const quick = new Pattern(written);
        // The same, made ambiguous, so that the linear engine has it.
        const linear = new Pattern(`(?:${written})(?:(?:z|z|zz)*)*`);
        assert.ok(linear.isLinear(2));
        const expected = quick.exec(short);
        const found = short.length < 2 ? expected : linear.exec(short);
        assert.deepEqual(found && { ...found, named: {} }, expected && { ...expected, named: {} });
        if (short.length >= 2) assert.equal(linear.test(short), quick.test(short));
      }),
      { numRuns: 3_000 },
    );
  });
});
