import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { orElse } from '../../../src/memory/absent.js';
import { readPdb } from '../../../src/symbols/pdb/read.js';
import { type TypeDescriptor } from '../../../src/symbols/types.js';
import { encode, type FieldValue, sizeOf, type Layouts } from '../literal-types.js';
import { Machine, type Paging } from './machine.js';
import { Pool } from './pool.js';
import { Space } from './space.js';

/** Where a variant keeps things. Addresses are those that Windows 7 gives, rounded. */
export interface Plan {
  readonly paging: Paging;
  readonly pdb: string;
  readonly kernelBase: bigint;
  readonly nonPaged: bigint;
  readonly paged: bigint;
  readonly pfn: bigint;
  readonly stacks: bigint;
  readonly shared: bigint;
  readonly peb: bigint;
  readonly highestUser: bigint;
}

export const PLANS: Readonly<Record<string, Plan>> = {
  x64: { paging: 'amd64', pdb: 'ntkrnlmp.pdb', kernelBase: 0xfffff80002800000n, nonPaged: 0xfffffa8001800000n, paged: 0xfffff8a000000000n, pfn: 0xfffffa8000000000n, stacks: 0xfffff88003000000n, shared: 0xfffff78000000000n, peb: 0x7fffffdf000n, highestUser: 0x7fffffeffffn },
  x86: { paging: 'i386', pdb: 'ntkrnlmp.pdb', kernelBase: 0x82800000n, nonPaged: 0x84000000n, paged: 0x8f000000n, pfn: 0x83000000n, stacks: 0x8d000000n, shared: 0xffdf0000n, peb: 0x7ffdf000n, highestUser: 0x7ffeffffn },
  'x86-pae': { paging: 'i386-pae', pdb: 'ntkrnlpa.pdb', kernelBase: 0x82800000n, nonPaged: 0x84000000n, paged: 0x8f000000n, pfn: 0x83000000n, stacks: 0x8d000000n, shared: 0xffdf0000n, peb: 0x7ffdf000n, highestUser: 0x7ffeffffn },
};

/** What is written into a struct: `{ ImageFileName: 'lsass.exe', Pcb: { DirectoryTableBase: 0x1000n } }`. */
export type Values = Readonly<Record<string, FieldValue>>;

/** Everything that builders of an image share: memory, the layouts of the kernel's PDB, pools, and how structures are written. */
export class Forge {
  readonly plan: Plan;
  readonly machine: Machine;
  readonly system: Space;
  readonly types: Layouts;
  readonly pointer: 4 | 8;
  readonly nonPaged: Pool;
  readonly paged: Pool;
  private readonly symbols: ReadonlyMap<string, bigint>;

  /**
   * @param pieces folder of compiled pieces, one a variant
   * @param pages frames of the machine
   * @param poolPages large pages of nonpaged pool
   */
  constructor(
    readonly variant: string,
    private readonly pieces: string,
    pages: number,
    poolPages = 1,
  ) {
    const plan = PLANS[variant];
    if (!plan) throw new Error(`no variant ${variant}`);
    this.plan = plan;
    this.pointer = plan.paging === 'amd64' ? 8 : 4;
    const pdb = readPdb(this.piece(plan.pdb), plan.pdb);
    this.types = pdb.types as unknown as Layouts;
    this.symbols = new Map([...pdb.constants.entries()]);
    // A large page of 2 MiB (without PAE 4 MiB) for nonpaged pool; the system's tables stand at a place of their own.
    const [large, count] = plan.paging === 'i386' ? [0x400, 0x400] : [0x400, 0x200];
    const root = 0x187;
    this.machine = new Machine(plan.paging, pages, [[large, count * poolPages], [root, 5], [0x2c4, 1]]);
    this.system = new Space(this.machine, undefined, root);
    for (let index = 0; index < poolPages; index++) this.system.mapLarge(plan.nonPaged + BigInt(index * count * 4096), large + index * count);
    this.nonPaged = new Pool(this, 'nonpaged', plan.nonPaged, count * poolPages, (page) => this.machine.claim(large + page));
    this.paged = new Pool(this, 'paged', plan.paged, 0x400 * poolPages, (page) => this.system.fresh(plan.paged + BigInt(page * 4096), { write: true }));
  }

