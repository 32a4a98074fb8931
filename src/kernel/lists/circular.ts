import { Absent } from '../../memory/absent.js';
import type { Struct } from '../../object/struct.js';
import type { StructType } from '../../object/struct-type.js';

/** More entries than this are no list of a kernel's, but a lie. */
const LONGEST = 1 << 20;

/** How a system's list entries call their two links. */
export interface Links {
  readonly forward: string;
  readonly backward: string;
}

export interface WalkOptions {
  /** told what was wrong, in a phrase: a loop, a broken link */
  readonly onFault?: (what: string) => void;
  /** entries at most */
  readonly limit?: number;
}

/**
 * The structs on a circular list of two links, in order, without the head. Goes forward; where a link is broken (an
 * unreadable entry, a loop that misses the head, a neighbour that does not point back) it says so and then comes
 * backwards from the head, so that both ends of a broken list are found, and entries that are linked one way only. Each entry is given once.
 * @param head the entry that anchors the list
 * @param type the struct that the entries are in
 * @param member the entry in that struct: `tasks`, `ActiveProcessLinks`
 */
export function* walkCircular<T extends Struct>(head: Struct, type: StructType<T>, member: string, links: Links, options: WalkOptions = {}): Generator<T> {
  const offset = type.offsetOf(member);
  const given = new Set<bigint>();
  const limit = options.limit ?? LONGEST;
  const fault = (what: string): void => options.onFault?.(`list of ${type.name}.${member} ${what}`);
  let sound = true;
  for (const direction of [links.forward, links.backward]) {
    const met = new Set<bigint>();
    let at: Struct = head;
    for (;;) {
      const following = step(at, direction);
      if (following instanceof Absent || following === null) {
        fault(`is broken after 0x${at.$address.toString(16)}: ${following === null ? 'null link' : following.reason}`);
        sound = false;
        break;
      }
      const address = following.$address;
      if (direction === links.forward && sound && !pointsBack(following, at, links)) {
        fault(`is not sound: 0x${address.toString(16)} does not point back to 0x${at.$address.toString(16)}`);
        sound = false;
      }
      if (address === head.$address) break;
      if (met.has(address)) {
        if (direction === links.forward) fault(`loops at 0x${address.toString(16)} without coming back to its head`);
        sound = false;
        break;
      }
      met.add(address);
      if (!given.has(address)) {
        if (given.size >= limit) {
          fault(`is longer than ${limit}`);
          return;
        }
        given.add(address);
        if (following.$valid) yield type.atPage(following.$space, following.$page, following.$offset - offset);
      }
      at = following;
    }
    if (sound) return;
  }
}

/** True also where the link back cannot be read: that is told when the walk gets there. */
function pointsBack(entry: Struct, to: Struct, links: Links): boolean {
  const back = step(entry, links.backward);
  return back instanceof Absent || back?.$address === to.$address;
}

function step(at: Struct, direction: string): Struct | null | Absent {
  try {
    return at.$get(direction) as Struct | null;
  } catch (error) {
    if (error instanceof Absent) return error;
    throw error;
  }
}
