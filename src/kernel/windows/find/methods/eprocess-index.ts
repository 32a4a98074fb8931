import type { PagingKind } from '../../../../memory/paging/create.js';
import { orElse } from '../../../../memory/absent.js';
import type { PhysicalSpace } from '../../../../memory/physical.js';
import { integerOf, objectOf, own } from '../../../../symbols/json.js';
import type { RekallProfile } from '../../../../symbols/rekall/read.js';
import type { ProfileSource } from '../../../../symbols/source.js';
import { namedProcesses, rootSpace, sharedVersion, type WindowsRoot } from '../dtb.js';
import type { KernelGuess, Search } from './method.js';
import { indexNamed } from './nt-index.js';

/** Profiles that are tried at most: each must be read. */
const MOST_PROFILES = 512;
/** Names of processes that are looked at: dumps of dumps have many. */
const MOST_HITS = 4096;

/** Where a family of kernels has what leads from a process's name to its page tables. Bytes. */
interface Layout {
  readonly name: number;
  readonly table: number;
  readonly bits: 32 | 64;
  readonly profiles: readonly string[];
}

/**
 * By process objects alone: `nt/eprocess_index` has for each kernel where a process keeps its name and its page tables. For images with nothing else to go by; of the
 * kernels whose layout fits, those whose profiles are at hand are tried, and the list of processes says where each would lie.
 */
export async function* eprocessIndex(search: Search): AsyncGenerator<KernelGuess> {
  const { trace } = search.options;
  const layouts = await indexNamed(search, 'nt/eprocess_index', layoutsOf);
  const repository = await search.options.repository?.();
  if (!layouts || !repository) return;
  const hits: Hit[] = [];
  for await (const hit of search.run(namedProcesses(search.physical, 0))) if (hits.push(hit) >= MOST_HITS) break;
  let tried = 0;
  for (const layout of layouts.values()) {
    const root = rootOf(search.physical, layout, hits);
    if (!root) continue;
    const near = layout.profiles.filter((profile) => repository.near(profile));
    trace.add('kernel', 'nt/eprocess_index', `${root.method}: name at ${layout.name}, page tables at ${layout.table}, as in ${layout.profiles.length} kernels, ${near.length} of them at hand`, near.length > 0 ? 'found' : 'failed');
    for (const profile of near) {
      if (++tried > MOST_PROFILES) return;
      yield { guid: profile.replace(/^.*\//, ''), pdb: 'nt', names: [profile], records: [], roots: [root], presumed: true };
    }
  }
  if (tried === 0) trace.add('kernel', 'nt/eprocess_index', 'no process of a known layout leads to a profile at hand', 'failed');
}

/** Where the name of a process that every system has stands: what a layout makes of it. */
interface Hit {
  readonly name: string;
  readonly at: number;
}

/** The page tables of the first process that has them where a layout says: they map the page that all processes share. */
function rootOf(physical: PhysicalSpace, layout: Layout, hits: readonly Hit[]): WindowsRoot | undefined {
  const kinds: PagingKind[] = layout.bits === 64 ? ['amd64'] : ['i386-pae', 'i386'];
  for (const { name, at } of hits) {
    const process = at - layout.name;
    if (process < 0 || process % 8 !== 0) continue;
    const word = orElse(() => (layout.bits === 64 ? physical.readU64(BigInt(process + layout.table)) : BigInt(physical.readU32(BigInt(process + layout.table)))), 0n);
    for (const paging of kinds) {
      const dtb = Number(paging === 'i386-pae' ? word & 0xffffffe0n : word & 0xffffffffff000n);
      if (dtb === 0 || dtb >= physical.end || !sharedVersion(rootSpace(physical, { paging, dtb }))) continue;
      return { dtb, paging, method: `process ${name} at 0x${process.toString(16)}`, process };
    }
  }
  return undefined;
}

/** `$INDEX: {profile: {arch, offsets: {"_EPROCESS.ImageFileName": …, "_EPROCESS.Pcb": …, "_KPROCESS.DirectoryTableBase": …}}}`, by layout. */
function layoutsOf(source: ProfileSource): Map<string, Layout> | undefined {
  const section = objectOf((source as Partial<RekallProfile>).section?.('$INDEX'));
  const found = new Map<string, { name: number; table: number; bits: 32 | 64; profiles: string[] }>();
  for (const profile of Object.keys(section ?? {})) {
    const offsets = objectOf(own(objectOf(own(section, profile)), 'offsets'));
    const name = integerOf(own(offsets, '_EPROCESS.ImageFileName'));
    const pcb = integerOf(own(offsets, '_EPROCESS.Pcb'));
    const directory = integerOf(own(offsets, '_KPROCESS.DirectoryTableBase'));
    if (name === undefined || pcb === undefined || directory === undefined) continue;
    const table = pcb + directory;
    // Behind a header and a list of two pointers, and one more pair: 0x28 where those have 8 bytes. Indexes state the architecture of x86 alone.
    const bits = own(objectOf(own(section, profile)), 'arch') === 'I386' || directory < 0x28 ? 32 : 64;
    const key = `${name} ${table} ${bits}`;
    const layout = found.get(key) ?? { name, table, bits, profiles: [] };
    layout.profiles.push(profile);
    found.set(key, layout);
  }
  return found.size === 0 ? undefined : found;
}
