import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { why } from '../../../plugins/general/why.js';
import { Session } from '../../../src/session/session.js';
import { rowsOf, type Sample, samples, skipWithout } from '../../support/sample.js';

const found = samples(['tiny']);
test('why explains the first open, and still does at the second', { skip: skipWithout(found) }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rekall-why-'));
  try {
    const image = (found[0] as Sample).image;
    const stages = async (): Promise<string[]> => {
      const session = new Session({ filename: image, cache_dir: folder });
      const { rows } = await rowsOf(session, why);
      session.close();
      return rows.map((row) => String(row['stage']));
    };
    const first = await stages();
    for (const stage of ['format', 'kernel', 'symbols', 'page tables', 'types']) assert.ok(first.includes(stage), stage);
    const second = await stages();
    assert.ok(second.includes('cache'));
    assert.ok(second.includes('symbols (first open)') && second.includes('page tables (first open)'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('why says whether a command works here', { skip: skipWithout(found) }, async () => {
  const session = new Session({ filename: (found[0] as Sample).image, cache: 'memory' });
  const { rows } = await rowsOf(session, why, { command: 'pslist' });
  assert.equal(rows[0]?.['outcome'], 'verified');
  await assert.rejects(rowsOf(session, why, { command: 'pslits' }), /no command pslits/);
  session.close();
});
