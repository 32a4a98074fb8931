import { SymbolTable } from '../../symbols/symbol-table.js';
import type { KernelSymbol } from '../../symbols/types.js';
import type { ModuleNames } from './module-names.js';

export const NO_NAMES = new SymbolTable([]);

/** A part of a process's memory without names of its own: heap, stack, anonymous memory, a file that is no program. */
export class RegionNames implements ModuleNames {
  constructor(
    readonly name: string,
    readonly aliases: readonly string[],
    readonly start: bigint,
    readonly end: bigint,
    readonly path?: string,
  ) {}

  lookup(): undefined {
    return undefined;
  }

  nearest(): undefined {
    return undefined;
  }

  at(): readonly KernelSymbol[] {
    return [];
  }

  index(): SymbolTable {
    return NO_NAMES;
  }
}
