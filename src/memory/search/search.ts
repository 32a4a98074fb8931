import { extents } from '../extents.js';
import { PAGE_SIZE, pageNumber } from '../page.js';
import type { AddressSpace } from '../space.js';
import { fold, Matcher, type Pattern } from './pattern.js';
import { windows } from './windows.js';

/** A place where a pattern stands. */
export interface Hit {
  readonly pattern: Pattern;
  readonly address: bigint;
}

/** What one window gave. Between steps the caller may look at the clock, yield, or stop. */
export interface SearchStep {
  /** in the order of addresses */
  readonly hits: readonly Hit[];
  /** bytes of the range that are done since the last step */
  readonly bytes: number;
}

export interface SearchRange {
  readonly from: bigint;
  /** one past the last address */
  readonly to: bigint;
  /** told which part of the page tables could not be walked */
  readonly onFault?: (what: string) => void;
}

/**
 * Looks for patterns in all that a space holds in a range, in one pass: pages in the order of their addresses, hits across the borders of pages too. Pages
 * that are not mapped cost nothing. Each step takes about a millisecond.
 */
export function* search(space: AddressSpace, patterns: readonly Pattern[], { from, to, onFault }: SearchRange): Generator<SearchStep, void, undefined> {
  const matchers = patterns.map((pattern) => new Matcher(pattern));
  const overlap = Math.max(...patterns.map(({ bytes }) => bytes.length)) - 1;
  const folds = matchers.some((matcher) => matcher.folds);
  let scratch: Buffer | undefined;
  for (const window of windows(space, from, to, overlap, onFault)) {
    const { bytes } = window;
    if (folds && (scratch === undefined || scratch.length < bytes.length)) scratch = Buffer.allocUnsafeSlow(bytes.length);
    const folded = folds ? fold(bytes, scratch) : undefined;
    const found: { readonly at: number; readonly pattern: Pattern }[] = [];
    for (const matcher of matchers) {
      const { pattern } = matcher;
      for (const at of matcher.matches(bytes, bytes.length, folded)) {
        // What lies wholly in the overlap was found in the window before.
        if (at + pattern.bytes.length > window.overlap) found.push({ at, pattern });
      }
    }
    if (matchers.length > 1) found.sort((one, other) => one.at - other.at);
    yield { hits: found.map(({ at, pattern }) => ({ pattern, address: window.address + BigInt(at) })), bytes: window.progress };
  }
}

/** Bytes that a search of the range will go through, about: what the page tables or the image describe there. */
export function searchable(space: AddressSpace, from: bigint, to: bigint): number {
  let pages = 0;
  if (to > from) for (const extent of extents(space, pageNumber(from), pageNumber(to - 1n) + 1)) pages += extent.pages;
  return pages * PAGE_SIZE;
}
