import type { StructType } from '../object/struct-type.js';
import type { Profile } from '../symbols/profile.js';
import type { MemberLayout } from '../symbols/types.js';
import type { Candidate } from './completion-list.js';

/** A member of a struct, to be offered. */
export interface MemberCandidate extends Candidate {
  /** bytes from the start of the struct */
  readonly offset: number;
}

/** The members of the struct that a path leads to (`task_struct`, `task_struct.mm`), with their types as C writes them; none where it leads nowhere. */
export function memberCandidates(profile: Profile, path: string): MemberCandidate[] {
  const [name = '', ...steps] = path.split('.');
  if (!profile.has(name)) return [];
  const struct = membersAlong(profile, profile.struct(name), steps);
  return struct ? membersOf(profile, struct) : [];
}

/** The members of a compiled struct. */
export function membersOf(profile: Profile, struct: StructType): MemberCandidate[] {
  return [...struct.members].map(([text, member]) => ({ text, hint: profile.compiler.describe(member.type), offset: member.offset }));
}

/** The struct at the end of a path of members; pointers and elements of arrays are followed. */
export function membersAlong(profile: Profile, struct: StructType, steps: readonly string[]): StructType | undefined {
  let at: StructType | undefined = struct;
  for (const step of steps) {
    const member: MemberLayout | undefined = at?.members.get(step.replace(/\[\d*\]$/, ''));
    at = member && at ? profile.structBehind(member.type, at.name) : undefined;
  }
  return at;
}
