import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandLine, environment } from '../../../src/kernel/linux/arguments.js';
import type { TaskStruct } from '../../../src/kernel/linux/types.js';
import { Absent } from '../../../src/memory/absent.js';
import { fakeKernel, FakeMemory, layout, pointerTo, u64 } from '../../support/fake-kernel.js';

const structs = {
  task_struct: layout(16, { mm: [0, pointerTo('mm_struct')] }),
  mm_struct: layout(64, { arg_start: [0, u64], arg_end: [8, u64], env_start: [16, u64], env_end: [24, u64] }),
};

/** A process with these bytes for arguments and environment, the latter directly behind the former; texts at `at` in a buffer of four pages. */
function process(args: string, env: string, at = 0x1000, mm?: { argEnd?: bigint; envEnd?: bigint }): { kernel: ReturnType<typeof fakeKernel>; task: TaskStruct } {
  const memory = new FakeMemory(undefined, 4);
  const start = memory.base + BigInt(at);
  memory.buffer.write(args + env, at, 'latin1');
  memory.u64(memory.base, memory.base + 64n);
  const middle = start + BigInt(args.length);
  [start, mm?.argEnd ?? middle, middle, mm?.envEnd ?? middle + BigInt(env.length)].forEach((value, index) => memory.u64(memory.base + 64n + BigInt(index * 8), value));
  const kernel = fakeKernel(memory, structs);
  return { kernel, task: kernel.at<TaskStruct>('task_struct', memory.base) };
}

test('arguments end with NUL each, and empty ones count', () => {
  const { kernel, task } = process('sh\0-c\0\0x y\0', 'A=1\0B=\0C\0');
  assert.deepEqual(commandLine(kernel, task), { texts: ['sh', '-c', '', 'x y'], complete: true });
  assert.deepEqual(environment(kernel, task)?.variables, [
    { variable: 'A', value: '1' },
    { variable: 'B', value: '' },
    { variable: 'C', value: null },
  ]);
});

test('a title that a program wrote over its arguments goes on into the environment', () => {
  const { kernel, task } = process('sshd: ann [pri', 'v]\0\0\0SHELL=/bin/sh\0');
  assert.deepEqual(commandLine(kernel, task), { texts: ['sshd: ann [priv]'], complete: true });
  assert.deepEqual(
    environment(kernel, task)?.variables.map(({ variable }) => variable),
    ['v]', 'SHELL'],
  );
});

test('what is not in the image ends the texts, and is told', () => {
  // The buffer ends after four pages; the texts go on.
  const { kernel, task } = process('one\0two\0three', '', 0x4000 - 13, { argEnd: 0xffff888000001000n + 0x4800n });
  assert.deepEqual(commandLine(kernel, task), { texts: ['one', 'two', 'three'], complete: false });
});

test('texts that cannot be are corrupt, or not there', () => {
  for (const [argEnd, kind] of [
    [0n, 'corrupt'],
    [0x7fffffffffffffffn, 'corrupt'],
    [0xffff888000001000n + 0x1000n + (1n << 30n), 'corrupt'],
  ] as const) {
    const { kernel, task } = process('x\0', '', 0x1000, { argEnd });
    assert.throws(() => commandLine(kernel, task), (error) => error instanceof Absent && error.kind === kind);
  }
});
