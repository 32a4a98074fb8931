/**
 * `node dist/test/support/write-query-book.js`: writes into docs/queries.md what each query prints on the sample image, and into docs/values.md the
 * declared functions and names of objects. Tests compare both.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { BOOK, bookSession, printed, questions, withOutputs } from './query-book.js';
import { VALUES, withDeclarations } from './values-book.js';
import { committedSample } from './sample.js';
import { sampleImage } from './windows-sample.js';

const sample = committedSample();
if (!sample) throw new Error('the sample image is not there');
const session = bookSession(sample.image);
const outputs = new Map<number, string>();
const windows = bookSession(sampleImage);
for (const { number, system, query } of questions()) outputs.set(number, await printed(system === 'windows' ? windows : session, query));
writeFileSync(BOOK, withOutputs(readFileSync(BOOK, 'utf8'), outputs));
writeFileSync(VALUES, withDeclarations(readFileSync(VALUES, 'utf8')));
process.stderr.write(`${outputs.size} queries in docs/queries.md\n`);
session.group?.close();
windows.group?.close();
