import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from '../../support/property.js';
import { convertProfile } from '../../../plugins/general/convert_profile.js';
import { loadDisassemblerNow } from '../../../src/disasm/decode.js';
import type { Instruction } from '../../../src/disasm/instruction.js';
import { matchRules } from '../../../src/disasm/rules/match.js';
import { Absent, orAbsent } from '../../../src/memory/absent.js';
import { BufferSpace } from '../../../src/memory/space.js';
import { TypeCompiler } from '../../../src/object/compiler.js';
import { Session } from '../../../src/session/session.js';
import { type CodeMatch, type CodePattern, Derived, DerivedTypes } from '../../../src/symbols/dynamic.js';
import { ProfileError } from '../../../src/symbols/error.js';
import { parseExactJson } from '../../../src/symbols/json.js';
import { openProfileFile } from '../../../src/symbols/open.js';
import { type RekallProfile, readRekall } from '../../../src/symbols/rekall/read.js';
import { constant, instruction, reg, type Rule, ruledProgram, struct } from '../../support/code-rules.js';
import { temporary } from '../../support/folder.js';
import { rowsOf } from '../../support/sample.js';
import { sharedData } from '../../support/shared.js';

const folder = temporary();

const read = (sections: Rule): RekallProfile => readRekall(Buffer.from(JSON.stringify(sections)), 'ruled.json');
const constants = (alternatives: unknown): readonly unknown[] => read({ $DYNAMIC_CONSTANTS: { X: alternatives } }).dynamic?.constant('X') ?? [];
const problem = (alternative: unknown): string => {
  const [one] = constants([alternative]);
  assert.ok(typeof one === 'object' && one !== null && 'problem' in one, JSON.stringify(one));
  return String(one.problem);
};

test('an alternative says what is wrong with it, and costs no other', () => {
  const good = constant('nt!Start', [instruction('MOV', reg('$out'))]);
  const rules = (...all: readonly unknown[]): Rule => ({ type: 'DisassembleConstantMatcher', args: { start: 'nt!Start', rules: all } });
  const wrong: readonly [unknown, RegExp][] = [
    [5, /nothing is no way to find it here: DisassembleConstantMatcher is/],
    [{ type: 'Oracle', args: {} }, /^Oracle is no way/],
    [{ type: 'DisassembleConstantMatcher' }, /args: expected an object/],
    [constant('', [{}]), /start: {2}names no function/],
    [{ type: 'DisassembleConstantMatcher', args: { start: ['a', 'b'], rules: [{}] } }, /start: a list names no function/],
    [constant('nt!Start', []), /rules of nt!Start: expected a list of 1 to 64/],
    [rules(...Array.from({ length: 65 }, () => ({}))), /expected a list of 1 to 64/],
    [rules('MOV EAX, $out'), /rule 1 of nt!Start: expected an object/],
    [rules({ mnemonic: 'MOV' }, { text: 'x' }), /rule 2 of nt!Start: an instruction has no text/],
    [rules({ mnemonic: {} }), /mnemonic of rule 1 of nt!Start: an object is neither/],
    [rules({ mnemonic: 1.5 }), /1\.5 is neither a number nor a text/],
    [rules({ comment: 'x'.repeat(300) }), /comment of rule 1 of nt!Start/],
    [rules({ comment: '~(x{1000}){1000}' }), /counted repetitions are not looked for/],
    [rules({ operands: 'RAX' }), /operands are a list of up to 8/],
    [rules({ operands: ['RAX'] }), /an operand is an object/],
    [rules({ operands: [{ register: 'RAX' }] }), /an operand has no register/],
    [rules({ operands: Array.from({ length: 8 }, () => ({ type: '$a', size: '$b', reg: '$c' })) }), /captures more than 16/],
    [constant('nt!Start', [{}], { max_separation: -1 }), /max_separation of nt!Start: -1/],
    [constant('nt!Start', [{}], { max_separation: 1e9 }), /is no number up to 1000/],
  ];
  for (const [alternative, reason] of wrong) {
    assert.match(problem(alternative), reason);
    assert.ok(constants([alternative, good]).some((one) => typeof one === 'object' && one !== null && 'rules' in one));
  }
  assert.deepEqual(constants('nonsense'), [{ problem: 'its rules are no list' }]);
  assert.equal(constants(Array.from({ length: 100 }, () => good)).length, 33);
  assert.throws(() => read({ $DYNAMIC_STRUCTS: [] }), ProfileError);
  for (const name of ['constructor', '__proto__', 'toString']) assert.equal(read({ $DYNAMIC_CONSTANTS: {} }).dynamic?.constant(name), undefined);
});

