import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/property.js';
import { escapeText, jsonString } from '../../src/render/escape.js';

test('what steers a terminal or hides in a line is spelled out', () => {
  const cases: [string, string][] = [
    ['plain text ~', 'plain text ~'],
    ['größe 進程 🙂', 'größe 進程 🙂'],
    ['\x1b[31mred\x07', '\\x1b[31mred\\x07'],
    ['a\nb\r\tc\0', 'a\\nb\\r\\tc\\0'],
    ['\x9b2J\x7f', '\\x9b2J\\x7f'],
    ['\u202egnp.exe', '\\u202egnp.exe'],
    ['a\u200bb\ufeff\u2066', 'a\\u200bb\\ufeff\\u2066'],
    ['\ud800x', '\\ud800x'],
    ['line\u2028end', 'line\\u2028end'],
    ['tag\u{e0041}', 'tag\\u{e0041}'],
  ];
  for (const [raw, shown] of cases) assert.equal(escapeText(raw), shown);
});

test('escaped text of any kind holds no character that is unsafe', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.array(fc.integer({ min: 0, max: 0xffff })), (text, units) => {
      const shown = escapeText(text + String.fromCharCode(...units));
      assert.doesNotMatch(shown, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    }),
  );
});

test('JSON strings read back as they were, and are as safe', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.array(fc.integer({ min: 0, max: 0xffff })), (text, units) => {
      const whole = text + String.fromCharCode(...units);
      const json = jsonString(whole);
      assert.equal(JSON.parse(json), whole);
      assert.doesNotMatch(json, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    }),
  );
  assert.equal(jsonString('\u009b\u202e"\\'), '"\\u009b\\u202e\\"\\\\"');
});
