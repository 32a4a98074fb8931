import type { Kernel } from '../../kernel/kernel.js';
import { LazyIndex, type NameIndex, type NearSymbol, SymbolTable } from '../../symbols/symbol-table.js';
import type { KernelSymbol, SourceLine, TypeDescriptor } from '../../symbols/types.js';
import type { ModuleNames } from './module-names.js';
import { typeOfGlobal } from './typed-globals.js';

/** Further from a symbol than this, an address is not said to be in it (Rekall's limit). */
export const FARTHEST = 0x1000000n;

/** What a kernel is called in front of `!`. */
const NAMES: Readonly<Record<Kernel['os'], string>> = { linux: 'linux', windows: 'nt', darwin: 'mach', program: 'program' };

/**
 * The kernel's own names, from its profile. Where they tell its extent (`_text` and `_end`, include/asm-generic/sections.h), an address
 * outside of it is not said to be near them; per-CPU and absolute symbols answer to their names, and to their exact value.
 */
export class KernelNames implements ModuleNames {
  readonly name: string;
  readonly start: bigint;
  readonly end: bigint;
  private table: NameIndex | undefined;

  constructor(private readonly kernel: Kernel) {
    this.name = kernel.moduleName ?? NAMES[kernel.os];
    const { symbols } = kernel.profile;
    const { extent } = kernel;
    this.start = extent?.start ?? symbols.address('_text') ?? symbols.address('_stext') ?? 0n;
    const end = extent?.end ?? symbols.address('_end') ?? 0n;
    this.end = end > this.start ? end : 1n << 64n;
  }

  get derived(): Kernel['profile']['derived'] {
    return this.kernel.profile.derived;
  }

  get compiler(): Kernel['profile']['compiler'] {
    return this.kernel.profile.compiler;
  }

  type(symbol: string): TypeDescriptor | undefined {
    return typeOfGlobal(this.kernel.profile, symbol);
  }

  line(address: bigint): SourceLine | undefined {
    return this.kernel.profile.line(address);
  }

  lookup(symbol: string): bigint | undefined {
    return this.kernel.profile.symbols.address(symbol);
  }

  nearest(address: bigint): NearSymbol | undefined {
    if (address < this.start || address >= this.end) return undefined;
    const found = this.kernel.profile.symbols.nearest(address);
    return found && found.distance <= FARTHEST ? found : undefined;
  }

  at(address: bigint): readonly KernelSymbol[] {
    const { symbols } = this.kernel.profile;
    if (symbols.at) return symbols.at(address);
    const found = symbols.nearest(address);
    return found?.distance === 0n ? [found.symbol] : [];
  }

  index(): NameIndex {
    return (this.table ??= this.indexed());
  }

  private indexed(): NameIndex {
    const { symbols } = this.kernel.profile;
    if (!symbols.allNames || !symbols.symbol) return new SymbolTable(symbols.symbols());
    return new LazyIndex(symbols.allNames(), (index) => symbols.symbol?.(index) ?? { name: '', address: 0n, kind: '?' });
  }
}
