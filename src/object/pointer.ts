import { unreadable } from '../memory/absent.js';
import type { AddressSpace } from '../memory/space.js';
import type { TypeDescriptor } from '../symbols/types.js';
import type { TypeCompiler } from './compiler.js';
import { decodeText } from './text.js';

/** A pointer to anything but a struct: to bytes, to an integer, to another pointer, to a function, to void. */
export class Pointer {
  constructor(
    readonly $space: AddressSpace,
    /** what it points at; 0n: null */
    readonly address: bigint,
    readonly target: TypeDescriptor,
    private readonly compiler: TypeCompiler,
  ) {}

  get isNull(): boolean {
    return this.address === 0n;
  }

  /** What it points at, read as its target type. Throws Absent on null and on unreadable memory. */
  deref(): unknown {
    if (this.isNull) throw unreadable(0n, 'null pointer');
    return this.compiler.value(this.target).readAt(this.$space, this.address);
  }

  /** The NUL-terminated text it points at; at most `limit` bytes. Throws Absent on null and on unreadable memory. */
  string(limit = 4096): string {
    if (this.isNull) throw unreadable(0n, 'null pointer');
    return decodeText(this.$space.readCString(this.address, limit));
  }

  toString(): string {
    return `0x${this.address.toString(16)}`;
  }

  /** What `console.log` shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  toJSON(): bigint {
    return this.address;
  }
}
