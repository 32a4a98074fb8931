import type { TypeCompiler } from '../../object/compiler.js';
import type { NameIndex, NearSymbol } from '../../symbols/symbol-table.js';
import type { Derived } from '../../symbols/dynamic.js';
import type { KernelSymbol, SourceLine, TypeDescriptor } from '../../symbols/types.js';

/**
 * Names of one part of an address space: the kernel, one of its modules, a program or library that a process has mapped, a region
 * without names of its own. Whatever knows names (kallsyms, ELF, one day PE exports) is one of these.
 */
export interface ModuleNames {
  /** what stands in front of `!`: `linux`, `loop`, `libc`, `map_0x7f7b5ae3b000` */
  readonly name: string;
  /** other names it answers to, as {@link moduleKey} folds them */
  readonly aliases?: readonly string[];
  /** address of the first byte, which the bare name means, and one past the last */
  readonly start: bigint;
  readonly end: bigint;
  /** the mapped file, where there is one */
  readonly path?: string;
  /** types of its own and of its globals */
  readonly compiler?: TypeCompiler;
  /** names that its profile has rules for: they are found in code when they are looked up */
  readonly derived?: Derived | undefined;
  /** type of a global, where it is known */
  type?(symbol: string): TypeDescriptor | undefined;
  /** The line of the source that made the code at an address, where it is known. */
  line?(address: bigint): SourceLine | undefined;
  /** Fetches what names need that can only be waited for: a profile on a server. Without it what is at hand is used. */
  prepare?(): Promise<void>;
  /** Where a name leads that only stands for one in another module (a forwarded export), step by step; undefined of all others. */
  forwarded?(symbol: string): { readonly steps: readonly string[]; readonly address: bigint | undefined } | undefined;
  /** Address of the first symbol with this name, in this case. */
  lookup(symbol: string): bigint | undefined;
  /** The last symbol at or below an address that lies in this module. */
  nearest(address: bigint): NearSymbol | undefined;
  /** All symbols at an address. */
  at(address: bigint): readonly KernelSymbol[];
  /** Its symbols, indexed by name. Made when first asked for; may be empty. */
  index(): NameIndex;
}

/** Names that kernels have gone by, and the one used here. */
const KERNELS: Readonly<Record<string, string>> = {
  ntoskrnl: 'nt',
  ntkrnlpa: 'nt',
  ntkrnlmp: 'nt',
  ntkrpamp: 'nt',
  vmlinux: 'linux',
  vmlinuz: 'linux',
  kernel: 'linux',
};

/** Extensions of programs and modules: `.so.6`, `.ko.xz`, `.exe`. */
const EXTENSION = /\.(?:so(?:\.\d+)*|ko(?:\.(?:gz|xz|zst))?|exe|dll|sys|drv)$/;

/** A module's name without folder, extension and version: `libc` for `/lib/libc.so.6`. The case stays. */
export function moduleName(path: string): string {
  const file = path.replace(/ \(deleted\)$/, '').replace(/^.*[\\/]/, '');
  const extension = EXTENSION.exec(file.toLowerCase());
  return extension && extension.index > 0 ? file.slice(0, extension.index) : file;
}

/** What module names are compared by: case folded, path and extension dropped, kernels under one name. */
export function moduleKey(name: string): string {
  const key = moduleName(name).toLowerCase();
  return KERNELS[key] ?? key;
}
