import { Absent, orElse } from '../../../memory/absent.js';
import type { Struct } from '../../../object/struct.js';
import type { Timestamp } from '../../../object/time.js';
import type { WindowsKernel } from '../kernel.js';
import { type KernelObject, nameInfo, objectName, objectOfBody } from './objects.js';
import { unicodeText } from '../strings.js';

/** Buckets of an `_OBJECT_DIRECTORY`, where its type does not say it: all known builds have 37. */
const BUCKETS = 37;
/** Directories nested deeper, and directories of more entries, are damaged. */
const DEEPEST = 64;
const MOST = 1 << 16;
/** `_OBJECT_SYMBOLIC_LINK.Flags`: a function gives the target (since Windows 10 1703, where the member `Callback` came). */
const USE_CALLBACK = 0x10;

type Fault = ((what: string) => void) | undefined;

/** An object in the namespace. */
export interface TreeEntry {
  readonly object: KernelObject;
  /** empty where it cannot be read */
  readonly name: string;
  /** `\Device\HarddiskVolume1` */
  readonly path: string;
  /** 0 for what lies in the root */
  readonly depth: number;
}

/** The root directory of the namespace (nt!ObpRootDirectoryObject). Throws Absent. */
export function rootDirectory(kernel: WindowsKernel): bigint {
  const root = kernel.variable('ObpRootDirectoryObject');
  if (root === 0n) throw new Absent('corrupt', 'ObpRootDirectoryObject is null');
  return root;
}

/**
 * The objects of a directory: the chains of its buckets. A chain that loops or cannot be read is told, and the next bucket follows.
 * @param directory address of the `_OBJECT_DIRECTORY`
 */
export function* directoryEntries(kernel: WindowsKernel, directory: bigint, onFault?: (what: string) => void): Generator<bigint> {
  const view = kernel.at('_OBJECT_DIRECTORY', directory);
  const buckets = view.$struct.member('HashBuckets').type;
  const count = buckets.kind === 'array' && buckets.count > 0 ? buckets.count : BUCKETS;
  const seen = new Set<bigint>();
  const fault = (bucket: number, what: string): void => onFault?.(`bucket ${bucket} of the directory at 0x${directory.toString(16)} ${what}`);
  const size = kernel.profile.pointerSize;
  // What is missing of the table is told once, not bucket by bucket.
  const { bytes, gaps } = kernel.space.readPartial(view.$addressOf('HashBuckets'), count * size);
  if (gaps.length > 0) onFault?.(`the directory at 0x${directory.toString(16)} cannot be read${view.$valid ? ' to its end' : ''}`);
  for (let bucket = 0; bucket < count; bucket++) {
    try {
      let entry = size === 8 ? bytes.readBigUInt64LE(bucket * size) : BigInt(bytes.readUInt32LE(bucket * size));
      while (entry !== 0n) {
        if (seen.has(entry)) {
          fault(bucket, `leads back to an entry that was met already, 0x${entry.toString(16)}`);
          break;
        }
        if (seen.size >= MOST) {
          fault(bucket, `is longer than ${MOST}`);
          return;
        }
        seen.add(entry);
        const link = kernel.at('_OBJECT_DIRECTORY_ENTRY', entry);
        const object = link.$pointer('Object');
        if (object !== 0n) yield object;
        entry = link.$pointer('ChainLink');
      }
    } catch (error) {
      if (!(error instanceof Absent)) throw error;
      fault(bucket, `cannot be read: ${error.reason}`);
    }
  }
}

/** An object of the root directory, by its name. */
export function rootEntry(kernel: WindowsKernel, name: string, onFault?: (what: string) => void): bigint | undefined {
  return orElse(() => {
    for (const body of directoryEntries(kernel, rootDirectory(kernel), onFault)) {
      if (orElse(() => objectName(kernel, objectOfBody(kernel, body)), '') === name) return body;
    }
    return undefined;
  }, undefined);
}

/**
 * The namespace: every object from the root down, those of a directory by name and each before what lies in it. A directory is entered once,
 * whatever leads to it. Throws Absent where there is no root.
 */
export function* objectTree(kernel: WindowsKernel, onFault?: (what: string) => void): Generator<TreeEntry> {
  const root = rootDirectory(kernel);
  yield* below(kernel, root, '', 0, new Set([root]), onFault);
}

function* below(kernel: WindowsKernel, directory: bigint, path: string, depth: number, entered: Set<bigint>, onFault: Fault): Generator<TreeEntry> {
  const found = [...directoryEntries(kernel, directory, onFault)].flatMap((body) => {
    const object = orElse(() => objectOfBody(kernel, body), undefined);
    if (!object?.header.$valid) {
      onFault?.(`the object at 0x${body.toString(16)}, in ${path === '' ? '\\' : path}, cannot be read`);
      return [];
    }
    return [{ object, name: orElse(() => objectName(kernel, object), '') }];
  });
  found.sort((a, b) => compare(a.name.toLowerCase(), b.name.toLowerCase()) || compare(a.name, b.name));
  for (const { object, name } of found) {
    const own = `${path}\\${name}`;
    yield { object, name, path: own, depth };
    if (object.type !== 'Directory' || entered.has(object.body)) continue;
    if (depth >= DEEPEST) {
      onFault?.(`directories lie deeper than ${DEEPEST} at ${own.slice(0, 80)}`);
      continue;
    }
    entered.add(object.body);
    yield* below(kernel, object.body, own, depth + 1, entered, onFault);
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The full name of an object: its own and those of the directories above it (`_OBJECT_HEADER_NAME_INFO.Directory`); empty for one without a
 * name. Throws Absent where its own name cannot be read.
 */
export function objectPath(kernel: WindowsKernel, object: KernelObject): string {
  const name = objectName(kernel, object);
  if (name === '') return '';
  const parts = [name];
  const seen = new Set<bigint>();
  let at = object;
  for (;;) {
    const directory = orElse(() => nameInfo(kernel, at)?.$pointer('Directory') ?? 0n, 0n);
    if (directory === 0n || seen.has(directory) || seen.size >= DEEPEST) break;
    seen.add(directory);
    const above = orElse(() => objectOfBody(kernel, directory), undefined);
    const own = above && orElse(() => objectName(kernel, above), '');
    // The root is called \, and nothing leads to it.
    if (above === undefined || own === undefined || own === '' || own === '\\') break;
    parts.unshift(own);
    at = above;
  }
  return `\\${parts.join('\\')}`;
}

/** Where a symbolic link leads. */
export interface SymbolicLink {
  readonly target: string | undefined;
  /** address of the function that gives the target */
  readonly callback: bigint | undefined;
  readonly created: Timestamp;
}

/** An `_OBJECT_SYMBOLIC_LINK`. Throws Absent where it cannot be read. */
export function symbolicLink(kernel: WindowsKernel, body: bigint): SymbolicLink {
  const link = kernel.at('_OBJECT_SYMBOLIC_LINK', body);
  const created = link.$get('CreationTime') as Timestamp;
  if (link.$has('Callback') && (Number(link.$get('Flags')) & USE_CALLBACK) !== 0) return { target: undefined, callback: link.$pointer('Callback'), created };
  return { target: unicodeText(link.$get('LinkTarget') as Struct), callback: undefined, created };
}
