import { ProfileError } from '../symbols/error.js';
import { openProfileFile } from '../symbols/open.js';
import type { ProfileSource } from '../symbols/source.js';
import type { DetectionOptions } from './detect.js';

/** The profile that the analyst stated, a file or a name in the repositories; undefined where none was. @throws ProfileError */
export async function statedProfile(options: DetectionOptions): Promise<ProfileSource | undefined> {
  const { profile, profileName, repository, trace, signal } = options;
  if (profile !== undefined) return openProfileFile(profile);
  if (profileName === undefined) return undefined;
  const tried: string[] = [];
  const found = await (await repository?.())?.load(profileName, (place, outcome) => {
    if (outcome === 'found' || outcome.startsWith('a link')) trace.add('symbols', place, outcome);
    else tried.push(`${place} ${outcome}`);
  }, signal);
  if (found) return found;
  throw new ProfileError(
    `The profile ${profileName} cannot be opened: there is no such file, and ${tried.length === 0 ? 'no repository is named' : `no repository has it (${tried.join('; ')})`}.`,
    'Check --profile, or name a repository: --repository_path FOLDER, ZIP or URL.',
  );
}

/**
 * The first of several names that a repository has: a kernel's profile is called differently in Rekall's layout, in a store of symbol files
 * and in one of PDBs. Undefined where none has any; damaged ones are told and passed over.
 */
export async function firstProfile(names: readonly string[], { repository, trace, signal }: DetectionOptions, onPlace?: (place: string, outcome: string) => void): Promise<ProfileSource | undefined> {
  const known = await repository?.();
  for (const name of known ? names : []) {
    try {
      const source = await known?.load(name, onPlace, signal);
      if (!source) continue;
      trace.add('symbols', `profile ${name}`, `${source.metadata.source}, ${source.constants.size} constants`);
      return source;
    } catch (error) {
      if (!(error instanceof ProfileError)) throw error;
      trace.add('symbols', `profile ${name}`, error.message, 'failed');
    }
  }
  return undefined;
}
