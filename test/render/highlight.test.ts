import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { highlighted } from '../../src/render/highlight.js';

const code = "const answer: number = 42; // select 'x'\nreturn `a${answer}`;";

test('code has colours where they are wanted, and is otherwise as it was', async () => {
  for (const style of ['terminal', 'monokai']) {
    const text = await highlighted(code, 'typescript', true, style);
    assert.notEqual(text, code);
    assert.equal(stripVTControlCharacters(text), code);
  }
  assert.notEqual(await highlighted(code, 'typescript', true, 'monokai'), await highlighted(code, 'typescript', true));
  assert.equal(await highlighted(code, 'typescript', false), code);
  assert.equal(await highlighted(code, 'typescript', true, 'none'), code);
});

test('a large text stays plain: the highlighter is slower than the text is long', async () => {
  const large = `${code}\n`.repeat(1000);
  assert.equal(await highlighted(large, 'typescript', true), large);
});

test('queries and JSON', async () => {
  for (const [text, language] of [['select a from pslist() where a > 4', 'sql'], ['{"a": [1, null, "x"]}', 'json']] as const) {
    const shown = await highlighted(text, language, true);
    assert.notEqual(shown, text);
    assert.equal(stripVTControlCharacters(shown), text);
  }
});
