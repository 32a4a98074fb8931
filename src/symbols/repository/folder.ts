import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ProfileError } from '../error.js';
import { endingsOf, isSafeName, type ProfileStore } from './store.js';

/**
 * A folder in the layout of Rekall's repository (`v1.0/nt/GUID/….gz`), or a copy of its `v1.0` alone, or a symbol store: of Volatility 3
 * (`ntkrnlmp.pdb/GUID-AGE.json.xz`) or of Microsoft's debuggers (`ntkrnlmp.pdb/GUIDAGE/ntkrnlmp.pdb`).
 */
export class FolderStore implements ProfileStore {
  constructor(readonly name: string) {}

  async fetch(profile: string): Promise<{ bytes: Buffer; from: string } | undefined> {
    return this.fetchNow(profile);
  }

  fetchNow(profile: string): { bytes: Buffer; from: string } | undefined {
    // A name from an image must not lead out of the folder.
    if (!isSafeName(profile)) return undefined;
    for (const folder of [join(this.name, 'v1.0'), this.name]) {
      const place = join(folder, profile);
      // Most modules have no profile: looking is cheap, an attempt that fails is not.
      if (!existsSync(dirname(place))) continue;
      for (const ending of endingsOf(profile)) {
        const from = `${place}${ending}`;
        try {
          if (!statSync(from, { throwIfNoEntry: false })?.isFile()) continue;
          return { bytes: readFileSync(from), from };
        } catch (error) {
          // It may not be read: the next may.
          if (!(error instanceof Error && 'code' in error)) throw error;
        }
      }
    }
    if (!existsSync(this.name)) throw new ProfileError(`${this.name} is not there`, 'Check --repository_path.');
    return undefined;
  }
}
