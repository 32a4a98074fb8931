import { Absent, orElse } from '../../memory/absent.js';
import { TypeCompiler } from '../../object/compiler.js';
import type { Struct } from '../../object/struct.js';
import { BtfError, verifyBtf } from '../../symbols/btf/format.js';
import { BtfTypes } from '../../symbols/btf/types.js';
import type { LinuxKernel } from './kernel.js';
import { walkList } from './lists/list.js';
import type { ListHead } from './types.js';

/** No module's types take more. */
const LARGEST = 16 * 1024 * 1024;

/** kernel/bpf/btf.c */
interface BtfModule extends Struct {
  readonly module: Struct | null;
  readonly btf: Struct | null;
}

/**
 * Types of the kernel's modules: their split BTF, which the kernel keeps a copy of (struct btf on the list btf_modules,
 * kernel/bpf/btf.c, since 36e68442d1af, 5.11), on top of the kernel's own types. Module name → compiler.
 * Empty where the kernel has none, or where the profile did not come from BTF.
 */
export function moduleTypes(kernel: LinuxKernel): ReadonlyMap<string, TypeCompiler> {
  return kernel.memo('module types', () => {
    const found = new Map<string, TypeCompiler>();
    const base = kernel.profile.types;
    if (!(base instanceof BtfTypes) || kernel.symbol('btf_modules') === undefined || !kernel.profile.has('btf_module')) return found;
    const head = kernel.global<ListHead>('btf_modules', 'list_head');
    for (const entry of walkList(head, kernel.struct<BtfModule>('btf_module'), 'list')) {
      const name = orElse(() => String(entry.module?.$get('name')), undefined);
      const types = name === undefined ? undefined : typesOf(kernel, entry, base);
      if (name !== undefined && types) found.set(name, new TypeCompiler(types, kernel.profile.pointerSize));
    }
    return found;
  });
}

function typesOf(kernel: LinuxKernel, entry: BtfModule, base: BtfTypes): BtfTypes | undefined {
  try {
    const btf = entry.btf;
    const size = Number(btf?.$get('data_size') ?? 0);
    if (!btf || size === 0 || size > LARGEST) return undefined;
    const blob = kernel.space.read(btf.$pointer('data'), size);
    const sound = verifyBtf(blob, base.blob.extent);
    return sound === undefined ? new BtfTypes(blob, base) : undefined;
  } catch (error) {
    // A module whose types are paged out or damaged has none; the kernel's are still there.
    if (error instanceof Absent || error instanceof BtfError) return undefined;
    throw error;
  }
}
