import { Absent, orAbsent, orElse } from '../../../memory/absent.js';
import type { Struct } from '../../../object/struct.js';
import { fastRef } from '../fast-ref.js';
import type { WindowsKernel } from '../kernel.js';
import { sidName, sidText } from './sid.js';
import type { Ethread } from './threads.js';
import type { Eprocess } from '../types.js';

/** Groups and capabilities that a token may have (Microsoft, "Logging on a user account fails when it is a member of more than 1010 groups"), with room. */
const MOST_SIDS = 4096;
/** Privileges of an XP token at most; Windows has 36. */
const MOST_PRIVILEGES = 1024;

/** A process's primary token; undefined where it has none. Throws Absent where it cannot be read. */
export function tokenOf(kernel: WindowsKernel, process: Eprocess): Struct | undefined {
  const address = fastRef(process.$get('Token') as Struct);
  return address === 0n ? undefined : kernel.at('_TOKEN', address);
}

/** A token that a thread uses instead of its process's. */
export interface Impersonation {
  readonly token: Struct;
  /** `SECURITY_IMPERSONATION_LEVEL` of winnt.h: Anonymous and Identification allow to ask who it is, Impersonation to act as the user, Delegation also on other machines */
  readonly level: (typeof LEVELS)[number];
  /** only what is enabled in the token counts */
  readonly effectiveOnly: boolean;
}

const LEVELS = ['Anonymous', 'Identification', 'Impersonation', 'Delegation'] as const;

/**
 * What a thread impersonates; undefined of one that acts as its process (ActiveImpersonationInfo, a bit of CrossThreadFlags; what stands in the other members then is
 * left over). Since Windows 7 the token's address has level and flag in its low bits (`_PS_CLIENT_SECURITY_CONTEXT`), before there was a
 * `_PS_IMPERSONATION_INFORMATION`. Throws Absent.
 */
export function impersonationOf(kernel: WindowsKernel, thread: Ethread): Impersonation | undefined {
  if (Number(thread.$get('ActiveImpersonationInfo')) !== 1) return undefined;
  const made = (token: bigint, level: number, effectiveOnly: boolean): Impersonation | undefined =>
    token === 0n ? undefined : { token: kernel.at('_TOKEN', token), level: LEVELS[level & 3] ?? 'Anonymous', effectiveOnly };
  if (thread.$has('ClientSecurity')) {
    const word = thread.$space.readPointer(thread.$addressOf('ClientSecurity'));
    return made(word & ~7n, Number(word & 3n), (word & 4n) !== 0n);
  }
  const information = kernel.at('_PS_IMPERSONATION_INFORMATION', thread.$pointer('ImpersonationInfo'));
  return made(information.$pointer('Token'), information.$space.readU32(information.$addressOf('ImpersonationLevel')), Number(information.$get('EffectiveOnly')) !== 0);
}

/** Whom a token stands for: the name of its user where that is the same everywhere, else the SID, with what is known of it. Throws Absent. */
export function tokenUser(kernel: WindowsKernel, token: Struct): string {
  const [user] = tokenSids(kernel, token);
  if (!user) throw new Absent('corrupt', 'the token has no user', token.$address);
  if (user.sid instanceof Absent) throw user.sid;
  const name = sidName(user.sid) ?? undefined;
  if (name === undefined) return user.sid;
  // The same on every system is only what kind of account of its computer or domain it is.
  return user.sid.startsWith('S-1-5-21-') ? `${user.sid} (${name})` : name;
}

/** What a SID is in a token. */
export type SidKind = 'user' | 'group' | 'integrity' | 'logon' | 'restricted' | 'package' | 'capability';

/** A SID of a token. */
export interface TokenSid {
  /** `S-1-5-18`; Absent where it cannot be read, or is none */
  readonly sid: string | Absent;
  readonly kind: SidKind;
  /** `SE_GROUP_…` of winnt.h */
  readonly attributes: number;
}

/** Lists of SIDs in `_TOKEN`; the last is there since Windows 8. */
const LISTS = [
  { count: 'UserAndGroupCount', list: 'UserAndGroups' },
  { count: 'RestrictedSidCount', list: 'RestrictedSids', kind: 'restricted' },
  { count: 'CapabilityCount', list: 'Capabilities', kind: 'capability' },
] as const;

/**
 * The SIDs of a token: the user first, then the groups. One that cannot be read is Absent, and the others go on.
 * @param all those that only take rights away (restricting SIDs), and an app container's package and capabilities, too
 */
