import { orElse } from '../../../memory/absent.js';
import type { AddressSpace } from '../../../memory/space.js';

/** The DLL that stands behind an API set, and others for single importers. */
interface ApiSet {
  readonly host: string | undefined;
  readonly byImporter: ReadonlyMap<string, string>;
}

/** Sets of a map, and hosts of a set, at most: Windows 11 has about a thousand. */
const MOST_SETS = 8192;
const MOST_HOSTS = 16;
const LONGEST_NAME = 512;

/**
 * The API sets that a process knows: names such as `api-ms-win-core-heap-l1-1-0` that stand for a DLL. The map lies where
 * `_PEB.ApiSetMap` leads. Source: API_SET_NAMESPACE and its entries in the symbols of ole32 and combase, and the constants of apiset.h (version 2: Windows 7,
 * version 3: 8, of the same form, version 4: 8.1, version 6: since 10; 1 and 5 were never released).
 */
export class ApiSets {
  private constructor(
    private readonly sets: ReadonlyMap<string, ApiSet>,
    private readonly version: number,
  ) {}

  /** The map at an address; undefined where there is none that makes sense. */
  static at(space: AddressSpace, base: bigint): ApiSets | undefined {
    return orElse(() => {
      const sets = new Map<string, ApiSet>();
      const version = space.readU32(base);
      for (const [name, set] of entries(space, base, version)) if (!sets.has(name)) sets.set(name, set);
      return sets.size > 0 ? new ApiSets(sets, version) : undefined;
    }, undefined);
  }

  /** True for names of API sets, which no module has. */
  static isSet(module: string): boolean {
    return /^(?:api|ext)-/i.test(module);
  }

  get size(): number {
    return this.sets.size;
  }

  /**
   * The DLL that a set stands for: `kernelbase.dll`; undefined where the map has no such set, or nothing implements it here.
   * @param importer name of the DLL that asks
   */
  host(name: string, importer?: string): string | undefined {
    const plain = name.toLowerCase().replace(/\.dll$/, '');
    // Up to version 4 the map leaves out `api-` and `ext-`. Since Windows 10 both may have a set of the same name, and one is looked up without the last part of its version.
    const set = this.version < 6 ? this.sets.get(plain.replace(/^(?:api|ext)-/, '')) : (this.sets.get(plain) ?? this.sets.get(plain.replace(/-[^-]*$/, '')));
    return set && ((importer === undefined ? undefined : set.byImporter.get(importer.toLowerCase())) ?? set.host);
  }
}

function* entries(space: AddressSpace, base: bigint, version: number): Generator<readonly [name: string, set: ApiSet]> {
  const u32 = (offset: number): number => space.readU32(base + BigInt(offset));
  const text = (offset: number, length: number): string => space.read(base + BigInt(offset), Math.min(length, LONGEST_NAME) & ~1).toString('utf16le');
  const layout = LAYOUTS[version];
  if (!layout) return;
  const count = Math.min(u32(layout.count), MOST_SETS);
  const first = version === 6 ? u32(16) : layout.first;
  for (let index = 0; index < count; index++) {
    const entry = first + index * layout.size;
    const found = orElse(() => {
      const nameAt = entry + layout.name;
      // Version 6 hashes a beginning of the name: what counts when it is looked up.
      const name = text(u32(nameAt), version === 6 ? u32(nameAt + 8) : u32(nameAt + 4));
      const data = u32(entry + layout.data);
      const hosts = Math.min(version === 6 ? u32(entry + layout.data + 4) : u32(data + layout.hosts - 4), MOST_HOSTS);
      const byImporter = new Map<string, string>();
      let host: string | undefined;
      for (let at = 0; at < hosts; at++) {
        const value = data + layout.hosts + at * layout.hostSize + layout.hostSize - 16;
        const importer = text(u32(value), u32(value + 4));
        const dll = text(u32(value + 8), u32(value + 12));
        if (dll === '') continue;
        if (importer === '') host ??= dll;
        else byImporter.set(importer.toLowerCase(), dll);
      }
      return [name.toLowerCase(), { host, byImporter }] as const;
    }, undefined);
    if (found) yield found;
  }
}

interface Layout {
  /** where the number of entries stands, and the first of them */
  readonly count: number;
  readonly first: number;
  /** bytes of an entry, and where in it the name's offset and length, and the place of the hosts, stand */
  readonly size: number;
  readonly name: number;
  readonly data: number;
  /** bytes in front of the first host; of a host, whose last 16 are importer and DLL as offset and length */
  readonly hosts: number;
  readonly hostSize: number;
}

const FIRST: Layout = { count: 4, first: 8, size: 12, name: 0, data: 8, hosts: 4, hostSize: 16 };
const LAYOUTS: Readonly<Record<number, Layout>> = {
  2: FIRST,
  3: FIRST,
  4: { count: 12, first: 16, size: 24, name: 4, data: 20, hosts: 8, hostSize: 20 },
  6: { count: 12, first: 28, size: 24, name: 4, data: 16, hosts: 0, hostSize: 20 },
};
