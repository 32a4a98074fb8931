import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { fileProblem } from '../../memory/folders.js';
import { ProfileError } from '../error.js';
import { type ZipBytes, type ZipMember, zipMembersOf } from '../volatility2/zip.js';
import { endingsOf, isSafeName, type ProfileStore } from './store.js';

/**
 * A zip file of a repository: a copy of Rekall's as GitHub gives it (`rekall-profiles-master/v1.0/…`), or of its `v1.0` alone. Its
 * directory is read when something is first asked for, the files as they are.
 */
export class ZipStore implements ProfileStore {
  private members: Map<string, ZipMember> | undefined;

  constructor(readonly name: string) {}

  async fetch(profile: string): Promise<{ bytes: Buffer; from: string } | undefined> {
    return this.fetchNow(profile);
  }

  fetchNow(profile: string): { bytes: Buffer; from: string } | undefined {
    if (!isSafeName(profile)) return undefined;
    try {
      const members = (this.members ??= indexed(zipMembersOf(onDisk(this.name), this.name)));
      for (const ending of endingsOf(profile)) {
        const member = members.get(`${profile}${ending}`);
        if (member) return { bytes: member.read(), from: `${this.name}:${member.name}` };
      }
      return undefined;
    } catch (error) {
      if (error instanceof ProfileError || !(error instanceof Error && 'code' in error)) throw error;
      throw new ProfileError(`${this.name} cannot be read: ${fileProblem(error)}.`, 'Check --repository_path.', { cause: error });
    }
  }
}

/** Members by the name that a profile is asked for: behind `v1.0/`, or behind the folder that holds all, or as it stands. */
function indexed(members: readonly ZipMember[]): Map<string, ZipMember> {
  const first = members[0]?.name.split('/')[0] ?? '';
  const common = members.every(({ name }) => name.startsWith(`${first}/`)) ? `${first}/` : '';
  const found = new Map<string, ZipMember>();
  for (const member of members) {
    for (const name of [member.name.slice(common.length).replace(/^v1\.0\//, ''), member.name]) if (!found.has(name)) found.set(name, member);
  }
  return found;
}

/** The file is opened for each read: a session may keep its repositories for days. */
function onDisk(path: string): ZipBytes {
  const { size } = statSync(path);
  return {
    size,
    read: (at, length) => {
      const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - at)));
      const file = openSync(path, 'r');
      try {
        let done = 0;
        for (let count = 1; done < bytes.length && count > 0; done += count) count = readSync(file, bytes, done, bytes.length - done, at + done);
        return bytes.subarray(0, done);
      } finally {
        closeSync(file);
      }
    },
  };
}