export function* tokenSids(kernel: WindowsKernel, token: Struct, all = false, onFault?: (what: string) => void): Generator<TokenSid> {
  const entry = kernel.struct('_SID_AND_ATTRIBUTES');
  const step = BigInt(entry.size ?? 2 * kernel.profile.pointerSize);
  for (const [index, { count: counter, list, ...of }] of LISTS.entries()) {
    if ((index > 0 && !all) || !token.$has(list)) continue;
    const head = orAbsent(() => ({ stated: Number(token.$get(counter)), start: token.$pointer(list) }));
    if (head instanceof Absent) {
      onFault?.(`${list} of the token at 0x${token.$address.toString(16)} cannot be read: ${head.reason}`);
      continue;
    }
    const { stated, start } = head;
    if (stated > MOST_SIDS) onFault?.(`the token at 0x${token.$address.toString(16)} states ${stated} SIDs (${counter})`);
    if (start === 0n || stated > MOST_SIDS) continue;
    for (let at = 0; at < stated; at++) {
      const one = entry.at(kernel.space, start + BigInt(at) * step);
      const attributes = orElse(() => Number(one.$get('Attributes')) >>> 0, 0);
      const sid = sidAt(kernel, () => one.$pointer('Sid'));
      yield { sid, kind: 'kind' in of ? of.kind : at === 0 ? 'user' : groupKind(sid), attributes };
    }
  }
  // Since Windows 8: the SID of the app container that the process runs in.
  const container = all && token.$has('Package') ? orElse(() => token.$pointer('Package'), 0n) : 0n;
  if (container !== 0n) yield { sid: sidAt(kernel, () => container), kind: 'package', attributes: 0 };
}

/** Integrity levels and logon sessions stand among the groups; their SIDs tell them. */
function groupKind(sid: string | Absent): SidKind {
  if (sid instanceof Absent) return 'group';
  return sid.startsWith('S-1-16-') ? 'integrity' : sid.startsWith('S-1-5-5-') ? 'logon' : 'group';
}

function sidAt(kernel: WindowsKernel, pointer: () => bigint): string | Absent {
  try {
    const address = pointer();
    return sidText(kernel, address) ?? new Absent('corrupt', 'no SID stands there', address);
  } catch (error) {
    if (error instanceof Absent) return error;
    throw error;
  }
}

/** Names of `SE_GROUP_…` (winnt.h). */
const GROUP_ATTRIBUTES: readonly (readonly [bit: number, name: string])[] = [
  [0x1, 'mandatory'],
  [0x2, 'enabled by default'],
  [0x4, 'enabled'],
  [0x8, 'owner'],
  [0x10, 'deny only'],
  [0x20, 'integrity'],
  [0x40, 'integrity enabled'],
  [0x20000000, 'resource'],
  [0xc0000000, 'logon id'],
];

/** `mandatory, enabled by default, enabled` */
export function groupAttributes(attributes: number): string {
  return GROUP_ATTRIBUTES.filter(([bit]) => (attributes & bit) >>> 0 === bit)
    .map(([, name]) => name)
    .join(', ');
}

/** A privilege in a token. */
export interface TokenPrivilege {
  /** the low part of its LUID: 20 for SeDebugPrivilege */
  readonly value: number;
  readonly present: boolean;
  readonly enabled: boolean;
  readonly byDefault: boolean;
}

/** `SE_PRIVILEGE_…` of winnt.h */
const ENABLED_BY_DEFAULT = 0x1;
const ENABLED = 0x2;

/**
 * The privileges of a token, by number. Since Windows Vista three words of 64 bits (`_SEP_TOKEN_PRIVILEGES`): all 64 are given; before, an array
 * of `_LUID_AND_ATTRIBUTES` of those that are present. Throws Absent.
 */
export function* tokenPrivileges(kernel: WindowsKernel, token: Struct, onFault?: (what: string) => void): Generator<TokenPrivilege> {
  if (!token.$has('PrivilegeCount')) {
    const own = token.$get('Privileges') as Struct;
    const [present, enabled, byDefault] = ['Present', 'Enabled', 'EnabledByDefault'].map((member) => BigInt(own.$get(member) as number | bigint)) as [bigint, bigint, bigint];
    for (let value = 0; value < 64; value++) {
      const has = (word: bigint): boolean => ((word >> BigInt(value)) & 1n) === 1n;
      yield { value, present: has(present), enabled: has(enabled), byDefault: has(byDefault) };
    }
    return;
  }
  const count = Number(token.$get('PrivilegeCount'));
  if (count > MOST_PRIVILEGES) {
    onFault?.(`the token at 0x${token.$address.toString(16)} states ${count} privileges`);
    return;
  }
  const entry = kernel.struct('_LUID_AND_ATTRIBUTES');
  const start = token.$pointer('Privileges');
  const found: TokenPrivilege[] = [];
  for (let at = 0; at < count && start !== 0n; at++) {
    const one = entry.at(kernel.space, start + BigInt(at * (entry.size ?? 12)));
    const attributes = Number(one.$get('Attributes'));
    found.push({ value: Number((one.$get('Luid') as Struct).$get('LowPart')), present: true, enabled: (attributes & ENABLED) !== 0, byDefault: (attributes & ENABLED_BY_DEFAULT) !== 0 });
  }
  yield* found.sort((a, b) => a.value - b.value);
}
