import type { AddressSpace } from '../../memory/space.js';
import { type Json, objectOf, own } from '../json.js';
import type { ProfileSource } from '../source.js';
import type { RekallProfile } from './read.js';

/** Bytes that one point of an index may state. */
const LONGEST = 256;

/** A place of an image, and what its bytes may be there. */
export interface IndexPoint {
  /** bytes from the image's base */
  readonly offset: number;
  /** any of these */
  readonly values: readonly Buffer[];
}

/** How an image fits one profile of an index. */
export interface IndexMatch {
  readonly profile: string;
  readonly matched: number;
  readonly differing: number;
  /** of the matched, those that are more than one byte: a text stands there and not chance */
  readonly texts: number;
}

/**
 * A data index of Rekall's repository (`nt/index`): for each profile places from the image's base and the bytes that stand there, so that a build is known without a
 * record that names it. `$INDEX: {profile: [[offset, [hex, …]], …]}`.
 */
export class DataIndex {
  private constructor(private readonly entries: ReadonlyMap<string, readonly IndexPoint[]>) {}

  /** The index in a profile; undefined where it has none of this kind. */
  static of(source: ProfileSource): DataIndex | undefined {
    const section = objectOf((source as Partial<RekallProfile>).section?.('$INDEX'));
    if (!section) return undefined;
    const entries = new Map<string, IndexPoint[]>();
    for (const profile of Object.keys(section)) {
      const points = own(section, profile);
      if (Array.isArray(points)) entries.set(profile, (points as readonly Json[]).flatMap(pointOf));
    }
    return entries.size === 0 ? undefined : new DataIndex(entries);
  }

  get size(): number {
    return this.entries.size;
  }

  points(profile: string): readonly IndexPoint[] {
    return this.entries.get(profile) ?? [];
  }

  /** How the image at a base fits each profile, the best first. Points in pages that are not there count neither way. */
  matches(space: AddressSpace, base: bigint): IndexMatch[] {
    const found: IndexMatch[] = [];
    for (const [profile, points] of this.entries) {
      let [matched, differing, texts] = [0, 0, 0];
      for (const { offset, values } of points) {
        const longest = Math.max(...values.map(({ length }) => length));
        const { bytes, gaps } = space.readPartial(base + BigInt(offset), longest);
        if (gaps.length > 0) continue;
        const value = values.find((one) => bytes.subarray(0, one.length).equals(one));
        if (!value) differing++;
        else {
          matched++;
          if (value.length > 1) texts++;
        }
      }
      if (matched > 0) found.push({ profile, matched, differing, texts });
    }
    return found.sort((a, b) => scoreOf(b) - scoreOf(a) || b.matched - a.matched || (a.profile < b.profile ? -1 : 1));
  }
}

/** From 0 to 1: the share of the points that can be read which are as the index says. */
export function scoreOf({ matched, differing }: IndexMatch): number {
  return matched === 0 ? 0 : matched / (matched + differing);
}

function pointOf(value: Json): IndexPoint[] {
  if (!Array.isArray(value)) return [];
  const [offset, stated] = value as readonly Json[];
  if (typeof offset !== 'number' || !Number.isSafeInteger(offset) || !Array.isArray(stated)) return [];
  const values = (stated as readonly Json[]).flatMap((hex) => (typeof hex === 'string' && /^(?:[0-9a-f]{2}){1,256}$/i.test(hex) && hex.length <= LONGEST * 2 ? [Buffer.from(hex, 'hex')] : []));
  return values.length === 0 ? [] : [{ offset, values }];
}
