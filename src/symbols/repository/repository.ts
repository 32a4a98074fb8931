import { unpacked } from '../container.js';
import { ProfileError } from '../error.js';
import { isIsf, isfProfile } from '../isf/read.js';
import { parseJsonObject } from '../json.js';
import { isPdb } from '../pdb/msf.js';
import { rekallProfile, type RekallProfile } from '../rekall/read.js';
import type { ProfileSource } from '../source.js';
import type { ProfileStore } from './store.js';

/** Symlinks are followed so far: more is a circle. */
const MOST_LINKS = 8;

/** Profiles by name, from the first store that has them. */
export class ProfileRepository {
  constructor(readonly stores: readonly ProfileStore[]) {}

  /**
   * The profile of a name, through symlinks; undefined where no store has it. Each store is asked in its order.
   * @param tried told where was looked and what came of it
   * @throws ProfileError where a store has it and it cannot be read
   */
  async load(name: string, tried: (place: string, outcome: string) => void = () => undefined): Promise<ProfileSource | undefined> {
    let wanted = name;
    for (let links = 0; links <= MOST_LINKS; links++) {
      const found = await this.fetch(wanted, tried);
      if (!found) return undefined;
      const bytes = await unpacked(found.bytes, found.from);
      if (isPdb(bytes)) return (await import('../pdb/read.js')).readPdb(bytes, found.from);
      const json = parseJsonObject(bytes, found.from);
      if (isIsf(json)) return isfProfile(json, found.from);
      const profile = rekallProfile(json, found.from);
      const target = targetOf(profile);
      if (target === undefined) return profile;
      tried(found.from, `a link to ${target}`);
      wanted = target;
    }
    throw new ProfileError(`${name} is a link that leads to more than ${MOST_LINKS} others.`, 'Mend the links in the repository.');
  }

  private async fetch(name: string, tried: (place: string, outcome: string) => void): Promise<{ bytes: Buffer; from: string } | undefined> {
    for (const store of this.stores) {
      const found = await store.fetch(name);
      if (found) {
        tried(found.from, 'found');
        return found;
      }
      tried(store.name, `has no ${name}`);
    }
    return undefined;
  }
}

/** What a Symlink profile leads to. */
function targetOf(profile: RekallProfile): string | undefined {
  if (profile.type !== 'Symlink') return undefined;
  const target = profile.metadata['Target'];
  return typeof target === 'string' && target !== '' ? target : undefined;
}
