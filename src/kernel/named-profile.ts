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
