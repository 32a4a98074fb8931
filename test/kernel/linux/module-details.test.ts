import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moduleSections } from '../../../src/kernel/linux/module-details.js';
import type { Module } from '../../../src/kernel/linux/modules.js';
import { Absent } from '../../../src/memory/absent.js';
import { arrayOf, fakeKernel, FakeMemory, inPlace, layout, pointer, pointerTo, u32, u64 } from '../../support/fake-kernel.js';

const common = {
  module: layout(16, { sect_attrs: [0, pointerTo('module_sect_attrs')] }),
  attribute: layout(16, { name: [0, pointer], mode: [8, u32] }),
  bin_attribute: layout(64, { attr: [0, inPlace('attribute')], size: [16, u64], private: [24, pointer] }),
  attribute_group: layout(40, { name: [0, pointer], bin_attrs: [32, pointer] }),
};

test('sections since 6.14: attributes of a group, with the address in private', () => {
  const memory = new FakeMemory();
  const at = (offset: number): bigint => memory.base + BigInt(offset);
  memory.u64(at(0), at(0x100));
  memory.u64(at(0x100 + 32), at(0x200));
  for (const [index, [name, address]] of [['.text', 0xffffffffc0001000n], ['.data', 0xffffffffc0003000n]].entries()) {
    const attribute = at(0x300 + index * 64);
    memory.u64(at(0x200 + index * 8), attribute);
    memory.u64(attribute, at(0x500 + index * 32));
    memory.text(at(0x500 + index * 32), String(name));
    memory.u64(attribute + 24n, address as bigint);
  }
  const kernel = fakeKernel(memory, { ...common, module_sect_attrs: layout(40, { grp: [0, inPlace('attribute_group')], attrs: [40, arrayOf(0, inPlace('bin_attribute'))] }) });
  assert.deepEqual([...moduleSections(kernel, kernel.at<Module>('module', at(0)))], [
    { name: '.text', address: 0xffffffffc0001000n },
    { name: '.data', address: 0xffffffffc0003000n },
  ]);
});

test('sections before 5.8: a module_attribute each; a count that cannot be ends at the first page that is not there', () => {
  const memory = new FakeMemory(undefined, 1);
  const at = (offset: number): bigint => memory.base + BigInt(offset);
  memory.u64(at(0), at(0x100));
  memory.u32(at(0x100 + 40), 0x7fffffff);
  memory.u64(at(0x100 + 48), at(0x80));
  memory.text(at(0x80), '.text');
  memory.u64(at(0x100 + 48 + 64), 0xffffffffc0001000n);
  const kernel = fakeKernel(memory, {
    ...common,
    module_attribute: layout(56, { attr: [0, inPlace('attribute')] }),
    module_sect_attr: layout(72, { mattr: [0, inPlace('module_attribute')], name: [56, pointer], address: [64, u64] }),
    module_sect_attrs: layout(48, { grp: [0, inPlace('attribute_group')], nsections: [40, u32], attrs: [48, arrayOf(0, inPlace('module_sect_attr'))] }),
  });
  const found: unknown[] = [];
  assert.throws(() => {
    for (const section of moduleSections(kernel, kernel.at<Module>('module', at(0)))) found.push(section);
  }, (error) => error instanceof Absent);
  assert.deepEqual(found[0], { name: '.text', address: 0xffffffffc0001000n });
  assert.equal(found.length, 1);
});
