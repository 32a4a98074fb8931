import { Absent } from '../../../memory/absent.js';
import { PAGE_MASK, PAGE_SHIFT, pageNumber, pageOffset } from '../../../memory/page.js';
import type { AddressSpace } from '../../../memory/space.js';
import type { Struct } from '../../../object/struct.js';
import type { StructType } from '../../../object/struct-type.js';
import type { WalkOptions } from './list.js';

/** More entries than this are no hash chain of a kernel's, but a lie. */
const LONGEST = 1 << 20;
/** Faults of one table that are told one by one, and broken chains that end the walk: an array of so many is no hash table. */
const TOLD = 3;
const MOST_BROKEN = 1000;
/** More buckets than this no kernel makes of one table (alloc_large_system_hash, 2^24 at the very most for a dentry cache). */
const MOST_BUCKETS = 1 << 26;

/**
 * The structs on a chain that a head anchors: hlist_head (ends at null; include/linux/list.h) or hlist_nulls_head (ends at a
 * marker whose lowest bit is set; include/linux/list_nulls.h). Both are told by the link itself, so either kind of head will do.
 * @param head the hlist_head or hlist_nulls_head
 * @param type the struct that the entries are in
 * @param member the hlist_node (or hlist_nulls_node) in that struct: `skc_node`
 */
export function* walkHlist<T extends Struct>(head: Struct, type: StructType<T>, member: string, options: WalkOptions = {}): Generator<T> {
  yield* walkChain(head.$space, head.$pointer('first'), type, member, options);
}

/**
 * The structs on a singly linked chain of nodes whose first member is the next link, from the address of its first node (0 or
 * odd: an empty chain). Each entry is given once; a loop or an unreadable link ends the chain and is told to `onFault`.
 */
export function* walkChain<T extends Struct>(
  space: AddressSpace,
  first: bigint,
  type: StructType<T>,
  member: string,
  options: WalkOptions = {},
): Generator<T> {
  yield* chain(space, first, type, member, options, new Set());
}

function* chain<T extends Struct>(
  space: AddressSpace,
  first: bigint,
  type: StructType<T>,
  member: string,
  options: WalkOptions,
  seen: Set<bigint>,
): Generator<T> {
  const offset = BigInt(type.offsetOf(member));
  const limit = options.limit ?? LONGEST;
  for (let node = first; !isEnd(node); ) {
    if (seen.has(node)) {
      options.onFault?.(`chain of ${type.name}.${member} comes to 0x${node.toString(16)} a second time`);
      return;
    }
    if (seen.size >= limit) {
      options.onFault?.(`chains of ${type.name}.${member} have more than ${limit} entries`);
      return;
    }
    const next = pointerAt(space, node);
    if (next instanceof Absent) {
      options.onFault?.(`chain of ${type.name}.${member} is broken at 0x${node.toString(16)}: ${next.reason}`);
      return;
    }
    seen.add(node);
    yield type.at(space, node - offset);
    node = next;
  }
}

/** An array of buckets, each of which begins with the first link of a chain. */
export interface BucketArray {
  readonly space: AddressSpace;
  /** of the first bucket */
  readonly address: bigint;
  /** number of buckets */
  readonly count: number;
  /** bytes from one bucket to the next */
  readonly stride: number;
  /** true where the lowest bit of a bucket is a lock (rhash_lock_head), and no mark of an empty one */
  readonly locks?: boolean;
}

/**
 * The structs in all chains of a hash table, bucket by bucket, each once. Unreadable pages of the table and broken chains are told to
 * `onFault` and passed over; a table with a thousand broken chains, or with more entries than `limit` in all, is given up.
 */
export function* walkBuckets<T extends Struct>(table: BucketArray, type: StructType<T>, member: string, options: WalkOptions = {}): Generator<T> {
  const limit = options.limit ?? LONGEST;
  const seen = new Set<bigint>();
  let broken = 0;
  const onFault = (what: string): void => {
    if (++broken <= TOLD) options.onFault?.(what);
  };
  const where = `the hash table at 0x${table.address.toString(16)}`;
  for (const first of occupiedBuckets(table, { ...options, onFault })) {
    yield* chain(table.space, first, type, member, { limit, onFault }, seen);
    if (broken < MOST_BROKEN && seen.size < limit) continue;
    options.onFault?.(`${where} is given up after ${seen.size} entries and ${broken} broken chains`);
    return;
  }
  if (broken > TOLD) options.onFault?.(`${where} has ${broken - TOLD} more broken chains`);
}

/**
 * First links of the buckets that are not empty. A table has many buckets and few entries: pages are read through, not
 * bucket by bucket.
 */
export function* occupiedBuckets(table: BucketArray, options: WalkOptions = {}): Generator<bigint> {
  const { space, stride } = table;
  const width = space.bits / 8;
  if (!Number.isInteger(table.count) || table.count < 0 || table.count > MOST_BUCKETS || stride < width || stride % width !== 0) {
    options.onFault?.(`a hash table of ${table.count} buckets of ${stride} bytes at 0x${table.address.toString(16)} cannot be`);
    return;
  }
  const base = pageNumber(table.address);
  const start = pageOffset(table.address);
  let missing = 0;
  for (let index = 0; index < table.count; ) {
    const at = start + index * stride;
    const page = space.pageAt(base + Math.floor(at / 2 ** PAGE_SHIFT));
    // Buckets are aligned to the width of a link, so that no link straddles two pages.
    let offset = at & PAGE_MASK;
    if (!page) missing++;
    for (; offset <= PAGE_MASK && index < table.count; offset += stride, index++) {
      if (!page) continue;
      let low = page.view.getUint32(offset, true);
      if ((low & 1) !== 0) {
        if (table.locks !== true) continue;
        low -= 1;
      }
      const high = width === 8 ? page.view.getUint32(offset + 4, true) : 0;
      if (low === 0 && high === 0) continue;
      yield (BigInt(high) << 32n) | BigInt(low);
    }
  }
  if (missing > 0) options.onFault?.(`${missing} pages of the hash table at 0x${table.address.toString(16)} are not in the image`);
}

/** Null, or a nulls marker. */
function isEnd(link: bigint): boolean {
  return link === 0n || (link & 1n) === 1n;
}

function pointerAt(space: AddressSpace, address: bigint): bigint | Absent {
  try {
    return space.readPointer(address);
  } catch (error) {
    if (error instanceof Absent) return error;
    throw error;
  }
}
