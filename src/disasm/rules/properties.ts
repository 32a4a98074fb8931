import type { OperandProperty } from '../../symbols/dynamic.js';
import { after, type CanonicalOperand, type Instruction } from '../instruction.js';

/** What rules for instructions need to know of the surroundings of code. */
export interface CodeSurroundings {
  /** names of an address, as `module!symbol` or `module!symbol+0x10`; none where nothing is known to be */
  names(address: bigint): readonly string[];
  /** an unsigned integer in memory; undefined where that cannot be read */
  read(address: bigint, size: number): bigint | undefined;
  /** width of the code */
  readonly bits: 16 | 32 | 64;
}

/** A property of an operand. Numbers are signed, of so many bits. */
export interface Property {
  readonly value: bigint | string | null;
  readonly bits: number;
}

/**
 * An instruction as the rules of Rekall's profiles see it, which are written for Capstone's reading of code: a branch's target is an immediate, an operand that is
 * relative to the instruction pointer has its displacement as `disp` and where it leads as `address`, and the integer there as `target`.
 */
export class RuledInstruction {
  private commented: readonly string[] | undefined;

  constructor(
    readonly instruction: Instruction,
    private readonly around: CodeSurroundings,
  ) {}

  get mnemonic(): string {
    // Capstone reads 66 90 as what it is for.
    return this.instruction.text === 'XCHG AX, AX' ? 'NOP' : mnemonicKey(this.instruction.mnemonic);
  }

  /** The property of an operand; undefined where it has none of that name. */
  property(operand: number, name: OperandProperty): Property | undefined {
    const one = this.instruction.operands[operand];
    if (!one) return undefined;
    switch (name) {
      case 'type':
        return text(one.type === 'BRANCH' ? 'IMM' : one.type);
      case 'size':
        return whole(this.size(one));
      case 'reg':
        return one.type === 'REG' ? text(one.reg) : undefined;
      case 'base':
      case 'index':
        return one.type === 'MEM' ? text(one[name] ?? null) : undefined;
      case 'scale':
        return one.type === 'MEM' ? whole(one.scale ?? 1) : undefined;
      case 'disp':
        return one.type === 'MEM' ? this.signed(relative(one) ? one.displacement - after(this.instruction) : one.displacement) : undefined;
      case 'address':
        return this.address(one);
      case 'target':
        return one.type === 'MEM' ? this.behind(one) : this.address(one);
    }
  }

  /**
   * What a listing says of its operands, the last that says something: all names of a number or a place in one text, and each of several for itself. Of a place
   * in memory the value there stands in front, and what that is the address of behind an arrow.
   */
  get comments(): readonly string[] {
    return (this.commented ??= this.instruction.operands.map((one) => this.comment(one)).findLast((said) => said.length > 0) ?? []);
  }

  private comment(one: CanonicalOperand): readonly string[] {
    const address = this.address(one);
    if (typeof address?.value !== 'bigint') return [];
    const at = BigInt.asUintN(address.bits, address.value);
    const names = this.around.names(at);
    if (one.type !== 'MEM') return names.length > 1 ? [names.join(', '), ...names] : names;
    const value = this.around.read(at, [1, 2, 4].includes(one.size) ? one.size : this.around.bits / 8);
    if (value === undefined) return [];
    const leads = this.around.names(value).join(', ');
    return [`0x${value.toString(16)} ${names.join(', ')}${leads === '' ? '' : ` -> ${leads}`}`];
  }

  /** Where an operand leads without a register's help, that of a segment's base among them; an immediate's value. */
  private address(one: CanonicalOperand): Property | undefined {
    switch (one.type) {
      case 'REG':
        return undefined;
      case 'IMM':
        return { value: BigInt.asIntN(one.size * 8, one.value), bits: one.size * 8 };
      case 'BRANCH':
        return this.signed(one.target);
      case 'MEM':
        if (one.segment === 'FS' || one.segment === 'GS') return undefined;
        return relative(one) || (one.base === undefined && one.index === undefined) ? this.signed(one.displacement) : undefined;
    }
  }

  private behind(one: CanonicalOperand & { type: 'MEM' }): Property | undefined {
    const address = this.address(one);
    const size = this.size(one);
    if (typeof address?.value !== 'bigint' || (size !== 4 && size !== 8)) return undefined;
    const value = this.around.read(BigInt.asUintN(address.bits, address.value), size);
    return value === undefined ? undefined : { value: BigInt.asIntN(size * 8, value), bits: size * 8 };
  }

  /** Bytes. A place of which only the address is taken (LEA) is as wide as the register that takes it. */
  private size(one: CanonicalOperand): number {
    if (one.type === 'BRANCH') return this.around.bits / 8;
    if (one.type !== 'MEM' || one.size > 0) return one.size;
    const [first] = this.instruction.operands;
    return first?.type === 'REG' ? first.size : 0;
  }

  private signed(value: bigint): Property {
    const { bits } = this.around;
    return { value: BigInt.asIntN(bits, value), bits };
  }
}

/** Capstone's mnemonic, one of each two that mean the same: JZ is JE, CMOVNZ is CMOVNE, MOVABS is MOV. */
export function mnemonicKey(mnemonic: string): string {
  const upper = mnemonic.toUpperCase();
  return upper === 'MOVABS' ? 'MOV' : upper.replace(/^(J|SET|CMOV|LOOP)(N?)Z$/, '$1$2E');
}

function relative(one: CanonicalOperand & { type: 'MEM' }): boolean {
  return one.base === 'RIP' || one.base === 'EIP';
}

function text(value: string | null): Property {
  return { value, bits: 0 };
}

function whole(value: number): Property {
  return { value: BigInt(value), bits: 64 };
}
