import type { Kernel } from '../kernel/kernel.js';
import type { LinuxKernel } from '../kernel/linux/kernel.js';
import { moduleRanges, moduleSymbols } from '../kernel/linux/modules.js';
import { PluginError } from '../plugin/error.js';
import type { KernelSymbol } from '../symbols/types.js';

/**
 * An address as the analyst writes it: an optional `*` (the pointer there), a number or `module!symbol`, an optional offset.
 * `0xffff…`, `init_task`, `linux!init_task+0x10`, `*linux!modules`, `loop!lo_open`.
 */
const EXPRESSION = /^\s*(\*)?\s*(?:(0x[0-9a-f]+|\d+)|(?:([\w.\\-]+)!)?([\w.$@-]*?))\s*(?:([+-])\s*(0x[0-9a-f]+|\d+))?\s*$/i;
/** Further from a symbol than this, an address is not said to be in it (Rekall's limit). */
const FARTHEST = 0x1000000n;

/** Names to addresses and back, for one kernel. */
export class Resolver {
  constructor(private readonly kernel: Kernel) {}

  /** The address that an expression means. Throws PluginError with near names when it means none. */
  address(expression: string): bigint {
    const parts = EXPRESSION.exec(expression);
    if (!parts || (parts[2] === undefined && parts[3] === undefined && !parts[4])) {
      throw new PluginError(`'${expression}' is no address: expected a number, a symbol, or module!symbol+offset.`, 'address_resolver linux!init_task');
    }
    const [, star, number, module, symbol, sign, offset] = parts;
    let address = number !== undefined ? BigInt(number) : this.named(module, symbol ?? '', expression);
    if (offset !== undefined) address += sign === '-' ? -BigInt(offset) : BigInt(offset);
    address = BigInt.asUintN(64, address);
    return star === undefined ? address : this.kernel.space.readPointer(address);
  }

  /** `linux!init_task+0x10`, or undefined where no symbol is near. */
  name(address: bigint): string | undefined {
    const found = this.nearest(address);
    if (!found) return undefined;
    const { module, symbol, distance } = found;
    return `${module}!${symbol.name}${distance === 0n ? '' : `+0x${distance.toString(16)}`}`;
  }

  /** The symbol at or below an address: of a module where the address lies in one, of the kernel otherwise. */
  nearest(address: bigint): { module: string; symbol: KernelSymbol; distance: bigint } | undefined {
    const linux = this.kernel as LinuxKernel;
    for (const range of moduleRanges(linux)) {
      if (address < range.start || address >= range.end) continue;
      let best: KernelSymbol | undefined;
      for (const symbol of moduleSymbols(linux, range.module)) {
        if (symbol.address <= address && (!best || symbol.address > best.address)) best = symbol;
      }
      const symbol = best ?? { name: `0x${range.start.toString(16)}`, address: range.start, kind: 't' };
      return { module: range.name, symbol, distance: address - symbol.address };
    }
    const found = this.kernel.profile.symbols.nearest(address);
    return found && found.distance <= FARTHEST ? { module: 'linux', ...found } : undefined;
  }

  /** Symbols whose `module!name` matches a pattern with `*` and `?`; kernel symbols need no module. */
  *search(pattern: string): Generator<KernelSymbol & { readonly module: string }> {
    const [module, name] = pattern.includes('!') ? (pattern.split('!', 2) as [string, string]) : ['linux', pattern];
    const matches = wildcard(name);
    const modules = wildcard(module);
    if (isKernelName(module) || modules.test('linux')) {
      for (const symbol of this.kernel.profile.symbols.symbols()) if (matches.test(symbol.name)) yield { ...symbol, module: 'linux' };
    }
    const linux = this.kernel as LinuxKernel;
    const seen = new Set<string>();
    for (const range of moduleRanges(linux)) {
      if (!modules.test(range.name) || seen.has(range.name)) continue;
      seen.add(range.name);
      for (const symbol of moduleSymbols(linux, range.module)) if (matches.test(symbol.name)) yield { ...symbol, module: range.name };
    }
  }

  private named(module: string | undefined, symbol: string, expression: string): bigint {
    if (module === undefined || isKernelName(module)) {
      const address = this.kernel.profile.symbols.address(symbol || '_text');
      if (address !== undefined) return address;
    }
    for (const range of moduleRanges(this.kernel as LinuxKernel)) {
      if (range.name !== (module ?? symbol)) continue;
      if (module === undefined || symbol === '') return range.start;
      for (const found of moduleSymbols(this.kernel as LinuxKernel, range.module)) if (found.name === symbol) return found.address;
    }
    const near: string[] = [];
    for (const found of this.search(`${module ?? 'linux'}!*${symbol}*`)) {
      near.push(found.name);
      if (near.length === 5) break;
    }
    throw new PluginError(
      `${expression} is not known here.${near.length > 0 ? ` There is ${near.join(', ')}.` : ''}`,
      `address_resolver "${module ?? 'linux'}!*${symbol.slice(0, 12)}*"`,
    );
  }
}

function isKernelName(module: string): boolean {
  return ['linux', 'vmlinux', 'kernel'].includes(module.toLowerCase());
}

function wildcard(pattern: string): RegExp {
  const source = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'i');
}
