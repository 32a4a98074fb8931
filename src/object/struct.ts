import { Absent } from '../memory/absent.js';
import { addressOf, type Page, PAGE_MASK, PAGE_SHIFT } from '../memory/page.js';
import type { AddressSpace } from '../memory/space.js';
import type { StructType } from './struct-type.js';

/**
 * A typed view: a struct of some layout at an address of a space. Its members are plain properties
 * (`task.comm`, `task.mm.pgd`), which {@link StructType} compiles into getters; what is not a member of the C struct
 * stands under `$`.
 *
 * Members read as: integers up to 32 bits, enumerations and bit fields → number; 64-bit integers → bigint; bool →
 * boolean; `char[n]` → string; a pointer to a struct → its view, or null; any other pointer → {@link Pointer};
 * an array → {@link ArrayView}; a struct in place → its view.
 *
 * Reading a member that this kernel's struct does not have, or whose page is not in the image, throws {@link Absent}.
 */
export abstract class Struct {
  /** The compiled layout; set on the prototype of each compiled class. */
  declare readonly $struct: StructType;
  /** where the bytes are */
  declare readonly $space: AddressSpace;
  /** page number of the struct's first byte */
  declare readonly $page: number;
  /** offset of the first byte in that page, 0 to 4095 */
  declare readonly $offset: number;
  /** the page of the first byte, once it was read */
  declare private $bound: Page | undefined;

  // Assigned, not declared as fields: defining fields on instances of hundreds of classes costs a microsecond a view, ten times as much.
  constructor($space: AddressSpace, $page: number, $offset: number) {
    this.$space = $space;
    this.$page = $page;
    this.$offset = $offset;
    this.$bound = undefined;
  }

  /** Virtual address (or the address in whichever space this is) of the first byte. */
  get $address(): bigint {
    return addressOf(this.$page, this.$offset);
  }

  /** Name of the C struct. */
  get $type(): string {
    return this.$struct.name;
  }

  /** True where the image has the struct's first byte. */
  get $valid(): boolean {
    return this.$space.pageAt(this.$page) !== undefined;
  }

  /** True where this kernel's struct has the member. */
  $has(member: string): boolean {
    return this.$struct.members.has(member);
  }

  /** A member by a name that is not known when the code is written (`dt`, queries). */
  $get(member: string): unknown {
    return this.$struct.read(this, member);
  }

  /** Address of a member. */
  $addressOf(member: string): bigint {
    return addressOf(this.$page, this.$offset + this.$struct.offsetOf(member));
  }

  /** The value of a pointer member, whatever it points to; also of an `unsigned long` that holds one. */
  $pointer(member: string): bigint {
    return this.$space.readPointer(this.$addressOf(member));
  }

  /** Label of an enumeration member's value, or its decimal number. */
  $label(member: string): string {
    return this.$struct.label(this, member);
  }

  /** The same bytes seen as another type. */
  $as<T extends Struct>(type: StructType<T>): T {
    return type.atPage(this.$space, this.$page, this.$offset);
  }

  /** The page that holds byte `offset` of the struct; the first page is bound, so that reading a field costs no page walk. */
  $pageAt(offset: number): Page {
    const at = this.$offset + offset;
    if (at >= 0 && at <= PAGE_MASK) return (this.$bound ??= this.load(0));
    return this.load(at >> PAGE_SHIFT);
  }

  private load(relative: number): Page {
    const page = this.$space.pageAt(this.$page + relative);
    if (!page) throw new Absent('unreadable', 'page not present', addressOf(this.$page + relative, 0));
    return page;
  }

  toString(): string {
    return `[${this.$type} @ 0x${this.$address.toString(16)}]`;
  }

  /** What `console.log` shows: its name, for its members would all be read. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  toJSON(): { type: string; offset: bigint } {
    return { type: this.$type, offset: this.$address };
  }
}

const processMemory = new WeakMap<AddressSpace, (process: Struct) => AddressSpace>();

/** States for the process objects in a space where the memory of each process is: some of their members point there. */
export function stateProcessMemory(space: AddressSpace, of: (process: Struct) => AddressSpace): void {
  processMemory.set(space, of);
}

/** The memory of the process that a struct is the object of; where nobody stated it, what the object itself stands in. */
export function memoryOfProcess(process: Struct): AddressSpace {
  return processMemory.get(process.$space)?.(process) ?? process.$space;
}

/** Properties that JavaScript itself asks an object for, and that no struct has to answer. */
const engineProperties = new Set(['then', 'inspect', 'asymmetricMatch', 'nodeType']);

/**
 * A member that a struct does not have must not read as undefined (a guess that travels far): behind all views stands this
 * prototype, which is asked only when nothing else answered.
 */
const noSuchMember = new Proxy(Object.prototype, {
  get(target, property, receiver): unknown {
    if (typeof property === 'symbol' || property in target || engineProperties.has(property)) {
      return Reflect.get(target, property, receiver) as unknown;
    }
    const type = receiver instanceof Struct && receiver.$page !== undefined ? receiver.$struct.name : 'struct';
    throw new Absent('no-member', `no member ${property} in ${type}`);
  },
});
// With these on the prototype an assignment in the constructor ends its search there, and is not asked of the proxy.
for (const name of ['$space', '$page', '$offset', '$bound']) {
  Object.defineProperty(Struct.prototype, name, { value: undefined, writable: true, configurable: true });
}
Object.setPrototypeOf(Struct.prototype, noSuchMember);
