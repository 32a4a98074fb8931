import { unpacked, unpackedNow } from '../container.js';
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

/** A store is asked for a name. Whoever drives the search answers: with what it may wait for, or with what is at hand. */
interface Asked {
  readonly store: ProfileStore;
  readonly name: string;
}
type Search<T> = Generator<Asked, T, Content | undefined>;

/** Profiles by name, from the first store that has them. */
export class ProfileRepository {
  constructor(readonly stores: readonly ProfileStore[]) {}

  /**
   * The profile of a name, through symlinks and with what it merges; undefined where no store has it. Each store is asked in its order;
   * one that cannot be asked, or whose copy is damaged, is passed over.
   * @param signal stops it, also while a server is waited for
   * @throws ProfileError where a store has it, it cannot be read, and no other store has it; the signal's reason once that is aborted
   */
  async load(name: string, tried: Tried = () => undefined, signal?: AbortSignal): Promise<ProfileSource | undefined> {
    const search = this.follow(name, tried, 0);
    let step = search.next();
    while (step.done !== true) {
      let content: Content | undefined;
      try {
        content = await answer(step.value, signal);
      } catch (error) {
        if (!(error instanceof ProfileError)) throw error;
        step = search.throw(error);
        continue;
      }
      step = search.next(content);
    }
    return step.value;
  }

  /**
   * The same without waiting: from files that are unpacked and read in milliseconds, and from what servers gave before. What would need a
   * server, a PDB or a file packed with xz is passed over.
   */
  loadNow(name: string): ProfileSource | undefined {
    const search = this.follow(name, () => undefined, 0);
    let step = search.next();
    while (step.done !== true) {
      let content: Content | undefined;
      try {
        content = answerNow(step.value);
      } catch (error) {
        if (!(error instanceof ProfileError)) throw error;
        step = search.throw(error);
        continue;
      }
      step = search.next(content);
    }
    return step.value;
  }

  /** Whether a store has the profile, or what a server gave before, without asking one. */
  near(name: string): boolean {
    return this.stores.some((store) => {
      try {
        return store.fetchNow?.(name) !== undefined;
      } catch (error) {
        if (!(error instanceof ProfileError)) throw error;
        return false;
      }
    });
  }

  private *follow(name: string, tried: Tried, links: number): Search<ProfileSource | undefined> {
    if (links > MOST_LINKS) throw new ProfileError(`${name} is a link that leads to more than ${MOST_LINKS} others.`, 'Mend the links in the repository.');
    const found = yield* this.find(name, tried);
    if (!found) {
      const today = nameToday(name);
      return today === undefined ? undefined : yield* this.follow(today, tried, links + 1);
    }
    if ('source' in found) return found.source;
    if (isIsf(found.json)) return isfProfile(found.json, found.from);
    const profile = rekallProfile(found.json, found.from);
    const target = targetOf(profile);
    if (target !== undefined) {
      tried(found.from, `a link to ${target}`);
      return yield* this.follow(target, tried, links + 1);
    }
    if (profile.merge.length === 0) return profile;
    return rekallProfile(yield* this.withMerged(found.json, profile, tried, links + 1), found.from);
  }

  private *withMerged(json: JsonObject, profile: RekallProfile, tried: Tried, links: number): Search<JsonObject> {
    if (links > MOST_LINKS) throw new ProfileError(`${profile.metadata.source} merges profiles that merge more than ${MOST_LINKS} others.`, 'Mend $MERGE in the repository.');
    const others: JsonObject[] = [];
    for (const name of profile.merge) {
      const found = yield* this.find(name, tried);
      if (!found || 'source' in found) throw new ProfileError(`${profile.metadata.source} needs ${name} ($MERGE), which no repository has.`, 'Add it to the repository.');
      others.push(yield* this.withMerged(found.json, rekallProfile(found.json, found.from), tried, links + 1));
    }
    return merged(json, others);
  }

  private *find(name: string, tried: Tried): Search<Content | undefined> {
    let damage: ProfileError | undefined;
    for (const store of this.stores) {
      try {
        const content = yield { store, name };
        tried(content?.from ?? store.name, content ? 'found' : `has no ${name}`);
        if (content) return content;
      } catch (error) {
        if (!(error instanceof ProfileError)) throw error;
        if (error instanceof Damage) {
          damage ??= error;
          store.forget?.(name);
          tried(error.from, `cannot be used (${error.message.replace(/\.$/, '')})`);
        } else tried(store.name, `cannot be asked (${error.message.replace(/\.$/, '')})`);
      }
    }
    if (damage) throw damage;
    return undefined;
  }
}

/** A store has the profile, and it cannot be read. */
class Damage extends ProfileError {
  constructor(
    readonly from: string,
    { message, next, cause }: ProfileError,
  ) {
    super(message, next, { cause });
  }
}

async function answer({ store, name }: Asked, signal: AbortSignal | undefined): Promise<Content | undefined> {
  const found = await store.fetch(name, signal);
  if (!found) return undefined;
  const { bytes: packed, from } = found;
  try {
    const bytes = await unpacked(packed, from);
    if (isPdb(bytes)) return { from, source: (await import('../pdb/read.js')).readPdb(bytes, from) };
    return contentOf(bytes, from);
  } catch (error) {
    throw error instanceof ProfileError ? new Damage(from, error) : error;
  }
}

function answerNow({ store, name }: Asked): Content | undefined {
  const found = store.fetchNow?.(name);
  if (!found) return undefined;
  try {
    const bytes = unpackedNow(found.bytes, found.from);
    return bytes === undefined || isPdb(bytes) ? undefined : contentOf(bytes, found.from);
  } catch (error) {
    throw error instanceof ProfileError ? new Damage(found.from, error) : error;
  }
}

function contentOf(bytes: Buffer, from: string): Content {
  const json = parseJsonObject(bytes, from);
  // What is JSON and no profile is damage, too: another store may have the profile.
  if (!isIsf(json)) rekallProfile(json, from);
  return { from, json };
}

/**
 * The name that a kernel's profile has in the repository since 2015, where a name is one of 2014: `GUID/KEY`, `ntoskrnl.exe/AMD64/6.1.7601.17514/KEY`. Links of
 * that time lead there.
 */
function nameToday(name: string): string | undefined {
  const key = /^(?:GUID|nt(?:oskrnl|krnlmp|krnlpa|krpamp)\.exe\/.+)\/([0-9A-F]{33,40})$/.exec(name)?.[1];
  return key === undefined ? undefined : `nt/GUID/${key}`;
}

/** What a Symlink profile leads to. */
function targetOf(profile: RekallProfile): string | undefined {
  if (profile.type !== 'Symlink') return undefined;
  const target = profile.metadata['Target'];
  return typeof target === 'string' && target !== '' ? target : undefined;
}
