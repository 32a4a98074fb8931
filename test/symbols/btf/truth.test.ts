import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type BtfCandidate, findBtf, readBtf } from '../../../src/symbols/btf/find.js';
import { BtfTypes } from '../../../src/symbols/btf/types.js';
import type { MemberLayout, StructLayout, TypeDescriptor } from '../../../src/symbols/types.js';
import { committedSample, lab, labSamples, skipWithout } from '../../support/sample.js';
import { root } from '../../support/root.js';
import { openPhysical } from '../physical.js';

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

/** First bit in the struct, and number of bits; a bit field that fills its integer is one. */
function bitsOf({ offset, type }: MemberLayout): [number, number] {
  if (type.kind === 'bitfield') return [offset * 8 + type.startBit, type.bits];
  return [offset * 8, type.kind === 'int' || type.kind === 'enum' ? type.size * 8 : NaN];
}

/** The one sound BTF of an image. */
function kernelTypes(image: string): BtfTypes {
  const physical = openPhysical(image);
  const sound = findBtf(physical).filter((candidate) => candidate.problem === undefined);
  assert.equal(sound.length, 1, 'one sound BTF');
  const blob = readBtf(physical, sound[0] as BtfCandidate);
  physical.close();
  assert.ok(blob);
  return new BtfTypes(blob);
}

const committed = committedSample();
test(
  "the sample's structs are those that pahole reads in the debug package's DWARF",
  { skip: skipWithout(committed ? [committed] : []) },
  () => {
    const types = kernelTypes(committed?.image ?? '');
    const packed = gunzipSync(readFileSync(join(root, 'fixtures/linux-6.1-tiny/structs.json.gz'))).toString();
    type Place = number | readonly [byte: number, bit: number, bits: number];
    const structs = JSON.parse(packed) as Record<
      string,
      { size: number; kind: string; members: Record<string, Place> }
    >;
    let compared = 0;
    for (const [name, { size, kind, members }] of Object.entries(structs)) {
      const ours = types.struct(name);
      assert.ok(ours, name);
      assert.equal(ours.size, size, name);
      assert.equal(ours.union, kind === 'union', name);
      for (const [member, place] of Object.entries(members)) {
        compared++;
        const found = ours.members.get(member);
        assert.ok(found, `${name}.${member}`);
        if (typeof place === 'number') assert.equal(found.offset, place, `${name}.${member}`);
        else {
          const [byte, bit, bits] = place;
          assert.deepEqual(bitsOf(found), [byte * 8 + bit, bits], `${name}.${member}`);
        }
      }
    }
    assert.ok(compared > 3000, `${compared} members compared`);
  },
);

const SYMBOL_FILES: Readonly<Record<string, string>> = { tiny: 'cloud-6.1', la57: 'cloud-6.1', cloud612: 'cloud-6.12' };
const withSymbols = labSamples(Object.keys(SYMBOL_FILES)).filter(({ name }) => existsSync(isfPath(name)));

function isfPath(name: string): string {
  return join(lab, 'symbols', SYMBOL_FILES[name] ?? '', 'isf.json');
}

test(
  "all structs and enumerations are those of the debug package's DWARF",
  { skip: skipWithout(withSymbols) },
  async (t) => {
    for (const { name: image, image: path } of withSymbols) {
      await t.test(image, () => {
        const isf = JSON.parse(readFileSync(isfPath(image), 'utf8')) as Isf;
        const types = kernelTypes(path);
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
      });
    }
  },
);
