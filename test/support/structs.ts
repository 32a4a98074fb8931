import { BufferSpace } from '../../src/memory/space.js';
import { TypeCompiler } from '../../src/object/compiler.js';
import type { Struct } from '../../src/object/struct.js';
import { encode, type FieldValue, LiteralTypeSource, type LiteralTypes } from './literal-types.js';

/** Process objects in miniature, each with the members that name it. */
export const processTypes: LiteralTypes = {
  task_struct: [32, { pid: [0, 'int'], comm: [8, ['array', 16, 'char']] }],
  _EPROCESS: [32, { UniqueProcessId: [0, 'void *'], ImageFileName: [8, ['array', 15, 'unsigned char']] }],
  mm_struct: [16, { pgd: [0, 'unsigned long'], users: [8, 'int'] }],
};

/** A struct with its members set, at an address. */
export function structAt(type: string, members: Readonly<Record<string, FieldValue>>, address = 0xffff888003d8c000n, types = processTypes): Struct {
  const source = new LiteralTypeSource(types, 8);
  const buffer = Buffer.alloc(4096);
  encode(source, { kind: 'struct', name: type }, members, buffer, Number(address & 0xfffn));
  return new TypeCompiler(source, 8).struct(type).at(new BufferSpace(buffer, address & ~0xfffn), address);
}