test('nothing of a profile is looked for before its name is asked for, and then once', () => {
  const asked: string[] = [];
  const captured = (out: bigint | string): CodeMatch => ({ captured: new Map([['$out', { value: out, bits: 64, from: 'there' }]]) });
  const answers: Readonly<Record<string, CodeMatch>> = { 'nt!A': { missed: 'nt!A: nothing' }, 'nt!B': captured(-1n), 'nt!C': captured('RAX'), 'nt!D': { missed: 'nt!D: forever', tooLong: true } };
  const { dynamic } = read({ $DYNAMIC_CONSTANTS: { First: [constant('nt!A', [{}]), constant('nt!B', [{}])], None: [constant('nt!A', [{}]), constant('nt!C', [{}])], Long: [constant('nt!D', [{}]), constant('nt!B', [{}])] } });
  assert.ok(dynamic);
  const derived = new Derived(dynamic);
  assert.equal(derived.constant('First')?.value, undefined, 'nothing is lent');
  derived.lend({ match: (pattern: CodePattern) => (asked.push(pattern.start), answers[pattern.start] ?? { missed: '' }) });
  assert.deepEqual(asked, []);
  assert.equal(derived.constant('Unknown'), undefined);
  for (let again = 0; again < 2; again++) assert.equal(derived.constant('First')?.value, 0xffffffffffffffffn);
  assert.deepEqual(asked, ['nt!A', 'nt!B']);
  assert.equal(derived.constant('None')?.said, 'no rule of $DYNAMIC_CONSTANTS None matched in nt!A, nt!C (nt!A: nothing; $out is RAX there, and no number: there)');
  // What took too long may do so again.
  assert.equal(derived.constant('Long')?.value, undefined);
  assert.deepEqual(asked.slice(-1), ['nt!D']);
});

test('a member is of the first alternative that matches and has it; what is no offset is none', () => {
  const found = (values: Readonly<Record<string, bigint | string>>): CodeMatch => ({ captured: new Map(Object.entries(values).map(([name, value]) => [`$${name}`, { value, bits: 64, from: name }])) });
  const answers: Readonly<Record<string, CodeMatch>> = { a: { missed: 'a: no' }, b: found({ One: 8n, Two: -4n }), c: found({ One: 99n, Three: 16n }), d: found({ Four: 1n << 40n }), e: found({ Five: 'RAX' }) };
  const profile = read({
    $STRUCTS: { _T: [64, { Two: [2, ['short']] }] },
    $DYNAMIC_STRUCTS: { _T: ['a', 'b', 'c', 'd', 'e'].map((start) => struct(start, Object.fromEntries(({ a: ['One'], b: ['One', 'Two'], c: ['One', 'Three'], d: ['Four'], e: ['Five'] }[start] ?? []).map((field) => [field, ['unsigned int']])), [{}])), _U: [struct('a', { X: ['int'] }, [{}])] },
  });
  assert.ok(profile.dynamic);
  const types = new DerivedTypes(profile.types, new Derived(profile.dynamic, { match: ({ start }) => answers[start] ?? { missed: '' } }));
  const layout = types.struct('_T');
  assert.deepEqual([...(layout?.members ?? [])].map(([name, { offset }]) => [name, offset]), [['Two', 2], ['One', 8], ['Three', 16]]);
  assert.equal(layout?.size, 64);
  assert.match(layout?.missing?.get('Four') ?? '', /_T\.Four matched in d \(\$Four is 1099511627776 there, and no offset: Four\)/);
  assert.match(layout?.missing?.get('Five') ?? '', /\$Five is RAX there/);
  assert.deepEqual([...types.structNames()], ['_T', '_U']);
  const reason = orAbsent(() => new TypeCompiler(types, 8).struct('_U'));
  assert.ok(reason instanceof Absent && reason.reason === 'no rule of $DYNAMIC_STRUCTS _U matched in a (a: no)', String(reason));
});

test('converting keeps the sections, exact, or says that they are left out', async () => {
  const path = join(folder, 'ruled.json');
  const sections = `{"$METADATA": {"Type": "Profile", "os": "windows", "GUID_AGE": "${'A'.repeat(32)}1", "PDBFile": "a.pdb"}, "$STRUCTS": {"_A": [4, {"x": [0, ["int"]]}]},
    "$DYNAMIC_CONSTANTS": {"X": [{"type": "DisassembleConstantMatcher", "args": {"start": "nt!Y", "comment": "a \\"build\\"", "rules": [{"operands": [null, {"type": "IMM", "address": 18446744073709551615, "size": 8}]}]}}]},
    "$DYNAMIC_STRUCTS": {"_B": [{"type": "DisassembleStructMatcher", "args": {"start": "nt!Z", "fields": {"m": ["Pointer"]}, "rules": [{}]}}]}}`;
  writeFileSync(path, sections);
  const session = new Session({ cache: 'memory' });
  const rekall = await rowsOf(session, convertProfile, { source: path, out_file: join(folder, 'again.json') });
  assert.equal(rekall.run.notes.join(), '');
  const again = readFileSync(join(folder, 'again.json'), 'utf8');
  assert.match(again, /"address": 18446744073709551615, "size": 8/);
  for (const section of ['$DYNAMIC_CONSTANTS', '$DYNAMIC_STRUCTS']) assert.deepEqual((parseExactJson(again) as Rule)[section], (parseExactJson(sections) as Rule)[section]);
  assert.ok(!('problem' in ((await openProfileFile(join(folder, 'again.json'))).dynamic?.constant('X')?.[0] ?? { problem: '' })));
  const isf = await rowsOf(session, convertProfile, { source: path, out_file: join(folder, 'isf.json'), format: 'isf' });
  assert.match(isf.run.notes.join(), /Left out: \$DYNAMIC_CONSTANTS and \$DYNAMIC_STRUCTS/);
});

