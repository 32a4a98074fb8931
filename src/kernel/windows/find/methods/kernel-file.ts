import type { LoadedPe } from '../../../../symbols/pe/loaded.js';
import type { WindowsRoot } from '../dtb.js';
import { physicalKernels } from '../../system/kernel-images.js';
import { type KernelGuess, profileNames, type Search } from './method.js';

/**
 * By the kernel's own image: its header (MZ, and `ntoskrnl.exe` as the name of its exports) leads through the debug directory to GUID and age, whatever the PDB
 * is called. First where images lie in one piece in physical memory, then in page tables that can be found without a profile.
 */
export async function* kernelFile(search: Search): AsyncGenerator<KernelGuess> {
  const seen = new Set<string>();
  for await (const pe of search.run(physicalKernels(search.physical))) {
    const guess = guessOf(search, pe, undefined);
    if (!guess || seen.has(guess.guid)) continue;
    seen.add(guess.guid);
    yield guess;
  }
  for (const { pe, root } of seen.size === 0 ? await search.kernels() : []) {
    const guess = guessOf(search, pe, root);
    if (!guess || seen.has(guess.guid)) continue;
    seen.add(guess.guid);
    yield guess;
  }
  if (seen.size === 0) search.options.trace.add('kernel', "the kernel's file", 'no image that names its PDB', 'failed');
}

function guessOf({ options: { trace } }: Search, pe: LoadedPe, root: WindowsRoot | undefined): KernelGuess | undefined {
  const debug = pe.debug();
  const at = `${root ? '' : 'physical '}0x${pe.base.toString(16)}`;
  if (!debug) {
    trace.add('kernel', "the kernel's file", `${pe.exportedName() ?? 'an image'} at ${at}, whose debug record is not in memory`, 'failed');
    return undefined;
  }
  const guid = `${debug.guid}${debug.age.toString(16).toUpperCase()}`;
  trace.add('kernel', "the kernel's file", `${pe.exportedName() ?? 'an image'} at ${at}: ${debug.pdb} ${guid}`);
  const place = root ? { base: pe.base, roots: [root] } : { header: Number(pe.base) };
  return { guid, pdb: debug.pdb, names: profileNames(debug), records: [], ...place };
}
