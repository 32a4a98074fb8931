import { windowsOverlay } from '../../kernel/windows/overlays.js';
import { guidAge } from '../../kernel/windows/find/rsds.js';
import type { AddressSpace } from '../../memory/space.js';
import { TypeCompiler } from '../../object/compiler.js';
import { ProfileError } from '../../symbols/error.js';
import { OverlayTypes } from '../../symbols/overlay.js';
import type { PeDebug } from '../../symbols/pe/loaded.js';
import { DataIndex, scoreOf } from '../../symbols/rekall/data-index.js';
import type { ProfileRepository } from '../../symbols/repository/repository.js';
import type { ProfileSource } from '../../symbols/source.js';

/** What a module's PDB tells: its names, and types where it has some (those of most drivers have none). */
export interface ModuleProfile {
  readonly source: ProfileSource;
  readonly compiler: TypeCompiler | undefined;
}

/**
 * Profiles of modules, by the debug record that stands in each. They come from the session's repositories, each when a name in its module
 * is first needed, and what is not there is not asked for again.
 */
export class ModuleProfiles {
  private readonly found = new Map<string, ModuleProfile>();
  /** without waiting there was none */
  private readonly notAtHand = new Set<string>();
  private readonly indexes = new Map<string, DataIndex | undefined>();
  private readonly asked = new Map<string, Promise<ModuleProfile | undefined>>();

  constructor(private readonly repository: ProfileRepository | undefined) {}

  /** The profile of a module, where that can be had without waiting: from files, and from what servers gave before. */
  now(module: string, debug: PeDebug): ModuleProfile | undefined {
    const key = guidAge(debug);
    const known = this.found.get(key);
    if (known || this.notAtHand.has(key) || !this.repository) return known;
    for (const name of profileNames(module, debug)) {
      try {
        const source = this.repository.loadNow(name);
        if (source) return this.keep(key, source);
      } catch (error) {
        // Damaged: the next name may have another, and load_profile says what is wrong.
        if (!(error instanceof ProfileError)) throw error;
      }
    }
    this.notAtHand.add(key);
    return undefined;
  }

  /**
   * The profile of a module whose debug record is not in memory, by the bytes that an index of its builds states (`tcpip/index`). Undefined unless all points that can be
   * read are as one build has them, a text among them, and no other build fits as well.
   */
  byIndex(module: string, space: AddressSpace, base: bigint): ModuleProfile | undefined {
    try {
      const [best, second] = this.index(module)?.matches(space, base) ?? [];
      if (!best || scoreOf(best) < 1 || best.texts === 0) return undefined;
      if (second && scoreOf(second) === 1 && second.matched >= best.matched) return undefined;
      const known = this.found.get(best.profile);
      const source = known ? undefined : this.repository?.loadNow(best.profile);
      return known ?? (source && this.keep(best.profile, source));
    } catch (error) {
      if (!(error instanceof ProfileError)) throw error;
      return undefined;
    }
  }

  private index(module: string): DataIndex | undefined {
    if (!this.indexes.has(module)) {
      // One that is damaged is none, and is not read again.
      this.indexes.set(module, undefined);
      const source = this.repository?.loadNow(`${module}/index`);
      this.indexes.set(module, source && DataIndex.of(source));
    }
    return this.indexes.get(module);
  }

  /** The profile by the debug record from wherever it may come, servers too. Asked for once. */
  async load(module: string, debug: PeDebug): Promise<ModuleProfile | undefined> {
    const key = guidAge(debug);
    const known = this.now(module, debug);
    if (known) return known;
    let asked = this.asked.get(key);
    if (!asked) this.asked.set(key, (asked = this.search(module, debug, key)));
    return asked;
  }

  /** A profile that was made or fetched in some other way. */
  give(debug: PeDebug, source: ProfileSource): ModuleProfile {
    return this.keep(guidAge(debug), source);
  }

  private async search(module: string, debug: PeDebug, key: string): Promise<ModuleProfile | undefined> {
    for (const name of profileNames(module, debug)) {
      try {
        const source = await this.repository?.load(name);
        if (source) return this.keep(key, source);
      } catch (error) {
        if (!(error instanceof ProfileError)) throw error;
      }
    }
    return undefined;
  }

  private keep(key: string, source: ProfileSource): ModuleProfile {
    const pointer = source.metadata.arch === 'I386' ? 4 : 8;
    const [anyType] = source.types.structNames();
    const compiler = anyType === undefined ? undefined : new TypeCompiler(new OverlayTypes(source.types, windowsOverlay(pointer)), pointer);
    const profile = { source, compiler };
    this.found.set(key, profile);
    return profile;
  }
}

/**
 * Names that the profile of a module may have: in Rekall's repository (by the module, or by its PDB: `wntdll` is ntdll's of 32 bits), in a symbol store of
 * Volatility 3, in one of PDBs.
 */
export function profileNames(module: string, debug: PeDebug): string[] {
  const key = guidAge(debug);
  const stem = debug.pdb.replace(/\.pdb$/i, '');
  const folders = [module.toLowerCase(), stem.toLowerCase(), stem];
  return [...new Set([...folders.map((folder) => `${folder}/GUID/${key}`), `GUID/${key}`, `${debug.pdb}/${debug.guid}-${debug.age}`, `${debug.pdb}/${key}/${debug.pdb}`])];
}
