import { printable, ProfileError } from './error.js';

/** The profile describes another kernel than the image holds. */
export class ProfileMismatchError extends ProfileError {
  override readonly name = 'ProfileMismatchError';

  constructor(
    readonly profileBanner: string,
    readonly imageBanner: string,
  ) {
    super(
      `The profile is of another kernel.\n  profile: ${printable(profileBanner)}\n  image:   ${printable(imageBanner)}`,
      'Leave out --profile to have types and symbols recovered from the image, or give the profile of exactly this build.',
    );
  }
}

/**
 * Refuses a profile of another kernel build.
 *
 * @param profileBanner what the profile states, without or with its trailing newline; undefined: nothing to compare
 * @param imageBanner what the image holds; empty: nothing to compare
 * @throws ProfileMismatchError with both banners
 */
export function checkBanner(profileBanner: string | undefined, imageBanner: string): void {
  if (profileBanner === undefined) return;
  const ours = normalised(profileBanner);
  const theirs = normalised(imageBanner);
  if (ours === '' || theirs === '' || ours === theirs) return;
  throw new ProfileMismatchError(ours, theirs);
}

/** A banner as it is compared: up to the first NUL, blanks folded. */
export function normalised(banner: string): string {
  const nul = banner.indexOf('\0');
  return (nul < 0 ? banner : banner.slice(0, nul)).replace(/\s+/g, ' ').trim();
}
