import type { Forge } from './forge.js';
import type { Objects } from './objects.js';
import { PRIVILEGES, SIDS, type User } from './scene.js';

/** A SID in binary: revision, count, authority (big-endian), sub-authorities (winnt.h). */
export function sidBytes(text: string): Buffer {
  const [, revision = '1', authority = '0', ...parts] = text.split('-');
  const bytes = Buffer.alloc(8 + parts.length * 4);
  bytes.writeUInt8(Number(revision), 0);
  bytes.writeUInt8(parts.length, 1);
  bytes.writeUIntBE(Number(authority), 2, 6);
  for (const [index, part] of parts.entries()) bytes.writeUInt32LE(Number(part), 8 + index * 4);
  return bytes;
}

/** A process's token: its groups stand in the variable part behind the struct, its privileges are bits. */
export function writeToken(forge: Forge, objects: Objects, user: User, session: number, id: number): bigint {
  const sids = SIDS[user].map(([text, attributes]) => ({ bytes: sidBytes(text), attributes }));
  const entry = forge.size('_SID_AND_ATTRIBUTES');
  const own = forge.offset('_TOKEN', 'VariablePart');
  const variable = sids.length * entry + sids.reduce((sum, { bytes }) => sum + Math.ceil(bytes.length / 8) * 8, 0);
  const { present, enabled } = PRIVILEGES[user];
  const bits = (numbers: readonly number[]): bigint => numbers.reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n);
  const token = objects.create('Token', '_TOKEN', {}, { size: own + variable });
  const groups = token + BigInt(own);
  forge.put('_TOKEN', token, {
    TokenSource: { SourceName: Array.from(Buffer.from('*SYSTEM*')) },
    TokenId: { LowPart: 0x10000 + id },
    AuthenticationId: { LowPart: user === 'system' ? 0x3e7 : user === 'service' ? 0x3e5 : 0x1a2b3 },
    ModifiedId: { LowPart: 0x20000 + id },
    Privileges: { Present: bits(present), Enabled: bits(enabled), EnabledByDefault: bits(enabled) },
    SessionId: session,
    UserAndGroupCount: sids.length,
    VariableLength: variable,
    UserAndGroups: groups,
    PrimaryGroup: 0,
    TokenType: 1,
    TokenInUse: 1,
    IntegrityLevelIndex: sids.length - 1,
    MandatoryPolicy: 3,
  });
  let at = groups + BigInt(sids.length * entry);
  for (const [index, { bytes, attributes }] of sids.entries()) {
    forge.put('_SID_AND_ATTRIBUTES', groups + BigInt(index * entry), { Sid: at, Attributes: attributes });
    forge.system.write(at, bytes);
    at += BigInt(Math.ceil(bytes.length / 8) * 8);
  }
  return token;
}
