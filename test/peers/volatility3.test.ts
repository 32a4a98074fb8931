import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lsmod } from '../../plugins/linux/lsmod.js';
import { lsof } from '../../plugins/linux/lsof.js';
import { maps } from '../../plugins/linux/maps.js';
import { netstat } from '../../plugins/linux/netstat.js';
import { pslist } from '../../plugins/linux/pslist.js';
import type { Struct } from '../../src/object/struct.js';
import { labSamples, rowsOf, type Sample } from '../support/sample.js';

/**
 * The same images seen by Volatility 3 (fixtures/lab/vol3.sh keeps its output beside the guest's truth). It reads types and
 * symbols from files made of the debug package, so nothing but the image is common to the two.
 */
const found = labSamples(['tiny', 'big']).filter((sample) => sample.hasTruth('vol3/run2/linux.pslist.PsList.txt'));
const skip = found.length > 0 ? false : 'no output of Volatility 3 beside the lab images (fixtures/lab/vol3.sh)';

/** Rows of Volatility's pretty renderer: cells between bars. */
function tableOf(sample: Sample, plugin: string): Record<string, string>[] {
  const lines = sample.truth(`vol3/run2/${plugin}.txt`).split('\n').filter((line) => line.includes(' | '));
  const cells = (line: string): string[] => line.split(' | ').slice(1).map((cell) => cell.trim());
  const names = cells(lines[0] ?? '');
  return lines.slice(1).map((line) => Object.fromEntries(cells(line).map((cell, index) => [names[index] ?? '', cell])));
}

/** Volatility prints 48 bits of an address. */
function low48(address: bigint): string {
  return `0x${(address & 0xffffffffffffn).toString(16)}`;
}

test('the same answers as Volatility 3', { skip }, async (context) => {
  for (const sample of found) {
    const session = sample.session();
    await context.test(`${sample.name}: pslist`, async () => {
      const { rows } = await rowsOf(session, pslist);
      const ours = rows.map((row) => [low48((row['proc'] as Struct).$address), String(row['pid']), String(row['ppid']), row['name']]);
      const theirs = tableOf(sample, 'linux.pslist.PsList').map((row) => [row['OFFSET (V)'], row['PID'], row['PPID'], row['COMM']]);
      assert.deepEqual(ours, theirs);
    });
    await context.test(`${sample.name}: maps`, async () => {
      const { rows } = await rowsOf(session, maps);
      const ours = rows.map((row) => `${String(row['pid'])} ${(row['start'] as bigint).toString(16)}-${(row['end'] as bigint).toString(16)} ${String(row['flags']).slice(0, 3)} ${String(row['inode'])}`);
      const theirs = tableOf(sample, 'linux.proc.Maps').map((row) => `${row['PID']} ${row['Start']?.slice(2)}-${row['End']?.slice(2)} ${row['Flags']} ${row['Inode']}`);
      assert.ok(theirs.length > 200);
      assert.deepEqual(ours, theirs);
    });
    await context.test(`${sample.name}: lsof`, async () => {
      const { rows } = await rowsOf(session, lsof);
      const key = (pid: unknown, fd: unknown, inode: unknown): string => `${String(pid)} ${String(fd)} ${String(inode)}`;
      const ours = new Set(rows.filter((row) => /^\d+$/.test(String(row['fd']))).map((row) => key(row['pid'], row['fd'], row['node'])));
      const theirs = tableOf(sample, 'linux.lsof.Lsof').filter((row) => row['PID'] === row['TID']).map((row) => key(row['PID'], row['FD'], row['Inode']));
      assert.ok(theirs.length > 100);
      assert.deepEqual(theirs.filter((one) => !ours.has(one)), [], 'what only Volatility has');
      assert.equal(ours.size, new Set(theirs).size);
    });
    await context.test(`${sample.name}: lsmod`, async () => {
      const { rows } = await rowsOf(session, lsmod);
      assert.deepEqual(rows.map((row) => row['name']).sort(), tableOf(sample, 'linux.lsmod.Lsmod').map((row) => row['Module Name'] ?? row['Name']).sort());
    });
    await context.test(`${sample.name}: TCP and UDP sockets of processes`, async () => {
      const { rows } = await rowsOf(session, netstat);
      const ours = new Set(rows.map((row) => `${String(row['saddr'])}:${String(row['sport'])} ${String(row['daddr'])}:${String(row['dport'])} ${String(row['pid'])}`));
      const theirs = tableOf(sample, 'linux.sockstat.Sockstat').filter((row) => row['Proto'] === 'TCP' || row['Proto'] === 'UDP');
      assert.ok(theirs.length > 5);
      for (const row of theirs) {
        const wanted = `${row['Source Addr']}:${row['Source Port']} ${row['Destination Addr']}:${row['Destination Port']} ${row['PID']}`;
        assert.ok(ours.has(wanted), wanted);
      }
    });
    session.close();
  }
});
