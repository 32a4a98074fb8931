import type { Build, IdStream } from './ids.js';
import type { PdbSymbol } from './symbols.js';

/** Compilers and calls of them that are told: libraries bring a dozen, the program's own are among the first. */
const MOST = 16;

/** Notes of calls that are read at all. */
const MOST_BUILDS = 256;

/** Languages by their number (CV_CFL_LANG). */
const LANGUAGES: Readonly<Record<number, string>> = {
  ...{ 0x00: 'C', 0x01: 'C++', 0x02: 'Fortran', 0x03: 'assembly', 0x04: 'Pascal', 0x05: 'Basic', 0x06: 'COBOL', 0x07: 'linker', 0x08: 'resources', 0x09: 'PGO', 0x0a: 'C#', 0x0b: 'Visual Basic' },
  ...{ 0x0c: 'IL assembly', 0x0d: 'Java', 0x0e: 'JScript', 0x0f: 'MSIL', 0x10: 'HLSL', 0x11: 'Objective-C', 0x12: 'Objective-C++', 0x13: 'Swift', 0x14: 'alias object', 0x15: 'Rust', 0x44: 'D' },
};

/** What a PDB says of how its program was made. */
export interface PdbMaking {
  /** `Microsoft (R) Optimizing Compiler 19.29.30133.0 (C++)`: the most used first */
  readonly compilers: readonly string[];
  /** how they were called, as far as they noted it: those with a folder first */
  readonly builds: readonly Build[];
}

/** Gathers what modules say of their making; texts are read when somebody asks. */
export class Making {
  private readonly compilers = new Map<string, number>();
  private readonly ids = new Set<number>();
  private readonly environments = new Map<string, Build>();

  /** Takes a symbol of a module, where it is one that says something of that. */
  add(symbol: PdbSymbol): void {
    switch (symbol.kind) {
      case 'compiler': {
        const language = LANGUAGES[symbol.language] ?? `language 0x${symbol.language.toString(16)}`;
        const text = `${symbol.name} ${symbol.version} (${language})`;
        this.compilers.set(text, (this.compilers.get(text) ?? 0) + 1);
        break;
      }
      case 'build':
        if (this.ids.size < MOST_BUILDS) this.ids.add(symbol.id);
        break;
      case 'environment': {
        const value = (name: string): string => symbol.values.get(name) ?? '';
        const build = { folder: value('cwd'), tool: value('exe'), source: value('src'), pdb: value('pdb'), command: value('cmd') };
        if (this.environments.size < MOST) this.environments.set(Object.values(build).join('\n'), build);
        break;
      }
    }
  }

  /** @param ids the file's stream of ids, where it has one */
  told(ids: IdStream | undefined): PdbMaking {
    const builds: Build[] = [];
    for (const id of this.ids) {
      const build = ids?.build(id);
      if (build && Object.values(build).some((text) => text !== '')) builds.push(build);
    }
    builds.push(...this.environments.values());
    const compilers = [...this.compilers].sort(([, a], [, b]) => b - a).map(([text]) => text);
    return { compilers: compilers.slice(0, MOST), builds: [...builds.filter(({ folder }) => folder !== ''), ...builds.filter(({ folder }) => folder === '')].slice(0, MOST) };
  }
}

/** The same as a profile's $METADATA has it: `Compilers`, and `Builds` without what is empty. */
export function makingMetadata({ compilers, builds }: PdbMaking): { readonly Compilers?: readonly string[]; readonly Builds?: readonly Partial<Build>[] } {
  const stated = builds.map((build) => Object.fromEntries(Object.entries(build).filter(([, text]) => text !== '')) as Partial<Build>);
  return { ...(compilers.length > 0 && { Compilers: compilers }), ...(stated.length > 0 && { Builds: stated }) };
}
