import { unpacked } from '../container.js';
import { ProfileError } from '../error.js';
import { isIsf, isfProfile } from '../isf/read.js';
import { type JsonObject, parseJsonObject } from '../json.js';
import { isPdb } from '../pdb/msf.js';
import { rekallProfile, type RekallProfile } from '../rekall/read.js';
import type { ProfileSource } from '../source.js';
import { merged } from './merge.js';
import type { ProfileStore } from './store.js';

/** Symlinks and $MERGE are followed so far: more is a circle. */
const MOST_LINKS = 8;

/** Told where was looked and what came of it. */
export type Tried = (place: string, outcome: string) => void;

/** What stands behind a name: JSON still to be read, or a profile. */
type Content = { readonly from: string; readonly json: JsonObject } | { readonly from: string; readonly source: ProfileSource };

/** Profiles by name, from the first store that has them. */
export class ProfileRepository {
  constructor(readonly stores: readonly ProfileStore[]) {}

  /**
   * The profile of a name, through symlinks and with what it merges; undefined where no store has it. Each store is asked in its order;
   * one that cannot be asked, or whose copy is damaged, is passed over.
   * @throws ProfileError where a store has it, it cannot be read, and no other store has it
   */
  async load(name: string, tried: Tried = () => undefined): Promise<ProfileSource | undefined> {
    return this.follow(name, tried, 0);
  }

  private async follow(name: string, tried: Tried, links: number): Promise<ProfileSource | undefined> {
    if (links > MOST_LINKS) throw new ProfileError(`${name} is a link that leads to more than ${MOST_LINKS} others.`, 'Mend the links in the repository.');
    const found = await this.find(name, tried);
    if (!found) return undefined;
    if ('source' in found) return found.source;
    if (isIsf(found.json)) return isfProfile(found.json, found.from);
    const profile = rekallProfile(found.json, found.from);
    const target = targetOf(profile);
    if (target !== undefined) {
      tried(found.from, `a link to ${target}`);
      return this.follow(target, tried, links + 1);
    }
    if (profile.merge.length === 0) return profile;
    return rekallProfile(await this.withMerged(found.json, profile, tried, links + 1), found.from);
  }

  private async withMerged(json: JsonObject, profile: RekallProfile, tried: Tried, links: number): Promise<JsonObject> {
    if (links > MOST_LINKS) throw new ProfileError(`${profile.metadata.source} merges profiles that merge more than ${MOST_LINKS} others.`, 'Mend $MERGE in the repository.');
    const others: JsonObject[] = [];
    for (const name of profile.merge) {
      const found = await this.find(name, tried);
      if (!found || 'source' in found) throw new ProfileError(`${profile.metadata.source} needs ${name} ($MERGE), which no repository has.`, 'Add it to the repository.');
      others.push(await this.withMerged(found.json, rekallProfile(found.json, found.from), tried, links + 1));
    }
    return merged(json, others);
  }

  private async find(name: string, tried: Tried): Promise<Content | undefined> {
    let damage: ProfileError | undefined;
    for (const store of this.stores) {
      let found;
      try {
        found = await store.fetch(name);
      } catch (error) {
        if (!(error instanceof ProfileError)) throw error;
        tried(store.name, `cannot be asked (${error.message.replace(/\.$/, '')})`);
        continue;
      }
      if (!found) {
        tried(store.name, `has no ${name}`);
        continue;
      }
      try {
        const content = await contentOf(found.bytes, found.from);
        tried(found.from, 'found');
        return content;
      } catch (error) {
        if (!(error instanceof ProfileError)) throw error;
        damage ??= error;
        store.forget?.(name);
        tried(found.from, `cannot be used (${error.message.replace(/\.$/, '')})`);
      }
    }
    if (damage) throw damage;
    return undefined;
  }
}

async function contentOf(packed: Buffer, from: string): Promise<Content> {
  const bytes = await unpacked(packed, from);
  if (isPdb(bytes)) return { from, source: (await import('../pdb/read.js')).readPdb(bytes, from) };
  const json = parseJsonObject(bytes, from);
  // What is JSON and no profile is damage, too: another store may have the profile.
  if (!isIsf(json)) rekallProfile(json, from);
  return { from, json };
}

/** What a Symlink profile leads to. */
function targetOf(profile: RekallProfile): string | undefined {
  if (profile.type !== 'Symlink') return undefined;
  const target = profile.metadata['Target'];
  return typeof target === 'string' && target !== '' ? target : undefined;
}
