import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { library } from '../../src/query/functions/index.js';
import { VALUES, withDeclarations } from '../support/values-book.js';

test('docs/values.md lists the functions and names that there are', () => {
  const text = readFileSync(VALUES, 'utf8');
  assert.equal(text, withDeclarations(text), 'node dist/test/support/write-query-book.js writes it');
  for (const { name } of library.rows()) assert.ok(text.includes(`| \`${name}(`), name);
  assert.ok(text.includes('| `task_struct` | `create_time` |'));
});
