import type { Session } from '../../src/session/session.js';
import type { Resolver } from '../../src/session/resolver/resolver.js';

/** One thing measured, in words. */
export interface NamesResult {
  readonly what: string;
  readonly figure: string;
}

const ROUNDS = 5;

/** Milliseconds of the best of several rounds. */
function best(work: () => void): number {
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    work();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

/**
 * Names on an image: how long the first completion takes and later ones, names of addresses in a row and at random,
 * members of typed globals.
 */
export async function benchNames(session: Session): Promise<NamesResult[]> {
  const kernel = await session.kernel();
  const resolver = await session.resolver();
  const results: NamesResult[] = [];
  const say = (what: string, figure: string): number => results.push({ what, figure });
  const start = performance.now();
  resolver.complete('linux!init_');
  say(`first completion of ${kernel.profile.symbols.size} names`, `${(performance.now() - start).toFixed(0)} ms`);
  for (const typed of ['linux!init_', 'linux!_', 'linux!e']) say(`completion of ${typed}`, `${best(() => resolver.complete(typed)).toFixed(1)} ms`);
  say('search linux!*task*', `${best(() => [...resolver.search('linux!*task*')].length).toFixed(1)} ms`);
  const addresses = [...kernel.profile.symbols.symbols()].filter(({ address }) => address >> 63n === 1n).map(({ address }) => address + 3n);
  say('name of an address, ascending', `${micros(resolver, addresses)} µs`);
  const mixed = addresses.map((_, index) => addresses[(index * 7919) % addresses.length] as bigint);
  say('name of an address, at random', `${micros(resolver, mixed)} µs`);
  const init = resolver.symbol('init_task');
  if (init !== undefined) say('name of a member of init_task', `${micros(resolver, Array.from({ length: 4096 }, (_, index) => init + BigInt(index)))} µs`);
  return results;
}

function micros(resolver: Resolver, addresses: readonly bigint[]): string {
  const least = best(() => {
    for (const address of addresses) resolver.name(address);
  });
  return ((least * 1000) / addresses.length).toFixed(2);
}
