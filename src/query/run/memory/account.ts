/** Bytes that all steps of a query hold together, against the bound. */
export class MemoryAccount {
  private held = 0;

  constructor(readonly limit: number) {}

  /** What one step holds. */
  open(): Holding {
    return new Holding(this);
  }

  /** @returns true where the bound is passed */
  add(bytes: number): boolean {
    this.held += bytes;
    return this.held > this.limit;
  }
}

/** What one step holds. It is told of everything kept, and says when something should go to disk. */
export class Holding {
  private bytes = 0;

  constructor(private readonly account: MemoryAccount) {}

  /** @returns true where the query as a whole holds too much, and this step enough that it is worth writing */
  add(bytes: number): boolean {
    this.bytes += bytes;
    return this.account.add(bytes) && this.bytes >= Math.min(LEAST, this.account.limit);
  }

  release(): void {
    this.account.add(-this.bytes);
    this.bytes = 0;
  }
}

/** A step that holds less than this does not write it: others hold what is too much. */
const LEAST = 1 << 20;
