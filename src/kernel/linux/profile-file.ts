import { openProfileFile } from '../../symbols/open.js';
import { checkBanner } from '../../symbols/banner.js';
import { Profile } from '../../symbols/profile.js';
import type { ProfileSource } from '../../symbols/source.js';
import { SlidSymbols } from '../../symbols/slid.js';
import type { ProfileMetadata, SymbolSource } from '../../symbols/types.js';
import type { Trace } from '../trace.js';

interface Context {
  /** what the image says of its kernel */
  readonly metadata: ProfileMetadata;
  /** the image's own symbols */
  readonly symbols: SymbolSource;
  /** virtual KASLR slide */
  readonly slide: bigint;
  readonly trace: Trace;
}

/**
 * A profile from a file, fitted to this image: its constants are slid, and the image's own symbols come first.
 * Throws ProfileMismatchError, with both banners, when it is another kernel's.
 */
export async function profileFromFile(path: string, context: Context): Promise<Profile> {
  return fitted(await openProfileFile(path), path, context);
}

/** The same of a profile that is open already. @param path for messages */
export function fitted(source: ProfileSource, path: string, { metadata, symbols, slide, trace }: Context): Profile {
  const banner = source.metadata.banner;
  checkBanner(banner, metadata.banner ?? '');
  trace.add(
    'symbols',
    `profile ${path}`,
    `${source.metadata.source}, ${source.constants.size} constants${banner === undefined ? ', which states no banner' : ', same banner'}`,
    banner === undefined ? 'found' : 'verified',
  );
  return new Profile(
    source.types,
    new SlidSymbols(source.constants, slide, symbols),
    { ...source.metadata, banner: metadata.banner ?? '', arch: metadata.arch },
    (name) => source.constants.type(name),
    source.dynamic,
  );
}
