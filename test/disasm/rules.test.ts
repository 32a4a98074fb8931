import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadDisassemblerNow } from '../../src/disasm/decode.js';
import type { Instruction } from '../../src/disasm/instruction.js';
import { matchRules, type RuleMatch } from '../../src/disasm/rules/match.js';
import { type CodeSurroundings, RuledInstruction } from '../../src/disasm/rules/properties.js';
import { BufferSpace } from '../../src/memory/space.js';
import type { CodePattern } from '../../src/symbols/dynamic.js';
import type { Json } from '../../src/symbols/json.js';
import { RekallRules } from '../../src/symbols/rekall/dynamic.js';
import { at, call, instruction, number, reg, type Rule, ruledProgram } from '../support/code-rules.js';
import { objdump, skipWithoutObjdump } from '../support/objdump.js';

const BASE = 0xfffff80002800000n;

function decoded(bytes: Buffer, bits: 32 | 64, base = BASE): Instruction[] {
  return [...loadDisassemblerNow(bits, { operands: true }).decode(new BufferSpace(bytes, base), base, base + BigInt(bytes.length))].filter((one) => one.kind !== 'unreadable');
}

const around = (bits: 32 | 64, names: Readonly<Record<string, readonly string[]>> = {}): CodeSurroundings => ({ bits, names: (address) => names[address.toString(16)] ?? [], read: (address) => (address === BASE + 0x100n ? 0x1234n : undefined) });

function pattern(rules: readonly Rule[], max_separation?: number): CodePattern {
  const section = { X: [{ type: 'DisassembleConstantMatcher', args: { start: 'f', rules, ...(max_separation !== undefined && { max_separation }) } }] } as unknown as Record<string, Json>;
  const [one] = new RekallRules(section, {}, () => ({ kind: 'void' })).constant('X') ?? [];
  assert.ok(one && 'rules' in one, JSON.stringify(one));
  return one;
}

/** What is captured in code that is given in hex; the reason where nothing is. */
function captured(hex: string, rules: readonly Rule[], options: { readonly separation?: number; readonly bits?: 32 | 64; readonly names?: Readonly<Record<string, readonly string[]>> } = {}): Record<string, bigint | string | null> | string {
  const bits = options.bits ?? 64;
  const match: RuleMatch = matchRules(decoded(Buffer.from(hex.replaceAll(' ', ''), 'hex'), bits), pattern(rules, options.separation), around(bits, options.names));
  return 'missed' in match ? match.missed : Object.fromEntries([...match.captured].map(([name, { value }]) => [name, value]));
}

const STORES = '48894708 48897710 48895f18'; // MOV [RDI+8], RAX; MOV [RDI+0x10], RSI; MOV [RDI+0x18], RBX
const store = instruction('MOV', at('$to', { disp: '$out' }), reg('$from'));

test('the first instructions that fit are found, and a variable is the same everywhere', () => {
  assert.deepEqual(captured(STORES, [store]), { $to: 'RDI', $out: 8n, $from: 'RAX' });
  // MOV RBX, RAX in front: what is stored must be RBX.
  assert.deepEqual(captured(`4889c3 ${STORES}`, [instruction('MOV', reg('$from'), reg('RAX')), store]), { $to: 'RDI', $out: 0x18n, $from: 'RBX' });
  assert.equal(captured(`4889c1 ${STORES}`, [instruction('MOV', reg('$from'), reg('RAX')), store]), 'each of its 2 rules fits some instruction, but no more than 1 fit together');
  assert.equal(captured(STORES, [store, instruction('CALL')]), 'no instruction fits rule 2 of 2 (CALL)');
});

test('two variables of a rule differ; one in two places has numbers behind its name', () => {
  const copy = (to: string, from: string): Rule => instruction('MOV', reg(to), at(from, {}));
  assert.match(captured('488b00', [copy('$a', '$b')]) as string, /no instruction fits/); // MOV RAX, [RAX]
  assert.deepEqual(captured('488b00', [copy('$a_1', '$a_2')]), { $a_1: 'RAX', $a_2: 'RAX' });
  assert.deepEqual(captured('488b08 488b00', [copy('$a', '$b')]), { $a: 'RCX', $b: 'RAX' });
});

