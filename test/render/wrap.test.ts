import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/property.js';
import stringWidth from 'string-width';
import { loadWidths } from '../../src/render/width.js';
import { wrap, wrapLines } from '../../src/render/wrap.js';

test('lines are broken between words, and words only where they are longer than a line: a path before a step', () => {
  assert.deepEqual(wrap('a few words of no great length', 12), ['a few words', 'of no great', 'length']);
  assert.deepEqual(wrap('in \\Device\\HarddiskVolume2\\Windows\\System32 too', 20), ['in', '\\Device', '\\HarddiskVolume2', '\\Windows\\System32', 'too']);
  assert.deepEqual(wrap('key: 12  value: 13  name: x', 18), ['key: 12  value: 13', 'name: x'], 'blanks between words stay');
});

test('what is quoted stays in one piece where a line has room for it', () => {
  assert.deepEqual(wrap('say `select name from pslist()` or "cc lsass".', 30), ['say', '`select name from pslist()` or', '"cc lsass".']);
  assert.deepEqual(wrap('say `select name, pid from pslist() where pid = 4`', 20), ['say `select name,', 'pid from pslist()', 'where pid = 4`']);
});

test('a command goes with its arguments, a word with the address behind it', () => {
  assert.deepEqual(wrap('No driver of that name; object_tree type_regex=Driver all=yes lists them', 44), ['No driver of that name;', 'object_tree type_regex=Driver all=yes lists', 'them']);
  assert.deepEqual(wrap('Nothing is here: vtop 0xfffff8000261f000 tells why', 26), ['Nothing is here:', 'vtop 0xfffff8000261f000', 'tells why']);
});

test('blanks that are no spaces are kept', () => {
  assert.deepEqual(wrap('"\u00a0\u00a0 \u2003" and\u00a0more', 4), ['"\u00a0\u00a0', '\u2003"', 'and\u00a0', 'more']);
});

test('lines hang below their beginning; where there is no terminal they stay', () => {
  const text = 'Tried:\n  a step that takes more than the width of this terminal\nTry: what is to be copied as a whole, whatever its length';
  assert.deepEqual(wrapLines(text, 30, ['Try: ']).split('\n'), [
    'Tried:',
    '  a step that takes more than',
    '    the width of this terminal',
    'Try: what is to be copied as a whole, whatever its length',
  ]);
  assert.equal(wrapLines(text, undefined), text);
});

test('any text: nothing is lost but blanks at the ends of lines, and no line is wider', async () => {
  await loadWidths();
  const word = fc.oneof(fc.string({ maxLength: 30 }), fc.string({ maxLength: 10, unit: 'grapheme' }), fc.constantFrom('`a b c`', '"d e', '進程管理器', '\\x1b[2J', 'e\u0301e\u0301'));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), fc.integer({ min: 2, max: 60 }), fc.integer({ min: 0, max: 10 }), (words, room, more) => {
      const text = words.join(' ');
      const lines = wrap(text, room, room + more);
      assert.equal(lines.join('').replace(/ /g, ''), text.replace(/ /g, ''));
      for (const [index, line] of lines.entries()) assert.ok(stringWidth(line) <= room + (index === 0 ? more : 0), JSON.stringify([line, room, more]));
    }),
  );
});
