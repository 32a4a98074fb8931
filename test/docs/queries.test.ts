import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import type { Row } from '../../src/plugin/columns.js';
import { prepareInSession } from '../../src/query/session/statements.js';
import { BOOK, bookSession, printed, questions } from '../support/query-book.js';
import { committedSample } from '../support/sample.js';
import { sampleImage } from '../support/windows-sample.js';
import { forged } from './forged-answers.js';
import { answers } from './guest-answers.js';

const sample = committedSample();

describe('the query book', { skip: sample ? false : 'no sample image' }, () => {
  const session = bookSession(sample?.image);
  const windows = bookSession(sampleImage);
  after(() => {
    session.group?.close();
    windows.group?.close();
  });
  const all = questions();

  it('has thirty questions and more, numbered, each with an answer', () => {
    assert.ok(all.length >= 30);
    for (const [index, { number, output }] of all.entries()) {
      assert.equal(number, index + 1);
      assert.ok(
        output !== undefined && output !== '',
        `${number} has no output: node dist/test/support/write-query-book.js`,
      );
    }
    // No block escapes the expression that finds them.
    assert.equal(readFileSync(BOOK, 'utf8').split('```sql').length - 1, all.length);
  });

  for (const { number, system, title, query, output } of all) {
    it(`${number}. ${title}`, async () => {
      const asked = system === 'windows' ? windows : session;
      assert.equal(await printed(asked, query), output);
      forged[number]?.(await (await prepareInSession(asked, query)).rows());
      const answer = answers[number];
      if (!answer || !sample) return;
      const rows: readonly Row[] = await (await prepareInSession(session, query)).rows();
      answer(rows, sample);
    });
  }
});