test('instructions follow each other in order, no further apart than stated, and one may fit two rules', () => {
  const nops = (count: number): string => `31c0 ${'90'.repeat(count)} 4889c3`; // XOR EAX, EAX … MOV RBX, RAX
  const rules = [instruction('XOR', reg('EAX')), instruction('MOV', reg('$out'))];
  assert.deepEqual(captured(nops(9), rules), { $out: 'RBX' });
  assert.match(captured(nops(10), rules) as string, /no more than 1 fit together/);
  assert.deepEqual(captured(nops(10), rules, { separation: 11 }), { $out: 'RBX' });
  assert.match(captured('4889c3 31c0', rules) as string, /no more than 1/);
  assert.deepEqual(captured('4889c3', [instruction('MOV', reg('$a')), instruction('MOV', null, reg('$b'))], { separation: 0 }), { $a: 'RBX', $b: 'RAX' });
});

test('numbers are compared as the bits that they are, mnemonics as Capstone has them', () => {
  for (const value of [-1, 0xffffffff]) assert.deepEqual(captured('83f8ff', [instruction('CMP', reg('$r'), number(value))]), { $r: 'EAX' });
  assert.match(captured('83f8ff', [instruction('CMP', reg('$r'), number('18446744073709551615'))]) as string, /no instruction/);
  assert.deepEqual(captured('48b8ffffffffffffffff', [instruction('MOVABS', reg('RAX'), number('18446744073709551615')), instruction('MOV', reg('$r'))]), { $r: 'RAX' });
  assert.deepEqual(captured('7400 0f94c0 480f45c1', [instruction('JE'), instruction('SETE', reg('$a')), instruction('CMOVNZ', reg('$b'))]), { $a: 'AL', $b: 'RAX' });
  // MOV [EBX-8], EAX; MOV EAX, [0x80501000]
  assert.deepEqual(captured('8943f8 a100105080', [instruction('MOV', at('$b', { disp: '$out', index: null })), instruction('MOV', null, at(null, { address: '$where' }))], { bits: 32 }), { $b: 'EBX', $out: -8n, $where: BigInt.asIntN(32, 0x80501000n) });
});

test('an operand that a rule names must be there; a property that it has not is no value', () => {
  assert.match(captured('58', [instruction('POP', reg('$a'), number('$b'))]) as string, /no instruction/);
  assert.match(captured('58', [instruction('POP', { disp: '$a' })]) as string, /no instruction/);
  assert.match(captured('48897710', [instruction('MOV', { address: '$out' })]) as string, /no instruction/);
  // MOV RAX, [GS:0x188]: a distance from a base that the code does not state, and no address.
  assert.deepEqual(captured('65488b042588010000', [instruction('MOV', null, { disp: '$out' })]), { $out: 0x188n });
  assert.match(captured('65488b042588010000', [instruction('MOV', null, { address: '$out' })]) as string, /no instruction/);
});

test('comments are names of what is called and of what a place holds', () => {
  const names = { fffff80002800005: ['nt!memset', 'nt!memmove'], fffff80002800100: ['nt!Slot'], '1234': ['tcpip!Send'] };
  const CALL = 'e800000000'; // CALL behind itself
  for (const comment of ['nt!memset', 'NT!memmove', 'nt!memset, nt!memmove', '~nt!mem.et', '~.*memmove$', '$name']) assert.equal(typeof captured(CALL, [call(comment)], { names }), 'object', comment);
  for (const comment of ['nt!MEMSET', 'nt!mem', '~mem', 'memset', '~(', '~memmove$']) assert.equal(typeof captured(CALL, [call(comment)], { names }), 'string', comment);
  const slot = { comment: '~0x1234 nt!Slot -> tcpip!Send$', operands: [{ target: '$out' }] };
  assert.deepEqual(captured('ff15fa000000', [slot], { names }), { $out: 0x1234n }); // CALL [RIP+0xfa]
  assert.match(captured('ff15fb000000', [slot], { names }) as string, /no instruction/, 'what cannot be read has no value');
});