  piece(name: string): Buffer {
    return readFileSync(join(this.pieces, this.variant, name));
  }

  /** Address of a global of the kernel. */
  symbol(name: string): bigint {
    const offset = this.symbols.get(name);
    if (offset === undefined) throw new Error(`the kernel has no ${name}`);
    return this.plan.kernelBase + offset;
  }

  has(type: string, member: string): boolean {
    return this.types.struct(type)?.members.has(member) === true;
  }

  size(type: string): number {
    return sizeOf(this.types, { kind: 'struct', name: type });
  }

  /** Offset of a member: `Pcb.DirectoryTableBase`. */
  offset(type: string, path: string): number {
    let layout = this.types.struct(type);
    let offset = 0;
    for (const name of path.split('.')) {
      const member = layout?.members.get(name);
      if (!member) throw new Error(`no ${path} in ${type}`);
      offset += member.offset;
      const next: TypeDescriptor = member.type;
      layout = next.kind === 'struct' ? this.types.struct(next.name) : next.kind === 'inline' ? next.layout : undefined;
    }
    return offset;
  }

  /** Sets members of a struct at an address; others stay as they are. Members that this layout lacks are left out when they end in `?`. */
  put(type: string, address: bigint, values: Values, space = this.system): void {
    const bytes = space.read(address, this.size(type));
    const known = Object.fromEntries(
      Object.entries(values).flatMap(([name, value]) => (name.endsWith('?') ? (this.has(type, name.slice(0, -1)) ? [[name.slice(0, -1), value] as const] : []) : [[name, value] as const])),
    );
    encode(this.types, { kind: 'struct', name: type }, known, bytes, 0);
    space.write(address, bytes);
  }

  /** Writes a pointer, or an integer of that width. */
  word(address: bigint, value: bigint, space = this.system): void {
    const bytes = Buffer.alloc(this.pointer);
    if (this.pointer === 8) bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
    else bytes.writeUInt32LE(Number(BigInt.asUintN(32, value)));
    space.write(address, bytes);
  }

  u32(address: bigint, value: number, space = this.system): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value >>> 0);
    space.write(address, bytes);
  }

  readWord(address: bigint, space = this.system): bigint {
    const bytes = space.read(address, this.pointer);
    return this.pointer === 8 ? bytes.readBigUInt64LE() : BigInt(bytes.readUInt32LE());
  }

  /** Links list entries behind a head, in order. */
  link(head: bigint, entries: readonly bigint[], space = this.system): void {
    const ring = [head, ...entries];
    for (const [index, at] of ring.entries()) {
      const next = ring[(index + 1) % ring.length] as bigint;
      this.word(at, next, space);
      this.word(next + BigInt(this.pointer), at, space);
    }
  }

  /** A text in pool, as the value of a `_UNICODE_STRING`. */
  text(text: string, pool = this.paged, tag = 'Name'): Values {
    if (text === '') return { Length: 0, MaximumLength: 0, Buffer: 0 };
    const bytes = Buffer.from(`${text}\0`, 'utf16le');
    const at = pool.allocate(bytes.length, tag);
    this.system.write(at, bytes);
    return { Length: bytes.length - 2, MaximumLength: bytes.length, Buffer: at };
  }

  /** Address of something optional. */
  maybe(name: string): bigint | undefined {
    return orElse(() => (this.symbols.has(name) ? this.symbol(name) : undefined), undefined);
  }
}

/** 100 ns since 1601 of a time in UTC. */
export function fileTime(text: string): bigint {
  return (BigInt(Date.parse(text)) + 11644473600000n) * 10000n;
}

/** The value of a `_LARGE_INTEGER`. */
export function large(value: bigint): Values {
  return { QuadPart: value };
}
