import { Absent } from '../../../memory/absent.js';
import type { Struct } from '../../../object/struct.js';
import type { StructType } from '../../../object/struct-type.js';
import type { LinuxKernel } from '../kernel.js';
import { type BucketArray, walkBuckets } from './hlist.js';
import type { WalkOptions } from './list.js';

/** A table that is being resized has one successor, that one perhaps another; more are no table of a kernel's. */
const MOST_TABLES = 8;

/**
 * The structs in a resizable hash table (struct rhashtable, include/linux/rhashtable.h), those of a table that it is being moved to
 * included. Each entry is given once.
 * @param type the struct that the entries are in
 * @param member the rhash_head in that struct
 */
export function* walkRhashtable<T extends Struct>(kernel: LinuxKernel, hashtable: Struct, type: StructType<T>, member: string, options: WalkOptions = {}): Generator<T> {
  const seen = new Set<bigint>();
  let table = hashtable.$get('tbl') as Struct | null;
  for (let count = 0; table && count < MOST_TABLES; count++) {
    for (const entry of tableEntries(kernel, table, type, member, options)) {
      if (seen.has(entry.$address)) continue;
      seen.add(entry.$address);
      yield entry;
    }
    table = table.$get('future_tbl') as Struct | null;
  }
}

function* tableEntries<T extends Struct>(kernel: LinuxKernel, table: Struct, type: StructType<T>, member: string, options: WalkOptions): Generator<T> {
  // Only where memory was short a table is in pieces; then its first levels are unions of pointers (lib/rhashtable.c: nested_table_alloc).
  if (table.$has('nest') && table.$get('nest') !== 0) throw new Absent('not-applicable', 'a nested hash table', table.$address);
  const buckets: BucketArray = {
    space: kernel.space,
    address: table.$addressOf('buckets'),
    count: table.$get('size') as number,
    stride: kernel.profile.pointerSize,
  };
  // Since 5.2 (kernel commit 8f0db018006a) the lowest bit of a bucket is a lock; a bucket that was locked when the image was taken would
  // look like an empty one.
  yield* walkBuckets({ ...buckets, locks: kernel.profile.has('rhash_lock_head') }, type, member, options);
}
