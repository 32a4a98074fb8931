import { ProfileError } from '../../../../symbols/error.js';
import { DataIndex, scoreOf } from '../../../../symbols/rekall/data-index.js';
import type { ProfileSource } from '../../../../symbols/source.js';
import type { KernelGuess, Search } from './method.js';

/** A fit that is believed enough to be tried, as in Rekall: what is good, and how many points must fit, one of them a text. */
const GOOD = 0.75;
const LEAST_POINTS = 3;
/** Profiles that fit an image equally well, at most: builds that differ by little. */
const MOST_GUESSES = 8;

/**
 * By what stands in the kernel's image: `nt/index` has for each kernel some places from its base and the bytes there. For images whose debug record is paged out or
 * wiped; the image's header must be there, in page tables that can be found without a profile.
 */
export async function* ntIndex(search: Search): AsyncGenerator<KernelGuess> {
  const { trace } = search.options;
  const kernels = await search.kernels();
  if (kernels.length === 0) {
    trace.add('kernel', 'nt/index', 'no image of a kernel was found to compare with', 'failed');
    return;
  }
  const index = await indexNamed(search, 'nt/index', (source) => DataIndex.of(source));
  if (!index) return;
  for (const { root, space, pe } of kernels) {
    const matches = index.matches(space, pe.base).filter((match) => scoreOf(match) >= GOOD && match.matched >= LEAST_POINTS && match.texts > 0);
    const at = `image at 0x${pe.base.toString(16)}`;
    if (matches.length === 0) trace.add('kernel', 'nt/index', `${at}: none of ${index.size} kernels fits`, 'failed');
    for (const match of matches.slice(0, MOST_GUESSES)) {
      trace.add('kernel', 'nt/index', `${at}: ${match.profile} fits at ${match.matched} of ${match.matched + match.differing} places`);
      yield { guid: match.profile.replace(/^.*\//, ''), pdb: 'nt', names: [match.profile], records: [], base: pe.base, roots: [root], presumed: true };
    }
  }
}

/** An index of the repositories; undefined, with the reason in the trace, where there is none. */
export async function indexNamed<T extends { readonly size: number }>({ options: { repository, trace, signal } }: Search, name: string, read: (source: ProfileSource) => T | undefined): Promise<T | undefined> {
  const known = await repository?.();
  try {
    const source = await known?.load(name, undefined, signal);
    const index = source && read(source);
    trace.add('symbols', name, index && source ? `${source.metadata.source}, ${index.size} kernels` : source ? 'is no index' : 'no repository has it', index ? 'found' : 'failed');
    return index;
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    trace.add('symbols', name, error.message, 'failed');
    return undefined;
  }
}
