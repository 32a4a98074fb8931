import { orElse } from '../memory/absent.js';
import type { AddressSpace } from '../memory/space.js';
import type { Instruction, MemoryReference, Reference } from './instruction.js';
import { codeName, dataName, isCode, type Names } from './names.js';

/** Below this no number in code is taken for an address: nothing is mapped there (vm.mmap_min_addr). */
const LOWEST = 0x10000n;
/** A jump of five bytes: trampolines of static calls, hooks. */
const JMP = 0xe9;
/** Characters of a text that are shown, and the fewest that make one. */
const TEXT_SHOWN = 60;
const TEXT_LEAST = 4;

export interface CommentSources {
  readonly space: AddressSpace;
  readonly names: Names;
  /** width of addresses in the code, bits */
  readonly bits: 16 | 32 | 64;
  /** Where an address behind a segment register really is, and its name; undefined where that is not known. */
  segment?(segment: 'FS' | 'GS', offset: bigint, instruction: Instruction): { readonly address: bigint; readonly name: string | undefined } | undefined;
}

/** Says what the operands of instructions mean, from what stands in memory now. */
export class Commentator {
  private readonly mask: bigint;

  constructor(private readonly sources: CommentSources) {
    this.mask = (1n << BigInt(sources.bits === 64 ? 64 : 32)) - 1n;
  }

  /** The column beside the listing: names of targets, values of variables, texts; empty where there is nothing to say. */
  comment(instruction: Instruction): string {
    const parts = instruction.references.map((reference) => this.describe(reference, instruction));
    return parts.filter((part) => part !== undefined && part !== '').join(', ');
  }

  /** The first address that the instruction names: of a branch, a variable, or a number that is one. */
  target(instruction: Instruction): bigint | undefined {
    for (const reference of instruction.references) {
      if (reference.kind === 'branch') return reference.target;
      if (reference.kind === 'memory') {
        const place = reference.absolute ? this.place(reference, instruction) : undefined;
        if (place) return place.address;
      } else if (this.isAddress(reference.value)) return reference.value;
    }
    return undefined;
  }

  /** The value of the first variable that the instruction names. Undefined where there is none; throws Absent where it cannot be read. */
  value(instruction: Instruction): bigint | undefined {
    for (const reference of instruction.references) {
      if (reference.kind !== 'memory' || !reference.absolute) continue;
      const place = this.place(reference, instruction);
      const size = this.sizeOf(reference);
      if (place && size > 0) return this.read(place.address, size);
    }
    return undefined;
  }

  private describe(reference: Reference, instruction: Instruction): string | undefined {
    switch (reference.kind) {
      case 'branch':
        return this.branch(reference.target, instruction);
      case 'immediate':
        return this.isAddress(reference.value) ? this.pointer(reference.value) : undefined;
      case 'memory':
        return reference.absolute ? this.variable(reference, instruction) : this.table(reference);
    }
  }

  /** `linux!do_exit + 0x20`; where another jump stands there, where that goes. */
  private branch(target: bigint, instruction: Instruction): string | undefined {
    const { names, space } = this.sources;
    const name = codeName(names, target);
    if (instruction.flow === 'conditional' || names.nearest(target)?.symbol.address !== target) return name;
    const onward = orElse(() => (space.readU8(target) === JMP ? (target + 5n + BigInt(space.read(target + 1n, 4).readInt32LE(0))) & this.mask : undefined), undefined);
    const next = onward === undefined ? undefined : codeName(names, onward);
    return next === undefined ? name : `${name ?? ''} -> ${next}`;
  }

  /** `0x7 linux!console_loglevel`; where the value is a known address, what that is. */
  private variable(reference: MemoryReference, instruction: Instruction): string | undefined {
    const { names, space } = this.sources;
    const place = this.place(reference, instruction);
    if (!place) return undefined;
    const { address } = place;
    const text = reference.size === 0 ? this.textAt(address) : undefined;
    const name = place.name ?? (text !== undefined && names.nearest(address)?.distance !== 0n ? undefined : dataName(names, address));
    const size = this.sizeOf(reference);
    if (text !== undefined || size === 0 || (reference.size === 0 && this.isCodeAt(address))) return join(text, name);
    const value = orElse(() => this.read(address, size), undefined);
    if (value === undefined) return join('(unreadable)', name);
    const indirect = instruction.flow === 'indirect call' || instruction.flow === 'indirect jump';
    const leads = size * 8 >= space.bits && this.isAddress(value) && (indirect || names.nearest(value)?.distance === 0n) ? codeName(names, value) : undefined;
    return join(`0x${value.toString(16).toUpperCase()}`, name, leads === undefined ? undefined : `-> ${leads}`);
  }

  /** A displacement that is an address, with registers added to it: an array. */
  private table(reference: MemoryReference): string | undefined {
    const address = reference.address & this.mask;
    return reference.segment === undefined && this.isAddress(address) ? dataName(this.sources.names, address) : undefined;
  }

  /** A number that is an address: the text there, or its name. */
  private pointer(address: bigint): string | undefined {
    const { names } = this.sources;
    const text = this.textAt(address);
    return text !== undefined && names.nearest(address)?.distance !== 0n ? text : join(text, dataName(names, address));
  }

  private place(reference: MemoryReference, instruction: Instruction): { address: bigint; name?: string | undefined } | undefined {
    const address = reference.address & this.mask;
    if (reference.segment === undefined) return { address };
    return this.sources.segment?.(reference.segment, address, instruction);
  }

  /** Bytes that are read of a variable; those of a pointer where only its address is computed; 0 where it is no integer. */
  private sizeOf({ size }: MemoryReference): number {
    if (size === 0) return this.sources.space.bits / 8;
    return size === 1 || size === 2 || size === 4 || size === 8 ? size : 0;
  }

  private read(address: bigint, size: number): bigint {
    const { space } = this.sources;
    if (size === 8) return space.readU64(address);
    return BigInt(size === 1 ? space.readU8(address) : size === 2 ? space.readU16(address) : space.readU32(address));
  }

  private isAddress(value: bigint): boolean {
    return value >= LOWEST && value <= this.mask && this.sources.space.isValid(value);
  }

  /** Code is not a variable: its bytes as a number say nothing. */
  private isCodeAt(address: bigint): boolean {
    const found = this.sources.names.nearest(address);
    return found !== undefined && found.symbol.kind !== undefined && isCode(found.symbol);
  }

  /** A text in quotes, where one stands there: printable ASCII and an end. The level that printk's texts begin with is left out. */
  private textAt(address: bigint): string | undefined {
    const bytes = orElse(() => this.sources.space.readCString(address, 1024), undefined);
    if (!bytes || bytes.length >= 1024) return undefined;
    // KERN_SOH and a digit (include/linux/kern_levels.h).
    const text = bytes.toString('latin1', bytes[0] === 1 ? 2 : 0);
    if (text.length < TEXT_LEAST || !/^[\x20-\x7e\n\t]+$/.test(text)) return undefined;
    return JSON.stringify(text.length > TEXT_SHOWN ? `${text.slice(0, TEXT_SHOWN)}…` : text);
  }
}

function join(...parts: readonly (string | undefined)[]): string | undefined {
  const said = parts.filter((part) => part !== undefined && part !== '');
  return said.length > 0 ? said.join(' ') : undefined;
}
