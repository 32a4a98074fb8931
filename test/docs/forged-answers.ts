import assert from 'node:assert/strict';
import type { Row } from '../../src/plugin/columns.js';
import { sampleTruth } from '../support/windows-sample.js';

const truth = sampleTruth();
const pids = (rows: readonly Row[]): unknown[] => rows.map((row) => row['pid']);
const named = (name: string): number => truth.processes.find((process) => process.name === name)?.pid ?? assert.fail(name);

/** What the forge of the Windows sample put there, by the number of the question in the query book. */
export const forged: Readonly<Record<number, (rows: readonly Row[]) => void>> = {
  34: (rows) => assert.deepEqual(pids(rows), truth.processes.filter(({ unlinked }) => unlinked).map(({ pid }) => pid)),
  35: (rows) => {
    const regions = truth.processes.flatMap(({ pid, command_line: line, vads }) =>
      vads.filter((vad) => vad.private && vad.protection === 'EXECUTE_READWRITE').map((vad) => [pid, BigInt(vad.start), line]),
    );
    assert.deepEqual(rows.map((row) => [row['pid'], row['start'], row['command_line']]), regions);
  },
  36: (rows) => {
    const lsass = truth.processes.find(({ name }) => name === 'lsass.exe');
    const usual = [...truth.processes.filter(({ name }) => name === 'csrss.exe').map(({ pid }) => pid), named('wininit.exe')];
    const owners = truth.handles.filter(({ type, object, pid }) => type === 'Process' && object === lsass?.eprocess && !usual.includes(pid)).map(({ pid }) => pid);
    assert.deepEqual(pids(rows), owners);
  },
  37: (rows) => {
    const foreign = truth.drivers.flatMap(({ name, module, major }) => major.filter((one) => one.module !== null && one.module !== module && one.module !== 'ntoskrnl.exe').map(({ address }) => [name, BigInt(address)]));
    assert.deepEqual(rows.map((row) => [row['driver_name'], row['func_addres']]), foreign);
  },
  38: (rows) => {
    const outside = [...truth.callbacks.filter(({ module }) => module === null).map(({ address }) => address), ...truth.timers.filter(({ module }) => module === null).map(({ routine }) => BigInt(routine))];
    assert.deepEqual(rows.map((row) => row['routine']), outside.map(BigInt));
  },
  // SE_DEBUG_PRIVILEGE is 20 (wdm.h).
  39: (rows) => {
    for (const pid of pids(rows)) assert.ok(truth.processes.find((process) => process.pid === pid)?.privileges.enabled.includes(20));
    assert.deepEqual(pids(rows), [named('agent.exe')]);
  },
  40: (rows) => assert.deepEqual(rows.map((row) => row['dll_path']), truth.processes.flatMap(({ dlls }) => dlls.map(({ path }) => path).filter((path) => path.includes('ProgramData')))),
  41: (rows) => assert.deepEqual(rows.map((row) => [row['number'], row['target']]), truth.services.filter(({ hooked }) => hooked).map(({ index, address }) => [`0x${index.toString(16)}`, BigInt(address)])),
};
