import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { DetectionError } from '../../src/kernel/error.js';
import { CROSS_METHODS, METHODS } from '../../src/kernel/windows/processes/processes.js';
import { KINDS } from '../../src/kernel/windows/processes/injected.js';
import { ImageError } from '../../src/memory/image.js';
import { PluginError, UsageError } from '../../src/plugin/error.js';
import type { PluginEntry } from '../../src/plugin/registry.js';
import { ProfileError } from '../../src/symbols/error.js';
import type { Row } from '../../src/plugin/columns.js';
import type { Session } from '../../src/session/session.js';
import { PE_PARTS } from '../../plugins/windows/pe-rows.js';
import { rowsOf } from './sample.js';
import { render } from './table.js';
import { effort } from './effort.js';

/** Errors that say to the analyst what is wrong. */
const OWN = [PluginError, UsageError, DetectionError, ImageError, ProfileError];
/** Nothing that steers a terminal may be in a table. */
// eslint-disable-next-line no-control-regex
const STEERING = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

/** A command line: a command and its arguments. */
export interface Line {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** Arguments of the commands that cannot do without, or that do little without. More than one set: the command runs with each. */
const ARGUMENTS: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>> = {
  pfn: [{ pfn: 0x100 }, { pfn: 0x1c }],
  psxview: [{ method: CROSS_METHODS }],
  ptov: [{ offsets: [0x1000n, 0x100000n, 0x200123n, 0x3ff000n] }],
  rammap: [{}, { all: true }],
  malfind: [{}, { kinds: KINDS }],
  procinfo: [{}, { pids: [1652], parts: PE_PARTS }],
  memmap: [{ pids: [4, 1652] }],
  memdump: [{ pids: [1652] }],
  vaddump: [{ pids: [1652, 1388], max_size: 0x10000 }],
  procdump: [{ max_size: 0x40000 }],
  dlldump: [{ pids: [1652], max_size: 0x20000 }],
  moddump: [{ max_size: 0x20000 }],
  privileges: [{}, { all: true }],
  tokens: [{ all: true }],
  timers: [{}, { all: true }],
};

/** Every command that reads Windows, with arguments that let it do much. Those of all systems too, where they read the kernel. */
export function everyLine(session: Session, places: { readonly code: bigint; readonly process: bigint; readonly base: bigint }): Line[] {
  const common: Record<string, readonly Readonly<Record<string, unknown>>[]> = {
    dis: [{ offset: places.code, rows: 40 }],
    dump: [{ offset: places.process, rows: 8 }],
    dt: [{ target: '_EPROCESS', offset: places.process, depth: 2 }],
    vtop: [{ virtual_address: places.process }, { virtual_address: 0x77001000n, address_space: 'pid@1652' }, { virtual_address: 0x600000n, address_space: 'pid@1652' }],
    inspect_vaddr: [{ address: places.process }, { address: 0x77001010n, address_space: 'pid@1652' }],
    lookup: [{ constant: 'PsActiveProcessHead' }],
    address_resolver: [{ symbol: ['nt!NtOpenProcess', '0xfffff80002800123'] }],
    grep: [{ keyword: ['ntdll'], offset: places.base, end: places.base + 0x100000n }],
    collect: [{ type_name: '_EPROCESS' }],
    cc: [{ pids: [1652] }, { pids: [] }],
    version_scan: [{}],
    peinfo: [
      { image_base: places.base, parts: PE_PARTS },
      { image_base: 0x77000000n, parts: PE_PARTS, address_space: 'pid@1652' },
    ],
    pedump: [{ image_base: places.base, out_file: join(session.parameters.dump_dir, 'kernel.exe') }],
    load_profile: [],
  };
  return session.registry.list().flatMap(({ name, needs, args }: PluginEntry): Line[] => {
    const own = Array.isArray(needs) ? needs.includes('windows') : needs === 'image';
    if (!own && common[name] === undefined) return [];
    return (common[name] ?? ARGUMENTS[name] ?? [{}]).map((given) => ({ name, args: { ...('method' in args && given['pids'] === undefined ? { method: METHODS } : {}), ...given } }));
  });
}

/** What happened. */
export interface Outcome {
  readonly rows: number;
  /** of the processor */
  readonly milliseconds: number;
  /** what is wrong with the command, in words; undefined where nothing is */
  readonly fault: string | undefined;
  /** one of our own errors, which say what is wrong with the image */
  readonly refused: string | undefined;
  readonly notes: readonly string[];
}

/** Rows that no table of such a small machine has. */
const MOST_ROWS = 200_000;
/** How many rows are rendered. */
const RENDERED = 400;

/** Runs a command to its end and looks at what comes. */
export async function judge(session: Session, { name, args }: Line, slowest: number): Promise<Outcome> {
  const spent = effort();
  let rows: readonly Row[] = [];
  let notes: readonly string[] = [];
  let fault: string | undefined;
  let refused: string | undefined;
  try {
    const plugin = await session.plugin(name);
    const done = await rowsOf(session, plugin, args);
    rows = done.rows;
    notes = done.run.notes;
    const text = await render('text', done.run.columns, [rows.slice(0, RENDERED)], { full: true, notes });
    const steering = text.split('\n').find((line) => STEERING.test(line));
    if (steering !== undefined) fault = `a control character in the table: ${JSON.stringify(steering)}`;
    if (rows.length > MOST_ROWS) fault = `${rows.length} rows`;
  } catch (error) {
    if (OWN.some((kind) => error instanceof kind)) refused = (error as Error).message;
    else fault = error instanceof Error ? (error.stack ?? error.message) : `${String(error)} was thrown`;
  }
  const milliseconds = spent();
  if (fault === undefined && milliseconds > slowest) fault = `took ${Math.round(milliseconds)} ms for ${rows.length} rows`;
  return { rows: rows.length, milliseconds, fault, refused, notes };
}

/** Removes what a folder holds, and gives the names. */
export function emptied(folder: string): string[] {
  const names = readdirSync(folder);
  for (const name of names) rmSync(join(folder, name), { recursive: true });
  return names;
}

/**
 * Ends the process where one command does not, after so many seconds of the processor, and removes the folder that it wrote to: it keeps the event loop to
 * itself, so that no timer would come through. {@link says} is told before each command, and is shown then.
 */
export class Watchdog {
  private readonly shared = new SharedArrayBuffer(1024);
  private readonly worker: Worker;

  constructor(seconds: number, folder: string) {
    const code = `
      const { workerData } = require('node:worker_threads');
      const { rmSync, writeSync } = require('node:fs');
      const count = new Int32Array(workerData.shared, 0, 1);
      const text = Buffer.from(workerData.shared, 4);
      let last = -1, since = process.cpuUsage();
      setInterval(() => {
        const now = Atomics.load(count, 0);
        const { user, system } = process.cpuUsage(since);
        if (now !== last) { last = now; since = process.cpuUsage(); }
        else if (user + system > workerData.seconds * 1e6) {
          writeSync(2, 'does not end: ' + text.toString('utf8').replace(/\\0.*$/s, '') + '\\n');
          rmSync(workerData.folder, { recursive: true, force: true });
          process.kill(process.pid, 'SIGKILL');
        }
      }, 500);`;
    this.worker = new Worker(code, { eval: true, workerData: { shared: this.shared, seconds, folder } });
    this.worker.unref();
  }

  says(what: string): void {
    Buffer.from(this.shared, 4).fill(0).write(what.slice(0, 900));
    Atomics.add(new Int32Array(this.shared, 0, 1), 0, 1);
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }
}
