import { Absent } from '../../memory/absent.js';
import type { Steps } from '../../memory/breathe.js';
import type { PhysicalSpace } from '../../memory/physical.js';

/** `Linux version ` as a needle of 7 bytes with a rare first one: longer needles are searched six times slower. */
const NEEDLE = Buffer.from('Linux v');
const BANNER = /^Linux version \d+\.\d+[^\0\n]{8,400}? #\d+[ -][^\0\n]{4,200}/
const LONGEST = 600;
const CHUNK = 512 * 1024;
export interface BannerHit {
  readonly physical: number;
  readonly text: string;
}

/** Every banner in a part of the image, from low addresses to high. */
export function* bannerSteps(physical: PhysicalSpace, from = 0, to = Infinity): Steps<BannerHit> {
  const buffer = Buffer.allocUnsafeSlow(CHUNK + LONGEST);
  for (const run of physical.runs) {
    const end = Math.min(run.end, to);
    for (let at = Math.max(run.start, from); at < end; at += CHUNK) {
      const count = physical.readInto(at, buffer, 0, Math.min(buffer.length, end - at));
      yield* hitsIn(buffer.subarray(0, count), at, CHUNK);
      yield undefined;
    }
  }
}

function* hitsIn(bytes: Buffer, base: number, limit: number): Generator<BannerHit> {
  for (let at = bytes.indexOf(NEEDLE); at >= 0 && at < limit; at = bytes.indexOf(NEEDLE, at + 1)) {
    const text = BANNER.exec(bytes.toString('latin1', at, Math.min(bytes.length, at + LONGEST)))?.[0];
    if (text !== undefined) yield { physical: base + at, text: text.trimEnd() };
  }
}

/** The banner at a physical address, or undefined when none begins there. */
export function bannerAt(physical: PhysicalSpace, address: number): string | undefined {
  try {
    const text = physical.readCString(BigInt(address), LONGEST).toString('latin1');
    return BANNER.exec(text)?.[0].trimEnd();
  } catch (error) {
    if (error instanceof Absent) return undefined;
    throw error;
  }
}
