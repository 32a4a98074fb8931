import type * as Iced from 'iced-x86';
import type { CanonicalOperand, Flow, Reference } from './instruction.js';

type Library = typeof Iced;

const ALL = (1n << 64n) - 1n;

/** What an instruction does to the order of execution. */
export function flowOf({ FlowControl }: Library, instruction: Iced.Instruction): Flow {
  switch (instruction.flowControl) {
    case FlowControl.UnconditionalBranch:
      return 'jump';
    case FlowControl.IndirectBranch:
      return 'indirect jump';
    case FlowControl.ConditionalBranch:
      return 'conditional';
    case FlowControl.Return:
      return 'return';
    // SYSCALL, VMCALL and their like come back too.
    case FlowControl.Call:
      return 'call';
    case FlowControl.IndirectCall:
      return 'indirect call';
    case FlowControl.Exception:
      return 'trap';
    default:
      return 'next';
  }
}

/**
 * Where a direct branch goes. In 16-bit code the processor counts from the segment's base, which is not known here: the distance to the
 * instruction holds all the same.
 */
function branchTarget({ OpKind, CodeSize }: Library, instruction: Iced.Instruction, kind: Iced.OpKind, address: bigint): bigint {
  const target = instruction.nearBranchTarget;
  return kind === OpKind.NearBranch16 && instruction.codeSize === CodeSize.Code16 ? BigInt.asUintN(64, address + BigInt.asIntN(16, target - address)) : target;
}

/** The places that the operands name, in the order of the operands. */
export function referencesOf(iced: Library, instruction: Iced.Instruction, address: bigint): Reference[] {
  const { OpKind, Register, MemorySizeExt } = iced;
  const references: Reference[] = [];
  for (let operand = 0; operand < instruction.opCount; operand++) {
    const kind = instruction.opKind(operand);
    if (kind === OpKind.NearBranch16 || kind === OpKind.NearBranch32 || kind === OpKind.NearBranch64) {
      references.push({ kind: 'branch', target: branchTarget(iced, instruction, kind, address) });
    } else if (kind === OpKind.Memory) {
      const relative = instruction.isIpRelMemoryOperand;
      const { memoryBase, memoryIndex, memorySegment } = instruction;
      references.push({
        kind: 'memory',
        address: relative ? instruction.ipRelMemoryAddress : instruction.memoryDisplacement & ALL,
        absolute: relative || (memoryBase === Register.None && memoryIndex === Register.None),
        segment: memorySegment === Register.FS ? 'FS' : memorySegment === Register.GS ? 'GS' : undefined,
        size: MemorySizeExt.size(instruction.memorySize),
      });
    } else {
      const size = immediateSize(iced, kind);
      if (size > 0) references.push({ kind: 'immediate', value: instruction.immediate(operand) & ALL, size });
    }
  }
  return references;
}

/** Bytes of the operand that an immediate is extended to; 0 where the operand is none. */
function immediateSize({ OpKind }: Library, kind: Iced.OpKind): number {
  switch (kind) {
    case OpKind.Immediate8:
    case OpKind.Immediate8_2nd:
      return 1;
    case OpKind.Immediate16:
    case OpKind.Immediate8to16:
      return 2;
    case OpKind.Immediate32:
    case OpKind.Immediate8to32:
      return 4;
    case OpKind.Immediate64:
    case OpKind.Immediate8to64:
    case OpKind.Immediate32to64:
      return 8;
    default:
      return 0;
  }
}

/** Operands taken apart. Those that the mnemonic implies (string instructions' RSI and RDI) are left out. */
export function operandsOf(iced: Library, instruction: Iced.Instruction, formatter: Iced.Formatter, address: bigint): CanonicalOperand[] {
  const { OpKind, Register, RegisterExt, MemorySizeExt } = iced;
  const operands: CanonicalOperand[] = [];
  const register = (one: Iced.Register): string | undefined => (one === Register.None ? undefined : formatter.formatRegister(one));
  for (let operand = 0; operand < instruction.opCount; operand++) {
    const kind = instruction.opKind(operand);
    if (kind === OpKind.Register) {
      const reg = instruction.opRegister(operand);
      operands.push({ type: 'REG', reg: formatter.formatRegister(reg), size: RegisterExt.size(reg) });
    } else if (kind === OpKind.NearBranch16 || kind === OpKind.NearBranch32 || kind === OpKind.NearBranch64) {
      operands.push({ type: 'BRANCH', target: branchTarget(iced, instruction, kind, address) });
    } else if (kind === OpKind.Memory) {
      const base = register(instruction.memoryBase);
      const index = register(instruction.memoryIndex);
      const segment = register(instruction.segmentPrefix);
      operands.push({
        type: 'MEM',
        ...(base !== undefined && { base }),
        ...(index !== undefined && { index, scale: instruction.memoryIndexScale }),
        ...(segment !== undefined && { segment }),
        displacement: instruction.isIpRelMemoryOperand ? instruction.ipRelMemoryAddress : BigInt.asIntN(64, instruction.memoryDisplacement),
        size: MemorySizeExt.size(instruction.memorySize),
      });
    } else {
      const size = immediateSize(iced, kind);
      if (size > 0) operands.push({ type: 'IMM', value: instruction.immediate(operand) & ALL, size });
    }
  }
  return operands;
}
