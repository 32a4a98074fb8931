import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferSpace } from '../../src/memory/space.js';
import { TypeCompiler } from '../../src/object/compiler.js';
import { describeStruct } from '../../src/object/describe.js';
import { LiteralTypeSource } from '../support/literal-types.js';
import { processTypes, structAt } from '../support/structs.js';

test('a process has a name and an id, another struct has not', () => {
  assert.deepEqual(describeStruct(structAt('task_struct', { pid: 135, comm: 'bash' })), {
    type: 'task_struct',
    offset: 0xffff888003d8c000n,
    name: 'bash',
    pid: 135,
  });
  assert.deepEqual(describeStruct(structAt('mm_struct', { users: 2 })), { type: 'mm_struct', offset: 0xffff888003d8c000n });
});

test('the id of a Windows process stands in a pointer', () => {
  assert.equal(describeStruct(structAt('_EPROCESS', { UniqueProcessId: 504n })).pid, 504);
});

test('what cannot be read is left out, and nothing is thrown', () => {
  const nowhere = new TypeCompiler(new LiteralTypeSource(processTypes, 8), 8).struct('task_struct').at(new BufferSpace(Buffer.alloc(0)), 0x5000n);
  assert.deepEqual(describeStruct(nowhere), { type: 'task_struct', offset: 0x5000n });
});
