import { breathe, due } from '../../memory/breathe.js';
import type { Catalog } from '../catalog.js';
import { MemoryAccount } from './memory/account.js';
import { Codec } from './memory/codec.js';

/** The analyst stopped the query: it ends where it is. Never leaves the engine. */
export class Stopped {
  readonly reason = 'stopped';
}

interface Closable {
  close(): void;
}

/** What a query under way has in common: its signal, its clock, what it has to say. */
export class RunContext {
  readonly notes: string[] = [];
  faults = 0;
  /** rows that tables gave */
  read = 0;
  /** writes values to temporary files */
  readonly codec = new Codec();
  readonly memory: MemoryAccount;
  private readonly open = new Set<Closable>();

  constructor(
    readonly catalog: Catalog,
    readonly signal: AbortSignal | undefined,
    readonly onProgress: ((fraction: number | undefined, what?: string) => void) | undefined,
    /** bytes that intermediate results may take */
    memory: number,
  ) {
    this.memory = new MemoryAccount(memory);
  }

  /** A cell that could not be read. */
  fault(): void {
    this.faults++;
  }

  note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text);
  }

  /** True where it is time to let other work through: then await {@link breathe}. */
  get due(): boolean {
    return due();
  }

  /** Lets other work through. Throws Stopped where the analyst does not want more. */
  async breathe(): Promise<void> {
    await breathe();
    this.check();
  }

  /** Closes what the run has open, however it ends. */
  close(): void {
    for (const resource of this.open) resource.close();
    this.open.clear();
  }

  /** Something to be closed when the run ends, if it is not closed before. */
  atEnd(resource: Closable): void {
    this.open.add(resource);
  }

  /** Closes one of these now. */
  closed(resource: Closable): void {
    resource.close();
    this.open.delete(resource);
  }

  check(): void {
    if (this.signal?.aborted === true) throw new Stopped();
  }
}
