import type { PagedSpace } from '../memory/paging/paged.js';
import type { Struct } from '../object/struct.js';
import type { StructType } from '../object/struct-type.js';
import type { Profile } from '../symbols/profile.js';

/** What a kernel of any system gives its walkers: the profile's types and names, read in the kernel's own space. */
export abstract class ProfiledKernel {
  abstract readonly space: PagedSpace;
  abstract readonly profile: Profile;
  private readonly memos = new Map<string, unknown>();

  /** A compiled struct. Throws Absent. */
  struct<T extends Struct = Struct>(name: string): StructType<T> {
    return this.profile.struct<T>(name);
  }

  /** The struct at an address of the kernel. */
  at<T extends Struct = Struct>(struct: string, address: bigint): T {
    return this.profile.struct<T>(struct).at(this.space, address);
  }

  /** The struct at a symbol. Throws Absent where the kernel has no such symbol. */
  global<T extends Struct = Struct>(symbol: string, struct: string): T {
    return this.at<T>(struct, this.profile.address(symbol));
  }

  /** Address of a symbol, or undefined. */
  symbol(name: string): bigint | undefined {
    return this.profile.symbols.address(name);
  }

  /** Value of a pointer-sized variable. Throws Absent where the symbol or its page is missing. */
  variable(symbol: string): bigint {
    return this.space.readPointer(this.profile.address(symbol));
  }

  /** A value that is derived once for this kernel. */
  memo<T>(key: string, compute: () => T): T {
    if (!this.memos.has(key)) this.memos.set(key, compute());
    return this.memos.get(key) as T;
  }
}
