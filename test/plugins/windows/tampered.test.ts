import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DetectionError } from '../../../src/kernel/error.js';
import type { WindowsKernel } from '../../../src/kernel/windows/kernel.js';
import { effort } from '../../support/effort.js';
import { emptied, everyLine, judge, Watchdog } from '../../support/every-command.js';
import { temporary } from '../../support/folder.js';
import { TamperedSample } from '../../support/tampered-sample.js';
import { sampleSession, sampleTruth } from '../../support/windows-sample.js';

/**
 * Every command on damaged memory. More of it: REKALL_TAMPER_SEEDS=1000-1999 (and REKALL_TAMPER_COMMANDS=vad,handles for a few).
 */
const [first = 1, last = 8] = (process.env['REKALL_TAMPER_SEEDS'] ?? '').split('-').filter((part) => part !== '').map(Number);
const only = process.env['REKALL_TAMPER_COMMANDS']?.split(',');
/** Milliseconds of the processor for one command on 8 MiB of memory. */
const SLOWEST = 15_000;

const sample = await TamperedSample.open();
const outside = temporary();
const watchdog = new Watchdog(60, outside);
const folder = mkdtempSync(join(outside, 'dump-'));
after(async () => {
  sample.close();
  await watchdog.end();
});

/** A long run tells at once. */
function add(faults: string[], fault: string): void {
  faults.push(fault);
  if (process.env['REKALL_TAMPER_SEEDS'] !== undefined) process.stderr.write(`${fault}\n`);
}

const seeds = Array.from({ length: last - first + 1 }, (_, index) => first + index);

test('every command comes to its end on damaged memory, with rows, notes or an error of ours', async () => {
  const whole = sampleSession();
  const kernel = (await whole.kernel()) as WindowsKernel;
  const explorer = sampleTruth().processes.find(({ pid }) => pid === 1652);
  const places = { code: kernel.profile.address('NtOpenProcess'), process: BigInt(explorer?.eprocess ?? 0), base: kernel.location.base };
  whole.close();
  const faults: string[] = [];
  for (const seed of seeds) {
    const session = sample.session(seed, folder);
    for (const line of everyLine(session, places)) {
      if (only && !only.includes(line.name)) continue;
      watchdog.says(`seed ${seed}, ${line.name}`);
      const { fault } = await judge(session, line, SLOWEST);
      if (fault !== undefined) add(faults, `seed ${seed}, ${line.name}: ${fault}`);
    }
    emptied(folder);
    session.close();
  }
  assert.deepEqual(faults, []);
  assert.equal(emptied(outside).length, 1, 'nothing is written outside of the folder');
});

test('the kernel of damaged memory is found, or it is said what to try next', async () => {
  const faults: string[] = [];
  for (const seed of seeds) {
    watchdog.says(`seed ${seed}, detection`);
    const session = sample.searching(seed);
    const spent = effort();
    try {
      await session.kernel();
    } catch (error) {
      if (!(error instanceof DetectionError)) add(faults, `seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`);
      else if (!error.next) add(faults, `seed ${seed}: ${error.message} names no next command`);
    }
    if (spent() > SLOWEST) add(faults, `seed ${seed}: took ${Math.round(spent())} ms`);
    session.close();
  }
  assert.deepEqual(faults, []);
});
