import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findBtf, readBtf } from '../../../src/symbols/btf/find.js';
import { BtfTypes } from '../../../src/symbols/btf/types.js';
import type { MemberLayout, StructLayout, TypeDescriptor } from '../../../src/symbols/types.js';
import { lab, openRaw } from '../kallsyms/raw-image.js';

/** A Volatility 3 symbol file: what dwarf2json read in the DWARF of the kernel's debug package. */
interface Isf {
  readonly user_types: Record<string, { size: number; fields: Record<string, IsfField> }>;
  readonly enums: Record<string, { size: number; constants: Record<string, number> }>;
}
interface IsfField {
  readonly offset: number;
  readonly anonymous?: boolean;
  readonly type: {
    kind: string;
    name?: string;
    bit_position?: number;
    bit_length?: number;
    count?: number;
    subtype?: IsfField['type'];
  };
}

/** Elements of an array in all its dimensions: pahole writes `int a[2][3]` into BTF as `int a[6]`. */
function dwarfElements(type: IsfField['type']): number {
  return type.kind === 'array' ? (type.count ?? 0) * (type.subtype ? dwarfElements(type.subtype) : 1) : 1;
}

function elements(type: TypeDescriptor): number {
  return type.kind === 'array' ? type.count * elements(type.target) : 1;
}

/** `member → offset` as the debug information has it, unnamed structs lifted into the one that holds them. */
function* dwarfMembers(isf: Isf, name: string, base = 0): Generator<[string, number, IsfField]> {
  for (const [member, field] of Object.entries(isf.user_types[name]?.fields ?? {})) {
    if (field.anonymous === true && field.type.name !== undefined)
      yield* dwarfMembers(isf, field.type.name, base + field.offset);
    else yield [member, base + field.offset, field];
  }
}

/** How a member of ours differs from DWARF's, or undefined. Bit fields are compared by their absolute bits. */
function difference(ours: MemberLayout | undefined, offset: number, field: IsfField): string | undefined {
  if (!ours) return 'missing';
  const { type } = ours;
  if (field.type.kind === 'bitfield') {
    if (type.kind !== 'bitfield') return type.kind === 'int' || type.kind === 'enum' ? undefined : `is ${type.kind}`;
    const bit = ours.offset * 8 + type.startBit;
    const expected = offset * 8 + (field.type.bit_position ?? 0);
    return bit === expected && type.bits === field.type.bit_length
      ? undefined
      : `bits ${bit}+${type.bits}, not ${expected}+${field.type.bit_length}`;
  }
  if (ours.offset !== offset) return `at ${ours.offset}, not ${offset}`;
  const kinds: Record<string, readonly string[]> = {
    pointer: ['pointer'],
    struct: ['struct', 'inline'],
    union: ['struct', 'inline'],
    class: ['struct', 'inline'],
    array: ['array'],
    enum: ['enum'],
    base: ['int', 'float', 'enum', 'void'],
    function: ['function'],
  };
  if (kinds[field.type.kind]?.includes(type.kind) !== true) return `is ${type.kind}, not ${field.type.kind}`;
  const [have, expected] = [elements(type), dwarfElements(field.type)];
  if (have !== expected) return `has ${have} elements, not ${expected}`;
  return undefined;
}

function disagreements(isf: Isf, name: string, ours: StructLayout): string[] {
  const found: string[] = [];
  if (ours.size !== isf.user_types[name]?.size) found.push(`${name}: ${ours.size} bytes`);
  let members = 0;
  for (const [member, offset, field] of dwarfMembers(isf, name)) {
    members++;
    const problem = difference(ours.members.get(member), offset, field);
    if (problem !== undefined) found.push(`${name}.${member} ${problem}`);
  }
  if (ours.members.size !== members) found.push(`${name}: ${ours.members.size} members, not ${members}`);
  return found;
}

for (const [image, symbols] of [
  ['tiny', 'cloud-6.1'],
  ['la57', 'cloud-6.1'],
  ['cloud612', 'cloud-6.12'],
] as const) {
  const raw = join(lab, 'images', `${image}.raw`);
  const path = join(lab, 'symbols', symbols, 'isf.json');
  const missing = [raw, path].find((needed) => !existsSync(needed));
  test(
    `${image}: structs in the image's BTF are those of the debug package's DWARF`,
    { skip: missing && `no ${missing}` },
    () => {
      const isf = JSON.parse(readFileSync(path, 'utf8')) as Isf;
      const physical = openRaw(raw);
      const sound = findBtf(physical).filter((candidate) => candidate.problem === undefined);
      assert.equal(sound.length, 1, 'one sound BTF');
      const types = new BtfTypes(readBtf(physical, sound[0] as { offset: number; length: number }) as Buffer);
      let compared = 0;
      const wrong: string[] = [];
      for (const name of Object.keys(isf.user_types)) {
        // Static structs of different files may share a name: the symbol file has one of them.
        const problems = types.structs(name).map((layout) => disagreements(isf, name, layout));
        if (problems.length > 0) compared++;
        if (problems.length > 0 && !problems.some((list) => list.length === 0))
          wrong.push(...(problems[0] as string[]));
      }
      assert.deepEqual(wrong, []);
      assert.ok(compared > 7000, `${compared} structs compared`);
      // What is only a typedef there is one here.
      assert.deepEqual(types.struct('atomic_t')?.members.get('counter')?.offset, 0);
      let choices = 0;
      for (const [name, { size, constants }] of Object.entries(isf.enums)) {
        const ours = types.enum(name);
        if (!ours || size === 0) continue;
        assert.equal(ours.size, size, name);
        const labels = new Set(ours.choices.values());
        for (const [label, value] of Object.entries(constants)) {
          // Two labels may have one value; labels of enumerations that share a name are not told apart.
          // The file was parsed to doubles: larger values are not exact in it.
          if (!labels.has(label) || !Number.isSafeInteger(value)) continue;
          assert.ok(
            [BigInt(value), BigInt.asIntN(size * 8, BigInt(value)), BigInt.asUintN(size * 8, BigInt(value))].some(
              (same) => ours.choices.get(String(same)) === label,
            ),
            `${name}.${label}`,
          );
          choices++;
        }
      }
      assert.ok(choices > 5000, `${choices} choices compared`);
      physical.close();
    },
  );
}
