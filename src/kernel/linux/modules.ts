import { orElse } from '../../memory/absent.js';
import type { Struct } from '../../object/struct.js';
import { readModuleKallsyms } from '../../symbols/kallsyms/module.js';
import type { KernelSymbol } from '../../symbols/types.js';
import type { LinuxKernel } from './kernel.js';
import { walkList, type WalkOptions } from './lists/list.js';
import type { ListHead } from './types.js';

/** include/linux/module.h */
export interface Module extends Struct {
  readonly name: string;
  readonly list: ListHead;
  readonly state: number;
}

/** A piece of memory that belongs to a module: one per kind of content since 6.4. */
export interface ModuleMemory {
  readonly kind: string;
  readonly start: bigint;
  readonly size: number;
}

/** MOD_TEXT … of enum mod_mem_type (include/linux/module.h, since kernel commit ac3b43283923, 6.4). */
const MEMORY_KINDS = ['text', 'data', 'rodata', 'ro_after_init', 'init_text', 'init_data', 'init_rodata'];

/** The modules on the kernel's list, newest first. */
export function* modules(kernel: LinuxKernel, options: WalkOptions = {}): Generator<Module> {
  const head = kernel.global<ListHead>('modules', 'list_head');
  yield* walkList(head, kernel.struct<Module>('module'), 'list', options);
}

/**
 * The memory of a module: module.mem[] since 6.4, module.core_layout and init_layout since 4.5 (7523e4dc5057), module_core and
 * core_size before. Pieces of size 0 (freed init sections) are left out.
 */
export function moduleMemory(module: Module): ModuleMemory[] {
  const pieces: ModuleMemory[] = [];
  const add = (kind: string, start: bigint, size: number): void => {
    if (size > 0 && start !== 0n) pieces.push({ kind, start, size });
  };
  if (module.$has('mem')) {
    let index = 0;
    for (const memory of module.$get('mem') as Iterable<Struct>) {
      add(MEMORY_KINDS[index++] ?? 'other', memory.$pointer('base'), Number(memory.$get('size')));
    }
  } else if (module.$has('core_layout')) {
    for (const kind of ['core', 'init']) {
      const layout = module.$get(`${kind}_layout`) as Struct;
      add(kind, layout.$pointer('base'), Number(layout.$get('size')));
    }
  } else {
    add('core', module.$pointer('module_core'), Number(module.$get('core_size')));
  }
  return pieces;
}

interface ModuleRange {
  readonly name: string;
  readonly module: Module;
  readonly start: bigint;
  readonly end: bigint;
}

/** Where modules lie, for resolving addresses; modules that cannot be read are left out. */
export function moduleRanges(kernel: LinuxKernel): readonly ModuleRange[] {
  return kernel.memo('module ranges', () => {
    const ranges: ModuleRange[] = [];
    if (kernel.symbol('modules') === undefined) return ranges;
    for (const module of modules(kernel)) {
      const pieces = orElse(() => ({ name: module.name, memory: moduleMemory(module) }), undefined);
      for (const piece of pieces?.memory ?? []) {
        ranges.push({ name: pieces?.name ?? '', module, start: piece.start, end: piece.start + BigInt(piece.size) });
      }
    }
    return ranges;
  });
}

/** A module's own symbols, from its kallsyms (struct mod_kallsyms, include/linux/module.h; since 4.5, 8244062ef1e5). */
export function moduleSymbols(kernel: LinuxKernel, module: Module): readonly KernelSymbol[] {
  return kernel.memo(`module symbols ${module.$address}`, () =>
    orElse(() => {
      const at = module.$has('kallsyms') ? (module.$get('kallsyms') as Struct | null) : module;
      if (!at) return [];
      const typetab = at.$has('typetab') ? at.$pointer('typetab') : undefined;
      return readModuleKallsyms(kernel.space, {
        symtab: at.$pointer('symtab'),
        strtab: at.$pointer('strtab'),
        numSyms: Number(at.$get('num_symtab')),
        bits: kernel.profile.pointerSize === 8 ? 64 : 32,
        ...(typetab === undefined ? {} : { typetab }),
      });
    }, []),
  );
}
