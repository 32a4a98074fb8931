import type { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import { findProcesses, METHODS, pidOf } from '../../src/kernel/windows/processes/processes.js';
import type { Eprocess } from '../../src/kernel/windows/types.js';
import { pageNumber } from '../../src/memory/page.js';
import type { PagedSpace } from '../../src/memory/paging/paged.js';
import type { Session } from '../../src/session/session.js';
import { replicaSession } from './windows.js';

/**
 * The replica with bytes of it changed, for damage and tampering that it does not have. The image file stays as it is: changes stand over what is read.
 *
 *     const patched = await PatchedReplica.open();
 *     patched.pointer(patched.kernel.space, address, 0n);
 *     const session = await patched.session();
 */
export class PatchedReplica {
  private readonly patches: { readonly physical: number; readonly bytes: Buffer }[] = [];

  private constructor(
    /** the image as it is */
    readonly unchanged: Session,
    /** its kernel */
    readonly kernel: WindowsKernel,
  ) {}

  static async open(): Promise<PatchedReplica> {
    const session = await replicaSession();
    return new PatchedReplica(session, (await session.kernel()) as WindowsKernel);
  }

  process(pid: number): Eprocess {
    const found = findProcesses(this.kernel, METHODS).find(({ process }) => pidOf(process) === pid && process.ImageFileName !== '');
    if (!found) throw new RangeError(`no process ${pid}`);
    return found.process;
  }

  /** Changes bytes at an address of a space; they must not cross a page. */
  write(space: PagedSpace, virtual: bigint, bytes: Buffer): void {
    const frame = space.frameAt(pageNumber(virtual));
    if (frame < 0) throw new RangeError(`0x${virtual.toString(16)} is not in memory`);
    this.patches.push({ physical: frame * 4096 + Number(virtual & 0xfffn), bytes });
  }

  /** Changes bytes at a physical address. */
  writePhysical(physical: number, bytes: Buffer): void {
    this.patches.push({ physical, bytes });
  }

  /** Changes a pointer, or another word of 64 bits. */
  pointer(space: PagedSpace, virtual: bigint, value: bigint): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
    this.write(space, virtual, bytes);
  }

  /** Changes a member of a struct of the kernel that is as wide as a pointer. */
  set(struct: string, address: bigint, member: string, value: bigint): void {
    this.pointer(this.kernel.space, address + BigInt(this.kernel.struct(struct).offsetOf(member)), value);
  }

  /** A session that sees the changes. */
  async session(): Promise<Session> {
    const session = await replicaSession();
    const { image } = session.physical();
    const read = image.read.bind(image);
    image.read = (at, target, offset, length) => {
      const count = read(at, target, offset, length);
      for (const { physical, bytes } of this.patches) {
        const from = Math.max(at, physical);
        const to = Math.min(at + count, physical + bytes.length);
        if (from < to) bytes.copy(target, offset + from - at, from - physical, to - physical);
      }
      return count;
    };
    return session;
  }

  close(): void {
    this.unchanged.close();
  }
}
