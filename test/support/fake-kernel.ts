import type { LinuxKernel } from '../../src/kernel/linux/kernel.js';
import { BufferSpace } from '../../src/memory/space.js';
import { Profile } from '../../src/symbols/profile.js';
import type { MemberLayout, StructLayout, SymbolSource, TypeDescriptor } from '../../src/symbols/types.js';

/** Descriptors for layouts written by hand. */
export const u8: TypeDescriptor = { kind: 'int', size: 1, signed: false, name: 'unsigned char' };
export const u32: TypeDescriptor = { kind: 'int', size: 4, signed: false, name: 'unsigned int' };
export const u64: TypeDescriptor = { kind: 'int', size: 8, signed: false, name: 'unsigned long' };
export const pointer: TypeDescriptor = { kind: 'pointer', target: { kind: 'void' } };
export const pointerTo = (struct: string): TypeDescriptor => ({ kind: 'pointer', target: { kind: 'struct', name: struct } });
export const arrayOf = (count: number, target: TypeDescriptor): TypeDescriptor => ({ kind: 'array', count, target });
export const inPlace = (struct: string): TypeDescriptor => ({ kind: 'struct', name: struct });

/** A struct layout: bytes, and members as [offset, type]. */
export function layout(size: number, members: Readonly<Record<string, readonly [number, TypeDescriptor]>>): StructLayout {
  const all = Object.entries(members).map(([name, [offset, type]]): [string, MemberLayout] => [name, { offset, type }]);
  return { union: false, size, members: new Map(all) };
}

/** A piece of a kernel's memory in a buffer, to which a test writes structs by hand. */
export class FakeMemory {
  readonly buffer: Buffer;

  constructor(
    readonly base = 0xffff888000001000n,
    pages = 16,
  ) {
    this.buffer = Buffer.alloc(pages * 4096);
  }

  u32(address: bigint, value: number): void {
    this.buffer.writeUInt32LE(value, Number(address - this.base));
  }

  u64(address: bigint, value: bigint): void {
    this.buffer.writeBigUInt64LE(value, Number(address - this.base));
  }

  text(address: bigint, value: string): void {
    this.buffer.write(`${value}\0`, Number(address - this.base), 'utf8');
  }
}

/**
 * As much of a kernel as walkers use: a space, types and symbols. For damage that no lab image has; what a healthy kernel looks
 * like is tested on images.
 */
export function fakeKernel(memory: FakeMemory, structs: Readonly<Record<string, StructLayout>>, addresses: Readonly<Record<string, bigint>> = {}): LinuxKernel {
  const symbols: SymbolSource = {
    address: (name) => addresses[name],
    all: (name) => (addresses[name] === undefined ? [] : [addresses[name]]),
    nearest: () => undefined,
    symbols: () => Object.entries(addresses).map(([name, address]) => ({ name, address, kind: 'D' })),
    size: Object.keys(addresses).length,
  };
  const types = {
    struct: (name: string) => structs[name],
    enum: () => undefined,
    typedef: () => undefined,
    structNames: () => Object.keys(structs),
    enumNames: () => [],
  };
  const profile = new Profile(types, symbols, { os: 'linux', arch: 'AMD64', source: 'test' });
  const space = new BufferSpace(memory.buffer, memory.base);
  const memos = new Map<string, unknown>();
  const kernel = {
    os: 'linux',
    profile,
    space,
    struct: (name: string) => profile.struct(name),
    at: (name: string, address: bigint) => profile.struct(name).at(space, address),
    global: (symbol: string, name: string) => profile.struct(name).at(space, profile.address(symbol)),
    symbol: (name: string) => addresses[name],
    // One piece of memory is the kernel's and every process's.
    spaceOf: () => space,
    memo: (key: string, compute: () => unknown) => {
      if (!memos.has(key)) memos.set(key, compute());
      return memos.get(key);
    },
  };
  return kernel as unknown as LinuxKernel;
}
