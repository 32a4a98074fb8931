import type { CanonicalOperand, Instruction } from './instruction.js';

/**
 * An instruction taken apart for signatures, as YAML in one line: `{mnemonic: MOV, operands: [{type: REG, reg: RBX, size: 8}, {type: MEM, base: RSP,
 * disp: 0x8, size: 8}]}`. Places that have a name are given by it: the same code gives the same text wherever it was loaded.
 * @param name the name of an address, undefined where it has none
 */
export function canonical(instruction: Instruction, name: (address: bigint) => string | undefined): string {
  const operands = instruction.operands.map((operand) => `{${fields(operand, name).join(', ')}}`);
  return `{mnemonic: ${instruction.mnemonic}, operands: [${operands.join(', ')}]}`;
}

function fields(operand: CanonicalOperand, name: (address: bigint) => string | undefined): string[] {
  const type = `type: ${operand.type}`;
  switch (operand.type) {
    case 'REG':
      return [type, `reg: ${operand.reg}`, `size: ${operand.size}`];
    case 'IMM': {
      const target = name(operand.value);
      return [type, target === undefined ? `value: ${hex(operand.value)}` : `target: ${quoted(target)}`];
    }
    case 'BRANCH':
      return [type, `target: ${quoted(name(operand.target) ?? hex(operand.target))}`];
    case 'MEM': {
      const address = BigInt.asUintN(64, operand.displacement);
      const target = operand.base === undefined || operand.base === 'RIP' ? name(address) : undefined;
      return [
        type,
        ...(operand.segment === undefined ? [] : [`segment: ${operand.segment}`]),
        ...(operand.base === undefined ? [] : [`base: ${operand.base}`]),
        ...(operand.index === undefined ? [] : [`index: ${operand.index}`, `scale: ${operand.scale ?? 1}`]),
        target === undefined ? `disp: ${hex(operand.displacement)}` : `target: ${quoted(target)}`,
        `size: ${operand.size}`,
      ];
    }
  }
}

/** `!` begins a tag in YAML only where a value begins; a name never does, but a comma or a space in one would end it. */
function quoted(text: string): string {
  return /^[\w.!$@+-]+$/.test(text) ? text : JSON.stringify(text);
}

function hex(value: bigint): string {
  return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}
