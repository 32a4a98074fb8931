import type { TypeCompiler } from '../../object/compiler.js';
import type { LinuxKernel } from '../../kernel/linux/kernel.js';
import { moduleTypes } from '../../kernel/linux/module-types.js';
import { moduleRanges, moduleSymbols, type Module } from '../../kernel/linux/modules.js';
import { type NearSymbol, SymbolTable } from '../../symbols/symbol-table.js';
import type { KernelSymbol } from '../../symbols/types.js';
import type { ModuleNames } from './module-names.js';

/** Addresses `[start, end)` and whose names lie there. */
export interface NamedRange {
  readonly start: bigint;
  readonly end: bigint;
  readonly names: ModuleNames;
}

/** A loadable module's names, from its own kallsyms. */
class LinuxModuleNames implements ModuleNames {
  readonly end: bigint;
  private table: SymbolTable | undefined;

  constructor(
    private readonly kernel: LinuxKernel,
    private readonly module: Module,
    readonly name: string,
    readonly start: bigint,
    private readonly pieces: readonly { readonly start: bigint; readonly end: bigint }[],
  ) {
    this.end = pieces.reduce((end, piece) => (piece.end > end ? piece.end : end), start);
  }

  get compiler(): TypeCompiler | undefined {
    return moduleTypes(this.kernel).get(this.name);
  }

  lookup(symbol: string): bigint | undefined {
    return this.index().lookup(symbol);
  }

  nearest(address: bigint): NearSymbol | undefined {
    const piece = this.pieces.find(({ start, end }) => address >= start && address < end);
    const found = piece && this.index().nearest(address);
    return found && found.symbol.address >= piece.start ? found : undefined;
  }

  at(address: bigint): readonly KernelSymbol[] {
    return this.index().at(address);
  }

  index(): SymbolTable {
    return (this.table ??= new SymbolTable(moduleSymbols(this.kernel, this.module)));
  }
}

/** The names of the kernel's modules, and where each of their pieces lies. */
export function linuxModules(kernel: LinuxKernel): { readonly modules: readonly ModuleNames[]; readonly ranges: readonly NamedRange[] } {
  const pieces = new Map<Module, { name: string; ranges: { start: bigint; end: bigint }[] }>();
  for (const { module, name, start, end } of moduleRanges(kernel)) {
    const known = pieces.get(module);
    if (known) known.ranges.push({ start, end });
    else pieces.set(module, { name, ranges: [{ start, end }] });
  }
  const modules: ModuleNames[] = [];
  const ranges: NamedRange[] = [];
  for (const [module, { name, ranges: own }] of pieces) {
    const first = own[0];
    if (!first) continue;
    const names = new LinuxModuleNames(kernel, module, name, first.start, own);
    modules.push(names);
    for (const piece of own) ranges.push({ ...piece, names });
  }
  return { modules, ranges };
}