const published = sharedData('profiles-newer', 'v1.0', 'nt', 'undocumented.gz');
test('the published rules are understood', { skip: published.skip }, async () => {
  const { dynamic } = await openProfileFile(published.path);
  const alternatives = dynamic?.struct('_IMAGE_ENTRY_IN_SESSION') ?? [];
  assert.deepEqual(alternatives.map((one) => ('problem' in one ? one.problem : [one.start, one.rules.length, one.maxSeparation, [...one.fields.keys()].length])), [['nt!MiSessionInsertImage', 7, 100, 3], ['nt!MiSessionInsertImage', 7, 10, 2], ['nt!MiSessionInsertImage', 7, 10, 2]]);
});

test('rules of any kind end without a fault', () => {
  const code: Instruction[] = [];
  const file = readFileSync(ruledProgram('x64')).subarray(0x400, 0x640);
  for (const one of loadDisassemblerNow(64, { operands: true }).decode(new BufferSpace(file, 0x1000n), 0x1000n, 0x1000n + BigInt(file.length))) if (one.kind !== 'unreadable') code.push(one);
  const wanted = fc.oneof(fc.constantFrom('$a', '$b', '$out', '$a_1', '~.*', '~(', '~[a', '~a**', 'MOV', 'RAX', 'MEM', 'IMM', '', '$', '~'), fc.integer(), fc.maxSafeInteger(), fc.constant(null), fc.double(), fc.string());
  const operand = fc.oneof(fc.constant(null), fc.dictionary(fc.constantFrom('type', 'size', 'reg', 'base', 'index', 'scale', 'disp', 'address', 'target', '__proto__'), wanted, { maxKeys: 4 }), fc.jsonValue());
  const rule = fc.oneof({ weight: 6, arbitrary: fc.record({ mnemonic: fc.constantFrom('MOV', 'CALL', 'LEA', '~M'), operands: fc.array(operand, { maxLength: 3 }), comment: wanted }, { requiredKeys: [] }) }, { weight: 1, arbitrary: fc.jsonValue() });
  const args = fc.oneof({ weight: 6, arbitrary: fc.record({ start: fc.oneof(fc.constant('nt!X'), fc.jsonValue()), rules: fc.array(rule, { maxLength: 6 }), max_separation: fc.oneof(fc.nat(20), fc.jsonValue()), fields: fc.oneof(fc.dictionary(fc.constantFrom('a', 'b', 'out', '__proto__'), fc.jsonValue()), fc.jsonValue()) }, { requiredKeys: ['rules'] }) }, { weight: 1, arbitrary: fc.jsonValue() });
  const alternative = fc.record({ type: fc.constantFrom('DisassembleConstantMatcher', 'DisassembleStructMatcher'), args });
  const name = { names: (address: bigint) => (address % 3n === 0n ? ['nt!X', 'nt!Y'] : []), read: () => 5n, bits: 64 } as const;
  fc.assert(
    fc.property(fc.array(alternative, { maxLength: 3 }), (all) => {
      const profile = readRekall(Buffer.from(JSON.stringify({ $DYNAMIC_CONSTANTS: { X: all }, $DYNAMIC_STRUCTS: { _X: all } })), 'fuzz.json');
      assert.ok(profile.dynamic);
      const derived = new Derived(profile.dynamic, {
        match: (pattern) => {
          const found = matchRules(code, pattern, name);
          return 'missed' in found ? found : { captured: new Map([...found.captured].map(([key, { value, bits }]) => [key, { value, bits, from: '' }])) };
        },
      });
      const constant = derived.constant('X');
      assert.ok(constant && constant.said !== '');
      for (const { offset } of new DerivedTypes(profile.types, derived).struct('_X')?.members.values() ?? []) assert.ok(Number.isInteger(offset));
    }),
    { numRuns: 300 },
  );
});