test('rules that fit everywhere, and regular expressions that explode, end', () => {
  const everywhere = '90'.repeat(1000);
  const wild = captured(everywhere, [...Array.from({ length: 20 }, () => ({})), instruction('NOP', null)], { separation: 1000 });
  assert.match(wild as string, /no instruction fits rule 21/);
  const endless = captured(`${'4889c3'.repeat(300)} 4889d9`, [...Array.from({ length: 20 }, () => instruction('MOV', reg('RBX'))), instruction('MOV', reg('RCX'), reg('RBX')), instruction('MOV', reg('RBX'))], { separation: 1000 });
  assert.equal(endless, '20000 attempts to fit its rules together were in vain');
  const name = 'nt!'.padEnd(250, 'a');
  const hostile = captured('e800000000'.repeat(50), [call('~(a|a|n|t|!)*(.*)*(.*)*$$b')], { names: Object.fromEntries(decoded(Buffer.from('e800000000'.repeat(50), 'hex'), 64).map((one) => [(one.address + 5n).toString(16), [name]])) });
  assert.equal(typeof hostile, 'string');
});

/** Displacement, immediate and target in a line of objdump. */
const LINE = /^(\w+)\s+(.*)$/;
const PLACE = /\[(\w+)(?:\+(\w+)\*(\d))?([+-]0x[0-9a-f]+)?\]/;

const signed = (text: string): bigint => (text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text.replace('+', '')));

test('operands are what objdump reads in the same code', { skip: skipWithoutObjdump }, () => {
  for (const [machine, bits, name] of [['x64', 64, 'i386:x86-64'], ['x86', 32, 'i386']] as const) {
    // .text begins at 0x400 of the file.
    const code = readFileSync(ruledProgram(machine)).subarray(0x400, 0x400 + 0x243);
    const base = 0x10000n;
    const own = new Map(decoded(code, bits, base).map((one) => [one.address, new RuledInstruction(one, around(bits))]));
    let compared = 0;
    for (const { address, text } of objdump(code, base, name)) {
      const ruled = own.get(address);
      const [, mnemonic = '', operands = ''] = LINE.exec(text.replace(/#.*/, '').trim()) ?? [];
      if (!ruled || mnemonic === '' || /^(nop|cs|data16|xchg)/.test(mnemonic)) continue;
      assert.equal(ruled.mnemonic, mnemonic.toUpperCase(), text);
      for (const [position, operand] of operands.split(',').entries()) {
        const place = PLACE.exec(operand);
        const read = (property: 'base' | 'disp' | 'address' | 'index' | 'reg' | 'type' | 'target'): unknown => ruled.property(position, property)?.value;
        if (place) {
          const [, from = '', index, , disp] = place;
          assert.deepEqual([read('type'), read('base'), read('disp')], ['MEM', from.toUpperCase(), disp === undefined ? 0n : signed(disp)], text);
          if (index !== undefined) assert.equal(read('index'), index.toUpperCase(), text);
        } else if (/^ds:0x/.test(operand)) assert.equal(BigInt.asUintN(bits, read('address') as bigint), BigInt(operand.slice(3)), text);
        else if (/^-?0x/.test(operand)) assert.equal(BigInt.asUintN(32, read('address') as bigint), BigInt.asUintN(32, signed(operand)), text);
        else assert.equal(read('reg') ?? read('type'), /^\w+$/.test(operand) ? operand.toUpperCase() : 'MEM', text);
        compared++;
      }
    }
    assert.ok(compared > 150, `${compared}`);
  }
});
