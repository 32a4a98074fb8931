import type { MadeCallback, MadeTimer } from './callbacks.js';
import type { TrueHandle } from './contents.js';
import type { KernelModule, MadeDriver } from './drivers.js';
import type { Forge } from './forge.js';
import type { Objects } from './objects.js';
import type { MadeProcess, Shared } from './process.js';
import { protectionName } from './regions.js';
import { ENVIRONMENT, PRIVILEGES, SIDS, TIMES } from './scene.js';
import { BUILD, type MadeService } from './system.js';

/** What was put where: plain JSON, addresses in hexadecimal. */
export type Truth = Readonly<Record<string, unknown>>;

export interface Made {
  readonly forge: Forge;
  readonly modules: readonly KernelModule[];
  readonly drivers: readonly MadeDriver[];
  readonly objects: Objects;
  readonly processes: readonly MadeProcess[];
  readonly handles: readonly TrueHandle[];
  readonly services: readonly MadeService[];
  readonly callbacks: readonly MadeCallback[];
  readonly timers: readonly MadeTimer[];
  readonly unloaded: { readonly name: string; readonly start: bigint; readonly end: bigint; readonly time: string };
  readonly shared: Shared;
  readonly pfn: { readonly address: bigint; readonly pages: number };
  readonly stray: bigint;
}

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
const physical = (frame: number | undefined): string | null => (frame === undefined ? null : hex(frame * 4096));

export function makeTruth(made: Made): Truth {
  const { forge, modules, processes, handles } = made;
  const moduleOf = (address: bigint): string | null => modules.find(({ piece }) => address >= piece.base && address < piece.base + BigInt(piece.size))?.name ?? null;
  return {
    system: {
      variant: forge.variant,
      paging: forge.plan.paging,
      dtb: hex(forge.system.root * 4096),
      kernel: hex(forge.plan.kernelBase),
      build: BUILD,
      ...TIMES,
      pages: forge.machine.pages,
      runs: forge.machine.runs.map(([first, count]) => ({ start: hex(first * 4096), length: hex(count * 4096) })),
      pfn: hex(forge.plan.pfn),
      nonPagedPool: hex(forge.nonPaged.base),
      pagedPool: hex(forge.paged.base),
    },
    modules: modules.map(({ name, path, piece, entry }) => ({ name, path, base: hex(piece.base), size: hex(piece.size), ldr_entry: hex(entry) })),
    processes: processes.map((process) => processTruth(process, handles)),
    handles: handles.map(({ pid, handle, type, name, object, access }) => ({ pid, handle: hex(handle), type, name, object: hex(object), access: hex(access) })),
    objects: [...made.objects.known.values()].filter(({ path }) => path.startsWith('\\')).map(({ address, type, path }) => ({ type, path, object: hex(address) })),
    object_types: [...made.objects.types].map(([name, { index, address, objects }]) => ({ name, index, object_type: hex(address), objects })),
    drivers: made.drivers.map(({ name, object, device, deviceName, module, major }) => ({
      name,
      object: hex(object),
      module: module.name,
      device: hex(device),
      device_name: deviceName,
      major: major.map((address) => ({ address: hex(address), module: moduleOf(address) })),
    })),
    services: made.services.map(({ index, name, address, hooked }) => ({ index, name, address: hex(address), hooked, module: moduleOf(address) })),
    callbacks: made.callbacks.map(({ kind, index, address }) => ({ kind, index, address: hex(address), module: moduleOf(address) })),
    timers: made.timers.map(({ timer, routine, due, period }) => ({ timer: hex(timer), routine: hex(routine), due: hex(due), period, module: moduleOf(routine) })),
    unloaded: { ...made.unloaded, start: hex(made.unloaded.start), end: hex(made.unloaded.end) },
    ptov: sharedPages(made),
  };
}

function processTruth({ spec, address, space, token, threads, vads, modules, marks }: MadeProcess, handles: readonly TrueHandle[]): Truth {
  const user = vads.length > 0;
  return {
    pid: spec.pid,
    ppid: spec.parent,
    name: spec.name.slice(0, 14),
    eprocess: hex(address),
    physical: null,
    dtb: hex(space.root * 4096),
    session: spec.session !== undefined && spec.exited === undefined ? spec.session : null,
    created: spec.created,
    exited: spec.exited ?? null,
    unlinked: spec.unlinked === true,
    token: hex(token),
    sids: SIDS[spec.user].map(([sid]) => sid),
    privileges: PRIVILEGES[spec.user],
    command_line: user && spec.pagedOut !== true ? (spec.command ?? null) : null,
    environment: user && spec.pagedOut !== true ? ENVIRONMENT[spec.user] : null,
    dlls: modules.map(({ base, size, path }) => ({ base: hex(base), size: hex(size), path })),
    threads: threads.map(({ address: thread, tid, start, win32Start, teb }) => ({ ethread: hex(thread), tid, start: hex(start), win32_start: hex(win32Start), teb: hex(teb) })),
    vads: vads.map(({ address: vad, tag, level, start, end, protection, commit, file }) => ({
      vad: hex(vad), tag, level, start: hex(start), end: hex(end), protection: protectionName(protection), commit, private: file === undefined, image: file?.image !== undefined, file: file === undefined || file.path === '' ? null : file.path,
    })),
    handle_count: handles.filter(({ pid }) => pid === spec.pid).length,
    marks,
  };
}

/** Pages that several processes share: their physical address, prototype, and who maps them where. */
function sharedPages({ forge, processes, shared }: Made): unknown[] {
  const rows: unknown[] = [];
  const size = BigInt(forge.system.format.size);
  for (const file of [shared.ntdll, shared.kernel32, shared.locale, shared.section]) {
    for (const [page, frame] of file.frames.entries()) {
      if (frame === undefined) continue;
      const owners = processes.flatMap(({ spec, space }) => [...space.pages].filter(([, mapped]) => mapped === frame && space !== forge.system).map(([virtual]) => ({ pid: spec.pid, va: hex(BigInt(virtual) << 12n) })));
      rows.push({ physical: physical(frame), file: file.path === '' ? null : file.path, page, prototype: hex(file.prototypes + BigInt(page) * size), valid_in: owners });
    }
  }
  return rows;
}
