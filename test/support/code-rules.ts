import { join } from 'node:path';
import type { Session } from '../../src/session/session.js';
import { root } from './root.js';

export type Rule = Readonly<Record<string, unknown>>;

/** A program of ours that stands for a kernel. */
export const ruledProgram = (machine: 'x64' | 'x86'): string => join(root, 'fixtures/code-rules', machine, 'ntoskrnl.exe');

export const reg = (name: string): Rule => ({ type: 'REG', reg: name });
export const at = (base: string | null, more: Rule): Rule => ({ type: 'MEM', base, ...more });
export const number = (value: unknown): Rule => ({ type: 'IMM', address: value });
export const instruction = (mnemonic: string, ...operands: readonly (Rule | null)[]): Rule => ({ mnemonic, ...(operands.length > 0 && { operands }) });
export const call = (comment: string, mnemonic = 'CALL'): Rule => ({ mnemonic, comment });

/** An alternative of $DYNAMIC_CONSTANTS. */
export const constant = (start: string, rules: readonly Rule[], more: Rule = {}): Rule => ({ type: 'DisassembleConstantMatcher', args: { start, rules, ...more } });
/** An alternative of $DYNAMIC_STRUCTS. */
export const struct = (start: string, fields: Rule, rules: readonly Rule[], more: Rule = {}): Rule => ({ type: 'DisassembleStructMatcher', args: { start, fields, rules, ...more } });

/** What the compiler made of the program's private parts. */
export interface RuledTruth {
  readonly address: number;
  readonly count: number;
  readonly end: number;
  readonly directory: number;
  readonly services: number;
  readonly partitions: bigint;
  readonly tables: bigint;
}

export async function ruledTruth(session: Session): Promise<RuledTruth> {
  const { space, profile } = await session.kernel();
  const [truth, places] = [profile.address('Truth'), profile.address('TruthPlaces')];
  const [address = 0, count = 0, end = 0, directory = 0, services = 0] = [0n, 4n, 8n, 12n, 16n].map((offset) => space.readU32(truth + offset));
  const pointer = BigInt(profile.pointerSize);
  return { address, count, end, directory, services, partitions: space.readPointer(places), tables: space.readPointer(places + pointer) };
}
