import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Commentator } from '../../src/disasm/comment.js';
import { loadDisassembler } from '../../src/disasm/decode.js';
import type { Instruction } from '../../src/disasm/instruction.js';
import type { Names } from '../../src/disasm/names.js';
import { BufferSpace } from '../../src/memory/space.js';

/**
 * The beginning of a listing that Rekall's authors published (PsSetLoadImageNotifyRoutine of Windows 7): address, bytes, instruction, comment. One line of it
 * differs here: MOV EAX, 0xffffffffc000009a, whose operand has 32 bits.
 */
const LISTING: readonly (readonly [bigint, string, string, string?])[] = [
  [0xf80002aa1050n, '48895c2408', 'MOV [RSP+0x8], RBX'],
  [0xf80002aa1055n, '57', 'PUSH RDI'],
  [0xf80002aa1056n, '4883ec20', 'SUB RSP, 0x20'],
  [0xf80002aa105an, '33d2', 'XOR EDX, EDX'],
  [0xf80002aa105cn, 'e8bfb1feff', 'CALL 0xf80002a8c220', 'ntoskrnl.exe!ExAllocateCallBack'],
  [0xf80002aa1061n, '488bf8', 'MOV RDI, RAX'],
  [0xf80002aa1064n, '4885c0', 'TEST RAX, RAX'],
  [0xf80002aa1067n, '7507', 'JNZ 0xf80002aa1070', 'ntoskrnl.exe!PsSetLoadImageNotifyRoutine + 0x20'],
  [0xf80002aa1069n, 'b89a0000c0', 'MOV EAX, 0xc000009a'],
  [0xf80002aa106en, 'eb4a', 'JMP 0xf80002aa10ba', 'ntoskrnl.exe!PsSetLoadImageNotifyRoutine + 0x6A'],
  [0xf80002aa1070n, '33db', 'XOR EBX, EBX'],
  [0xf80002aa1072n, '488d0d27d4d9ff', 'LEA RCX, [RIP-0x262bd9]', '0xFFFFF8A0001310BF ntoskrnl.exe!PspLoadImageNotifyRoutine'],
  [0xf80002aa1079n, '4533c0', 'XOR R8D, R8D'],
  [0xf80002aa107cn, '488bd7', 'MOV RDX, RDI'],
  [0xf80002aa107fn, '488d0cd9', 'LEA RCX, [RCX+RBX*8]'],
  [0xf80002aa1083n, 'e8c817f8ff', 'CALL 0xf80002a22850', 'ntoskrnl.exe!ExCompareExchangeCallBack'],
  [0xf80002aa1088n, '84c0', 'TEST AL, AL'],
  [0xf80002aa108an, '7511', 'JNZ 0xf80002aa109d', 'ntoskrnl.exe!PsSetLoadImageNotifyRoutine + 0x4D'],
  [0xf80002aa108cn, 'ffc3', 'INC EBX'],
  [0xf80002aa108en, '83fb08', 'CMP EBX, 0x8'],
  [0xf80002aa1091n, '72df', 'JB 0xf80002aa1072', 'ntoskrnl.exe!PsSetLoadImageNotifyRoutine + 0x22'],
  [0xf80002aa1093n, '488bcf', 'MOV RCX, RDI'],
  [0xf80002aa1096n, 'e805e9f5ff', 'CALL 0xf800029ff9a0', 'ntoskrnl.exe!IopDeallocateApc'],
  [0xf80002aa109bn, 'ebcc', 'JMP 0xf80002aa1069', 'ntoskrnl.exe!PsSetLoadImageNotifyRoutine + 0x19'],
  [0xf80002aa109dn, 'f083053bd4d9ff01', 'LOCK ADD DWORD [RIP-0x262bc5], 0x1', '0x1 ntoskrnl.exe!PspLoadImageNotifyRoutineCount'],
  [0xf80002aa10a5n, '8b05d5d3d9ff', 'MOV EAX, [RIP-0x262c2b]', '0x7 ntoskrnl.exe!PspNotifyEnableMask'],
  [0xf80002aa10abn, 'a801', 'TEST AL, 0x1'],
  [0xf80002aa10adn, '7509', 'JNZ 0xf80002aa10b8', 'ntoskrnl.exe!PsSetLoadImageNotifyRoutine + 0x68'],
  [0xf80002aa10afn, 'f00fba2dc8d3d9ff00', 'LOCK BTS DWORD [RIP-0x262c38], 0x0', '0x7 ntoskrnl.exe!PspNotifyEnableMask'],
  [0xf80002aa10b8n, '33c0', 'XOR EAX, EAX'],
  [0xf80002aa10ban, '488b5c2430', 'MOV RBX, [RSP+0x30]'],
  [0xf80002aa10bfn, '4883c420', 'ADD RSP, 0x20'],
  [0xf80002aa10c3n, '5f', 'POP RDI'],
];

/** Symbols and the values of variables, as the listing's comments state them. */
const SYMBOLS: readonly (readonly [bigint, string, string?])[] = [
  [0xf8000283e480n, 'PspNotifyEnableMask', '0700000000000000'],
  [0xf8000283e4a0n, 'PspLoadImageNotifyRoutine', 'bf101300a0f8ffff'],
  [0xf8000283e4e0n, 'PspLoadImageNotifyRoutineCount', '01000000'],
  [0xf800029ff9a0n, 'IopDeallocateApc'],
  [0xf80002a22850n, 'ExCompareExchangeCallBack'],
  [0xf80002a8c220n, 'ExAllocateCallBack'],
  [0xf80002aa1050n, 'PsSetLoadImageNotifyRoutine'],
];

test('a listing looks as Rekall printed it: instructions, names, values', async () => {
  const base = 0xf8000283e000n;
  const memory = Buffer.alloc(0x264000);
  for (const [address, hex] of LISTING) memory.write(hex, Number(address - base), 'hex');
  for (const [address, , value] of SYMBOLS) if (value !== undefined) memory.write(value, Number(address - base), 'hex');
  const space = new BufferSpace(memory, base);
  const nearest: Names['nearest'] = (address) => {
    const found = SYMBOLS.findLast(([at]) => at <= address);
    return found && { module: 'ntoskrnl.exe', symbol: { address: found[0], name: found[1], kind: found[1].startsWith('Psp') ? 'D' : 'T' }, distance: address - found[0] };
  };
  const name: Names['name'] = (address) => {
    const found = nearest(address);
    return found && `${found.module}!${found.symbol.name}${found.distance === 0n ? '' : `+0x${found.distance.toString(16)}`}`;
  };
  const commentator = new Commentator({ space, names: { nearest, name }, bits: 64 });
  const [first] = LISTING as [(typeof LISTING)[number]];
  const code = [...(await loadDisassembler(64)).decode(space, first[0], 0xf80002aa10c4n)] as Instruction[];
  assert.deepEqual(
    code.map((one) => [one.address, one.bytes.toString('hex'), one.text, commentator.comment(one)]),
    LISTING.map(([address, hex, text, comment]) => [address, hex, text, comment ?? '']),
  );
});
