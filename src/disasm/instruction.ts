/** What an instruction does to the order of execution. */
export type Flow = 'next' | 'jump' | 'conditional' | 'indirect jump' | 'call' | 'indirect call' | 'return' | 'trap';

/** A place that an instruction names: an operand, as far as it can be known without the registers' values. */
export type Reference =
  /** where a direct jump or call goes */
  | { readonly kind: 'branch'; readonly target: bigint }
  /** a number in the code, which may be an address; `size` bytes of the operand that it goes to */
  | { readonly kind: 'immediate'; readonly value: bigint; readonly size: number }
  | MemoryReference;

/** An operand in memory. */
export interface MemoryReference {
  readonly kind: 'memory';
  /** displacement, or the address that is relative to the instruction pointer; 64 bits, sign-extended */
  readonly address: bigint;
  /** the address is all there is: no base or index register is added */
  readonly absolute: boolean;
  /** a segment whose base is not 0 everywhere: the operating system keeps its own data behind it */
  readonly segment: 'FS' | 'GS' | undefined;
  /** bytes that are accessed, 0 where the instruction only computes the address (LEA) */
  readonly size: number;
}

/** An operand for signatures: what stays when registers are renamed or code moves can be told from what does not. */
export type CanonicalOperand =
  | { readonly type: 'REG'; readonly reg: string; readonly size: number }
  /** the value as it reaches an operand of `size` bytes, extended to 64 bits */
  | { readonly type: 'IMM'; readonly value: bigint; readonly size: number }
  | { readonly type: 'BRANCH'; readonly target: bigint }
  | {
      readonly type: 'MEM';
      readonly base?: string;
      readonly index?: string;
      readonly scale?: number;
      readonly segment?: string;
      readonly displacement: bigint;
      /** bytes */
      readonly size: number;
    };

/** One decoded instruction, or one byte that begins none (`DB 0x06`). Plain data: it outlives the decoder. */
export interface Instruction {
  readonly kind: 'instruction' | 'bad';
  readonly address: bigint;
  readonly bytes: Buffer;
  /** as listed: `LOCK ADD DWORD [RIP-0x262bc5], 0x1` */
  readonly text: string;
  /** without prefixes: `ADD` */
  readonly mnemonic: string;
  readonly flow: Flow;
  readonly references: readonly Reference[];
  /** empty unless they were asked for */
  readonly operands: readonly CanonicalOperand[];
}

/** Addresses between instructions that cannot be read. */
export interface UnreadableCode {
  readonly kind: 'unreadable';
  readonly address: bigint;
  /** bytes */
  readonly length: bigint;
}

/** Where code goes on behind this. */
export function after(code: Instruction | UnreadableCode): bigint {
  return code.address + (code.kind === 'unreadable' ? code.length : BigInt(code.bytes.length));
}
