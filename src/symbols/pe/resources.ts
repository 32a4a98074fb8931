import { corrupt, orElse } from '../../memory/absent.js';
import { DIRECTORY, type LoadedPe } from './loaded.js';

/** A resource of an executable: type, name and language lead to it. */
export interface PeResource {
  /** RT_*: a number, or a name of the program's own */
  readonly type: number | string;
  readonly name: number | string;
  /** LANGID */
  readonly language: number | string;
  readonly rva: number;
  readonly size: number;
}

/** RT_VERSION (winuser.h) */
export const VERSION_RESOURCE = 16;

/** Entries of one directory, and of all together, that are looked at. */
const MOST_ENTRIES = 4096;
const MOST_VISITS = 1 << 16;
const LEVELS = 3;
const LONGEST_NAME = 256;
const DIRECTORY_BIT = 0x80000000;

/**
 * The resources of an executable; of one type alone, when it is given. Branches that cannot be read are left out. Source: Microsoft, "PE Format", "The .rsrc Section"
 * (resource directory table, entries, data entries): three levels, each with names before numbers.
 */
export function* resources(pe: LoadedPe, type?: number): Generator<PeResource> {
  const root = pe.directory(DIRECTORY.resources);
  if (root) yield* below(pe, root.rva, 0, [], type, { visits: MOST_VISITS, open: new Set() });
}

interface Walk {
  visits: number;
  /** directories on the way to this one: a tree that leads back to itself ends */
  readonly open: Set<number>;
}

function* below(pe: LoadedPe, root: number, offset: number, path: readonly (number | string)[], type: number | undefined, walk: Walk): Generator<PeResource> {
  if (walk.open.has(offset)) return;
  walk.open.add(offset);
  const table = orElse(() => pe.bytes(root + offset, 16), undefined);
  const count = table ? Math.min(table.readUInt16LE(12) + table.readUInt16LE(14), MOST_ENTRIES) : 0;
  for (let index = 0; index < count && walk.visits-- > 0; index++) {
    const entry = orElse(() => pe.bytes(root + offset + 16 + index * 8, 8), undefined);
    if (!entry) continue;
    const [id, place] = [entry.readUInt32LE(0), entry.readUInt32LE(4)];
    if (path.length === 0 && type !== undefined && id !== type) continue;
    const key = id >= DIRECTORY_BIT ? orElse(() => nameAt(pe, root + id - DIRECTORY_BIT), '?') : id;
    if (place >= DIRECTORY_BIT) {
      if (path.length + 1 < LEVELS) yield* below(pe, root, place - DIRECTORY_BIT, [...path, key], type, walk);
      continue;
    }
    const data = orElse(() => pe.bytes(root + place, 16), undefined);
    const [kind = 0, name = 0, language = 0] = [...path, key];
    if (data && data.readUInt32LE(0) !== 0) yield { type: kind, name, language, rva: data.readUInt32LE(0), size: data.readUInt32LE(4) };
  }
  walk.open.delete(offset);
}

function nameAt(pe: LoadedPe, rva: number): string {
  return pe.bytes(rva + 2, Math.min(pe.u16(rva), LONGEST_NAME) * 2).toString('utf16le');
}

/** What a version resource says. */
export interface PeVersion {
  /** of VS_FIXEDFILEINFO: `6.1.7600.16385` */
  readonly file: string | undefined;
  readonly product: string | undefined;
  /** the texts, `CompanyName`, `FileDescription` …, of the first language that has each */
  readonly texts: ReadonlyMap<string, string>;
}

/** Bytes of a version resource, and nodes in it, at most: its lengths have 16 bits. */
const LARGEST_VERSION = 0xffff;
const MOST_NODES = 1024;
const FIXED = 0xfeef04bd;

/** The version resource. Undefined where there is none; throws Absent where it cannot be read, or is none. */
export function version(pe: LoadedPe): PeVersion | undefined {
  const [found] = resources(pe, VERSION_RESOURCE);
  if (!found) return undefined;
  const bytes = pe.bytes(found.rva, Math.min(found.size, LARGEST_VERSION));
  const root = nodeAt(bytes, 0, bytes.length);
  if (root?.key !== 'VS_VERSION_INFO') throw corrupt('its version resource makes no sense', pe.address(found.rva));
  const fixed = root.valueLength >= 52 && bytes.readUInt32LE(root.value) === FIXED ? root.value : undefined;
  const quad = (at: number): string => `${bytes.readUInt16LE(at + 2)}.${bytes.readUInt16LE(at)}.${bytes.readUInt16LE(at + 6)}.${bytes.readUInt16LE(at + 4)}`;
  const texts = new Map<string, string>();
  const budget = { nodes: MOST_NODES };
  // StringFileInfo holds a StringTable for each language, which holds the texts.
  for (const info of children(bytes, root, budget)) {
    if (info.key !== 'StringFileInfo') continue;
    for (const table of children(bytes, info, budget)) {
      for (const text of children(bytes, table, budget)) {
        if (!texts.has(text.key)) texts.set(text.key, bytes.toString('utf16le', text.value, text.value + text.valueLength).replace(/\0.*$/s, ''));
      }
    }
  }
  return { file: fixed === undefined ? undefined : quad(fixed + 8), product: fixed === undefined ? undefined : quad(fixed + 16), texts };
}

/** A block of VS_VERSIONINFO: lengths, a key, a value, and blocks in it. Positions in the buffer. */
interface Node {
  readonly key: string;
  readonly value: number;
  /** bytes */
  readonly valueLength: number;
  readonly end: number;
}

function nodeAt(bytes: Buffer, at: number, limit: number): Node | undefined {
  if (at + 6 > limit) return undefined;
  const end = at + bytes.readUInt16LE(at);
  if (end < at + 6 || end > limit) return undefined;
  let stop = at + 6;
  while (stop + 2 <= end && bytes.readUInt16LE(stop) !== 0) stop += 2;
  const value = Math.min(aligned(stop + 2), end);
  // wType 1: the length counts characters.
  const stated = bytes.readUInt16LE(at + 2) * (bytes.readUInt16LE(at + 4) === 1 ? 2 : 1);
  return { key: bytes.toString('utf16le', at + 6, stop), value, valueLength: Math.min(stated, end - value), end };
}

function* children(bytes: Buffer, parent: Node, budget: { nodes: number }): Generator<Node> {
  // Values of StringFileInfo and StringTable are empty, whatever their lengths say.
  const own = parent.key === 'VS_VERSION_INFO';
  for (let at = aligned(parent.value + (own ? parent.valueLength : 0)); budget.nodes-- > 0; ) {
    const node = nodeAt(bytes, at, parent.end);
    if (!node) return;
    yield node;
    at = aligned(node.end);
  }
}

function aligned(position: number): number {
  return (position + 3) & ~3;
}
