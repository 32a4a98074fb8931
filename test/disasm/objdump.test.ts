import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CodeBits, loadDisassembler } from '../../src/disasm/decode.js';
import type { Instruction } from '../../src/disasm/instruction.js';
import { type AddressSpace, BufferSpace } from '../../src/memory/space.js';
import { objdump, skipWithoutObjdump } from '../support/objdump.js';
import { root } from '../support/root.js';
import { committedSample, type Sample } from '../support/sample.js';

/**
 * Objdump (binutils) listed beside our listing. Known differences, none of which is about where instructions begin and end or where branches
 * go: names for one opcode (JE and JZ, MOVABS and MOV, STOS and STOSQ), and a byte that begins no instruction, which is `(bad)` there and DB here.
 */
const ALIASES: Readonly<Record<string, string>> = {
  JE: 'JZ', JNE: 'JNZ', SETE: 'SETZ', SETNE: 'SETNZ', CMOVE: 'CMOVZ', CMOVNE: 'CMOVNZ', LOOPE: 'LOOPZ', LOOPNE: 'LOOPNZ',
  MOVABS: 'MOV', FWAIT: 'WAIT', '(BAD)': 'DB', CALLW: 'CALL',
  LCALL: 'CALL', LJMP: 'JMP', LGDTD: 'LGDT',
}; // prettier-ignore
/** Objdump names the width in the operands, we in the mnemonic. */
const STRINGS = new Set(['MOVS', 'STOS', 'CMPS', 'SCAS', 'LODS', 'INS', 'OUTS']);
const PREFIX = /^(?:(?:lock|rep|repz|repnz|bnd|notrack|data16|addr32|[cdefgs]s|rex(?:\.\w+)?|xacquire|xrelease)\s+)*/;

function mnemonicOf(text: string): string {
  const word = (text.replace(PREFIX, '').split(/\s/)[0] ?? '').toUpperCase();
  return ALIASES[word] ?? word;
}

function branchOf(text: string): bigint | undefined {
  const target = /^(?:j\w+|callw?|loop\w*|xbegin)\s+(?:0x)?([0-9a-f]+)$/.exec(text.replace(PREFIX, ''))?.[1];
  return target === undefined ? undefined : BigInt(`0x${target}`);
}

/** Every instruction that objdump lists stands in our listing with its length, its mnemonic and its target. Returns how many there are. */
async function compare(space: AddressSpace, from: bigint, length: number, bits: CodeBits): Promise<{ ours: Instruction[]; branches: number }> {
  const machine = bits === 64 ? 'i386:x86-64' : bits === 32 ? 'i386' : 'i8086';
  const theirs = objdump(space.read(from, length), from, machine);
  const disassembler = await loadDisassembler(bits);
  const ours: Instruction[] = [];
  for (const code of disassembler.decode(space, from, from + BigInt(length))) {
    assert.notEqual(code.kind, 'unreadable');
    ours.push(code as Instruction);
  }
  let branches = 0;
  // The last instruction is cut off in objdump's file, and whole in memory.
  const last = theirs.findIndex(({ address }) => address === ours.at(-1)?.address);
  for (const [index, listed] of theirs.slice(0, last < 0 ? undefined : last).entries()) {
    const one = ours[index] as Instruction;
    const where = `0x${listed.address.toString(16)}: ${listed.text} — ${one.text}`;
    assert.equal(one.address, listed.address, where);
    assert.equal(one.bytes.length, listed.length, where);
    const mnemonic = mnemonicOf(listed.text);
    assert.ok(one.mnemonic === mnemonic || (STRINGS.has(mnemonic) && one.mnemonic.startsWith(mnemonic)), where);
    const target = one.references.find((reference) => reference.kind === 'branch')?.target;
    assert.equal(target, branchOf(listed.text), where);
    if (target !== undefined) branches++;
  }
  return { ours, branches };
}

const sample = committedSample();
const skip = skipWithoutObjdump !== false ? skipWithoutObjdump : sample ? false : 'no committed sample';

for (const offset of [0x200000n, 0x900000n]) {
  test(`functions of the sample's kernel from _stext+0x${offset.toString(16)} are decoded as objdump decodes them`, { skip }, async (context) => {
    const session = (sample as Sample).session();
    const kernel = await session.kernel();
    const guest = (sample as Sample).truth('proc/kallsyms').split('\n').map((line) => line.split(/\s/));
    const stext = guest.find(([, , name]) => name === '_stext');
    const from = BigInt(`0x${stext?.[0] ?? ''}`) + offset;
    const length = 0x90000;
    const functions = new Set(guest.filter(([, kind]) => /^[tTwW]$/.test(kind ?? '')).map(([address]) => BigInt(`0x${address ?? ''}`)));
    const { ours, branches } = await compare(kernel.space, from, length, 64);
    const begun = ours.filter(({ address }) => functions.has(address)).length;
    const all = [...functions].filter((address) => address >= from && address < from + BigInt(length)).length;
    context.diagnostic(`${begun} functions, ${ours.length} instructions, ${branches} direct branches`);
    // Every function that the guest names in this range begins with an instruction of the listing.
    assert.equal(begun, all);
    assert.ok(begun > 1000, `${begun} functions`);
    assert.ok(ours.length > 100_000 && branches > 20_000);
    session.close();
  });
}

const code = (name: string): Buffer => Buffer.from(readFileSync(join(root, 'test/data/disasm', name), 'utf8').replace(/\s/g, ''), 'hex');
for (const [bits, file, base] of [
  [32, 'i386.hex', 0xc1000000n],
  [16, 'i8086.hex', 0x7000n],
] as const) {
  test(`${bits}-bit code is decoded as objdump decodes it`, { skip: skipWithoutObjdump }, async () => {
    const bytes = code(file);
    const { ours, branches } = await compare(new BufferSpace(bytes, base, 'code', 32), base, bytes.length, bits);
    assert.ok(ours.length > 40 && branches > 5, `${ours.length} instructions, ${branches} branches`);
  });
}

test('the same bytes are other instructions in 16, 32 and 64 bits', { skip: skipWithoutObjdump }, async () => {
  const bytes = Buffer.from('48b8010000000000000090b8785634129040c3e80500'.padEnd(80, '9'), 'hex');
  for (const bits of [16, 32, 64] as const) await compare(new BufferSpace(bytes, 0x400000n), 0x400000n, bytes.length - 16, bits === 16 ? 32 : bits);
});

