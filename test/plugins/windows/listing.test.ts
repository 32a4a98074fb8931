import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { dis } from '../../../plugins/general/dis.js';
import { root } from '../../support/root.js';
import { rowsOf } from '../../support/sample.js';
import { replicaSession, replicaSkip } from '../../support/windows.js';

const seeds = join(root, '..', 'shared', 'seeds');
const skip = replicaSkip || (existsSync(seeds) ? false : 'no seed documents');

/** The listing of PsSetLoadImageNotifyRoutine that Rekall printed of a real machine. */
function printed(): { address: bigint; rel: string; opcode: string; instruction: string; comment: string }[] {
  const text = readdirSync(seeds)
    .map((name) => readFileSync(join(seeds, name), 'utf8'))
    .find((one) => one.includes('Op Codes'));
  const lines = (text ?? '').split('\n').flatMap((line) => {
    const found = /^0x([0-9a-f]+) +([0-9A-F]+) ([0-9a-f]+) +(\S.*?)(?: {2,}(\S.*)|\s+(0x[0-9A-Fa-f]+ ntoskrnl\S* ?.*))?$/.exec(line);
    if (!found) return [];
    const [, address = '', rel = '', opcode = '', instruction = '', comment = '', short = ''] = found;
    return [{ address: BigInt(`0x${address}`), rel, opcode, instruction, comment: (comment === '' ? short : comment).replaceAll('ntoskrnl.exe!', 'nt!') }];
  });
  return lines.filter(({ address }) => address >= 0xf80002aa1050n && address <= 0xf80002aa10c3n);
}

test('the listing of the seed document, line by line', { skip }, async () => {
  const truth = printed();
  assert.equal(truth.length, 33);
  const session = await replicaSession();
  const resolver = await session.resolver(null);
  const { rows } = await rowsOf(session, dis, { offset: await resolver.address('ntoskrnl.exe!PsSetLoadImageNotifyRoutine'), length: 0x74 });
  assert.equal(rows.length, truth.length);
  for (const [index, line] of truth.entries()) {
    const row = rows[index] ?? {};
    // The original printed addresses without their upper 16 bits.
    assert.equal((row['address'] as bigint) & 0xffffffffffffn, line.address);
    assert.equal((row['rel'] as number).toString(16).toUpperCase(), line.rel);
    assert.equal(row['opcode'], line.opcode);
    // … and a 32-bit immediate with the sign of 64 bits.
    const instruction = line.instruction.replace('0xffffffffc000009a', '0xc000009a').replace(/0xf8000/g, '0xfffff8000');
    assert.equal(row['instruction'], instruction);
    const comment = String(row['comment'] ?? '').toLowerCase();
    if (comment === line.comment.toLowerCase()) continue;
    // Functions with the same code share a place: the other of its names was printed.
    const target = BigInt(/0x[0-9a-f]+$/.exec(instruction)?.[0] ?? 0);
    const names = resolver.names(target).map((name) => name.toLowerCase());
    assert.ok(names.includes(comment) && names.includes(line.comment.toLowerCase()), `${instruction}: ${comment}, ${line.comment}`);
  }
  session.close();
});
