import { guidAge, isKernelPdb, type RsdsRecord, rsdsSteps } from '../rsds.js';
import { type KernelGuess, profileNames, type Search } from './method.js';

/** Places of one GUID beyond the first that are kept: files in the cache have copies, and hostile images as many as they like. */
const MOST_PLACES = 64;

/**
 * By the debug record that the linker left in the kernel, which names its PDB: physical memory is searched for those with the name of a kernel's. An image may hold
 * several kernels (updates that wait for a restart, files in the cache); each GUID is told when it is first met, and its other places when all else has failed.
 */
export async function* rsds(search: Search): AsyncGenerator<KernelGuess> {
  const { physical, options } = search;
  const others = new Map<string, { readonly record: RsdsRecord; readonly places: number[] }>();
  for await (const record of search.run(rsdsSteps(physical))) {
    if (!isKernelPdb(record.pdb)) continue;
    const key = guidAge(record);
    const known = others.get(key);
    if (known) {
      if (known.places.length < MOST_PLACES) known.places.push(record.physical);
      continue;
    }
    others.set(key, { record, places: [] });
    options.trace.add('kernel', 'RSDS records', `${record.pdb} ${key} at 0x${record.physical.toString(16)}`);
    yield guessOf(record, [record.physical]);
  }
  for (const { record, places } of others.values()) if (places.length > 0) yield guessOf(record, places);
  if (others.size === 0) options.trace.add('kernel', 'RSDS records', 'none of a Windows kernel', 'failed');
}

function guessOf(record: RsdsRecord, records: readonly number[]): KernelGuess {
  return { guid: guidAge(record), pdb: record.pdb, names: profileNames(record), records };
}
