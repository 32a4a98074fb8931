/** A place where profiles are kept under names such as `nt/GUID/F8E2…2`. */
export interface ProfileStore {
  /** for messages: a path or an address */
  readonly name: string;
  /**
   * The profile's bytes as they are kept (perhaps compressed), and where they were found; undefined where there is none.
   * Throws ProfileError where the place cannot be asked, and the signal's reason once that is aborted.
   */
  fetch(profile: string, signal?: AbortSignal): Promise<{ readonly bytes: Buffer; readonly from: string } | undefined>;
  /** The same without waiting: from files, and from what a server gave before. A store without it can only be waited for. */
  fetchNow?(profile: string): { readonly bytes: Buffer; readonly from: string } | undefined;
  /** What was fetched turned out to be damaged: a copy of it is not used again. */
  forget?(profile: string): void;
}

/**
 * Endings that the file of a profile may have, likeliest first: a PDB has its own in its name, Volatility 3's files are packed with xz,
 * Rekall's with gzip.
 */
export function endingsOf(profile: string): readonly string[] {
  if (/\.pdb$/i.test(profile)) return [''];
  if (/\.pdb\/[0-9A-F]{32}-\d+$/i.test(profile)) return ['.json.xz', '.json.gz', '.json'];
  return ['.gz', '.json.gz', '.json', ''];
}

/** Whether a name, which may come from an image, stays where it is looked up: parts of ordinary characters, none of them `..`. */
export function isSafeName(profile: string): boolean {
  // eslint-disable-next-line no-control-regex
  return profile !== '' && profile.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !/[\\\x00-\x1f\x7f]/.test(part));
}
