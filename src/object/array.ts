import { Absent } from '../memory/absent.js';
import { addressOf } from '../memory/page.js';
import type { AddressSpace } from '../memory/space.js';
import type { ValueType } from './compiler.js';
import { decodeCString } from './text.js';

/** An array in memory: nothing is read before an element is asked for. */
export class ArrayView<T = unknown> implements Iterable<T> {
  constructor(
    readonly $space: AddressSpace,
    readonly $page: number,
    readonly $offset: number,
    private readonly element: ValueType,
    /** number of elements; 0 for a flexible array, see {@link resize} */
    readonly length: number,
  ) {}

  /** Address of the first element. */
  get $address(): bigint {
    return addressOf(this.$page, this.$offset);
  }

  /** Bytes of one element. */
  get stride(): number {
    return this.element.size;
  }

  /** Element `index`. Throws Absent outside of the array and on unreadable memory. */
  at(index: number): T {
    if (!Number.isInteger(index) || index < 0 || index >= this.length) {
      throw new Absent('not-applicable', `index ${index} of an array of ${this.length}`, this.$address);
    }
    return this.element.read(this.$space, this.$page, this.$offset + index * this.element.size) as T;
  }

  /** The same start with another length: a flexible array whose length some other member states. */
  resize(length: number): ArrayView<T> {
    return new ArrayView<T>(this.$space, this.$page, this.$offset, this.element, length);
  }

  /** All bytes of the array: a copy. */
  bytes(): Buffer {
    return this.$space.read(this.$address, this.length * this.element.size);
  }

  /** The array's bytes up to the first NUL, as text. */
  string(): string {
    return decodeCString(this.bytes());
  }

  *[Symbol.iterator](): Generator<T> {
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }

  toString(): string {
    return `[array of ${this.length} @ 0x${this.$address.toString(16)}]`;
  }

  /** What `console.log` shows: its length and place. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}
