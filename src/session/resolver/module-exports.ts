import type { AddressSpace } from '../../memory/space.js';
import { orElse } from '../../memory/absent.js';
import type { ModuleNames } from './module-names.js';
import { PeNames } from './pe-names.js';
import type { Resolver } from './resolver.js';
import { SharedReads } from './shared-reads.js';

/** An exported function. */
export interface ExportedFunction {
  /** file name of the module */
  readonly module: string;
  /** its names; `#12` where it has none */
  readonly names: readonly string[];
}

/** Which function of which module an address is: by the modules' export tables, read as they are asked for. Private symbols do not count. */
export class ModuleExports {
  private readonly tables = new Map<ModuleNames, ReadonlyMap<number, readonly string[]>>();
  private readonly reads = new SharedReads();
  private forwarders: Map<bigint, string[]> | undefined;

  constructor(
    private readonly resolver: Resolver,
    private readonly space: AddressSpace,
    /** file name of the kernel, which is called `nt` in front of `!` */
    private readonly kernelFile = 'ntoskrnl.exe',
  ) {}

  /** The exported function that begins at an address. */
  at(address: bigint): ExportedFunction | undefined {
    const module = this.resolver.moduleAt(address);
    const names = module && this.table(module).get(Number(address - module.start));
    return module && names && { module: this.fileName(module), names };
  }

  /** Exports of other modules that are forwarded to an address: `KERNEL32.dll!HeapAlloc`. */
  forwardersTo(address: bigint): readonly string[] {
    this.forwarders ??= this.readForwarders();
    return this.forwarders.get(address) ?? [];
  }

  private table(module: ModuleNames): ReadonlyMap<number, readonly string[]> {
    let table = this.tables.get(module);
    if (!table) this.tables.set(module, (table = module instanceof PeNames ? module.functions() : this.reads.functions(this.space, module.start)));
    return table;
  }

  private readForwarders(): Map<bigint, string[]> {
    const found = new Map<bigint, string[]>();
    for (const module of this.resolver.modules()) {
      const exports = module instanceof PeNames ? module.exports() : this.reads.exports(this.space, module.start);
      for (const { name, forwarder } of exports.values()) {
        // The resolver follows forwarders, through API sets too.
        const target = forwarder === undefined ? undefined : orElse(() => module.lookup(name), undefined);
        if (target === undefined) continue;
        const text = `${this.fileName(module)}!${name}`;
        const names = found.get(target);
        if (names) names.push(text);
        else found.set(target, [text]);
      }
    }
    return found;
  }

  private fileName(module: ModuleNames): string {
    if (this.resolver.isKernel(module.name)) return this.kernelFile;
    const file = module.path?.split('\\').at(-1) ?? '';
    return file === '' ? module.name : file;
  }
}
