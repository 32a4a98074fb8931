import { unreadable } from '../absent.js';
import type { AddressSpace } from '../space.js';
import { NO_FRAME, type PagingRegion } from './levels.js';
import { PagedSpace } from './paged.js';

/**
 * What stands in the place of a kernel's space where there are no page tables: it has no levels and no regions, so that it maps and translates
 * nothing. Who is one says where its pages come from.
 */
export abstract class TablelessSpace extends PagedSpace {
  readonly levels = [];
  readonly regions: readonly PagingRegion[] = [];
  readonly entrySize = 8;

  constructor(
    physical: AddressSpace,
    name: string,
    /** `a triage dump`: what it is that has no page tables */
    private readonly what: string,
  ) {
    super(physical, 0, { name });
  }

  kindOf(): never {
    throw unreadable(0n, `${this.what} has no page tables`);
  }

  frameOf(): never {
    return this.kindOf();
  }

  bitsOf(): never {
    return this.kindOf();
  }

  override frameAt(): number {
    return NO_FRAME;
  }
}
