import { Absent, orAbsent, orElse } from '../../../memory/absent.js';
import type { Struct } from '../../../object/struct.js';
import { type Bytes, bytesAt, type Field, fieldAt, readField } from '../fields.js';
import type { WindowsKernel } from '../kernel.js';
import { fileOf } from './sections.js';
import { unicodeText } from '../strings.js';
import { inOrder } from '../trees.js';
import type { Eprocess } from '../types.js';

/** A region of a process's address space. */
export interface Vad {
  /** the `_MMVAD`, by its tag one of the short, plain and long forms */
  readonly node: Struct;
  /** pool tag in front of it: `VadS`, `Vad `, `Vadl`, `VadF`, `Vadm` */
  readonly tag: string;
  /** 1 for the root's level */
  readonly level: number;
  /** address of the first byte and of the last */
  readonly start: bigint;
  readonly end: bigint;
}

const PAGE_SHIFT = 12n;

/** Names of the 32 combinations of `_MMVAD_FLAGS.Protection` (ntos/mm: MM_PROTECTION_MASK; the upper two bits are no-cache, guard, write-combine). */
const PROTECTIONS = ['NOACCESS', 'READONLY', 'EXECUTE', 'EXECUTE_READ', 'READWRITE', 'WRITECOPY', 'EXECUTE_READWRITE', 'EXECUTE_WRITECOPY'];
const MODIFIERS = ['', ' | NOCACHE', ' | GUARD', ' | WRITECOMBINE'];
/** `_MI_VAD_TYPE` */
export const VAD_TYPES = ['VadNone', 'VadDevicePhysicalMemory', 'VadImageMap', 'VadAwe', 'VadWriteWatch', 'VadLargePages', 'VadRotatePhysical', 'VadLargePageSection'];

/** The regions of a process, by address. A broken branch is told, and the rest goes on. */
export function* vads(kernel: WindowsKernel, process: Eprocess, onFault?: (what: string) => void): Generator<Vad> {
  const name = orElse(() => `${process.ImageFileName} (${process.UniqueProcessId})`, `the process at 0x${process.$address.toString(16)}`);
  const fault = (what: string): void => onFault?.(`the VADs of ${name}: ${what}`);
  const tree = orAbsent(() => treeOf(process));
  if (tree instanceof Absent) {
    fault(`the root of their tree cannot be read (${tree.reason})`);
    return;
  }
  if (tree.root === 0n) return;
  const node = kernel.struct(tree.struct);
  const sides = { left: BigInt(node.offsetOf(tree.left)), right: BigInt(node.offsetOf(tree.right)) };
  for (const { address, level } of inOrder(tree.root, (at, side) => follow(kernel, at, side, sides[side], fault), fault)) {
    const vad = read(kernel, address, level);
    if (vad) yield vad;
    else fault(`what stands at 0x${address.toString(16)} is no region`);
  }
}

interface Tree {
  readonly root: bigint;
  readonly struct: string;
  readonly left: string;
  readonly right: string;
}

/**
 * Where the tree begins, by how this build keeps it: a pointer to the root `_MMVAD` (XP), an `_MM_AVL_TABLE` whose own node's right child is the
 * root (Server 2003 to Windows 8), an `_RTL_AVL_TREE` (since 8.1).
 */
function treeOf(process: Eprocess): Tree {
  const layout = process.$struct.members.get('VadRoot')?.type;
  if (layout?.kind !== 'struct') return { root: process.$pointer('VadRoot'), struct: '_MMVAD', left: 'LeftChild', right: 'RightChild' };
  const root = process.$get('VadRoot') as Struct;
  if (root.$has('Root')) return { root: root.$pointer('Root'), struct: '_RTL_BALANCED_NODE', left: 'Left', right: 'Right' };
  const own = root.$get('BalancedRoot') as Struct;
  return { root: own.$pointer('RightChild'), struct: own.$type, left: 'LeftChild', right: 'RightChild' };
}

function follow(kernel: WindowsKernel, address: bigint, side: 'left' | 'right', offset: bigint, fault: (what: string) => void): bigint {
  try {
    return kernel.space.readPointer(address + offset);
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    fault(`the ${side} side of 0x${address.toString(16)} cannot be read`);
    return 0n;
  }
}

const FORMS: Readonly<Record<string, string>> = { VadS: '_MMVAD_SHORT', VadF: '_MMVAD_SHORT', 'Vad ': '_MMVAD', Vadl: '_MMVAD_LONG', Vadm: '_MMVAD_LONG' };

function read(kernel: WindowsKernel, address: bigint, level: number): Vad | undefined {
  return orElse(() => {
    // The tag is the last word but one of the pool header (x64: 16 bytes) or its last (x86: 8).
    const front = kernel.profile.pointerSize === 8 ? 12 : 4;
    const { fields, size } = layoutOf(kernel);
    const { view, at } = bytesAt(kernel.space, address - BigInt(front), size + front);
    const tag = tagText(view.getUint32(at, true));
    const { start, end } = rangeOf({ view, at: at + front }, fields);
    return end < start || end >> BigInt(kernel.space.bits) !== 0n ? undefined : { node: kernel.at(FORMS[tag] ?? '_MMVAD_SHORT', address), tag, level, start, end };
  }, undefined);
}

const tags = new Map<number, string>();

/** The four characters of a pool tag. There are five of them, and memory may say anything. */
function tagText(word: number): string {
  let text = tags.get(word);
  if (text === undefined) {
    text = String.fromCharCode(word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24);
    if (tags.size < 64) tags.set(word, text);
  }
  return text;
}

/** Where this build has what a walk reads of every node. Since Windows 8 a page number has 32 bits and an upper byte of its own. */
const PATHS = {
  start: 'StartingVpn',
  startHigh: 'StartingVpnHigh',
  end: 'EndingVpn',
  endHigh: 'EndingVpnHigh',
  protection: 'u.VadFlags.Protection',
  private: 'u.VadFlags.PrivateMemory',
  kind: 'u.VadFlags.VadType',
  image: 'u.VadFlags.ImageMap',
  // Since Windows 8 in flags of its own, with upper bits elsewhere since 8.1.
  commit: 'u.VadFlags.CommitCharge',
  commit1: 'u1.VadFlags1.CommitCharge',
  commitHigh: 'CommitChargeHigh',
} as const;
type Fields = Partial<Record<keyof typeof PATHS, Field>>;

interface Layout {
  readonly fields: Fields;
  /** bytes that all of them lie in */
  readonly size: number;
}

function layoutOf(kernel: WindowsKernel): Layout {
  return kernel.memo('layout of VADs', () => {
    const type = kernel.struct('_MMVAD_SHORT');
    const found = Object.entries(PATHS).flatMap(([name, path]) => {
      const field = fieldAt(kernel, type, path);
      return field ? [[name, field] as const] : [];
    });
    const fields = Object.fromEntries(found) as Fields;
    if (!fields.start || !fields.end || !fields.protection) throw new Absent('no-member', "this profile's _MMVAD_SHORT does not say what a region is");
    return { fields, size: Math.max(...found.map(([, { offset, shift, bits }]) => offset + (shift + bits > 32 ? 8 : 4))) };
  });
}

/** A member; 0 where this build has none. */
function valueOf(bytes: Bytes, field: Field | undefined): number {
  return field ? readField(bytes, field) : 0;
}

function rangeOf(bytes: Bytes, fields: Fields): { readonly start: bigint; readonly end: bigint } {
  const page = (low: Field | undefined, high: Field | undefined): number => valueOf(bytes, low) + valueOf(bytes, high) * 2 ** 32;
  return { start: BigInt(page(fields.start, fields.startHigh)) << PAGE_SHIFT, end: (BigInt(page(fields.end, fields.endHigh) + 1) << PAGE_SHIFT) - 1n };
}

/** First and last byte of the region of a node. Throws Absent where the node cannot be read. */
export function vadRange(kernel: WindowsKernel, node: Struct): { readonly start: bigint; readonly end: bigint } {
  const { fields, size } = layoutOf(kernel);
  return rangeOf(bytesAt(kernel.space, node.$address, size), fields);
}

/** `_MMVAD_FLAGS` of a region. */
export function vadFlags(kernel: WindowsKernel, vad: Vad): Struct {
  const short = kernel.at('_MMVAD_SHORT', vad.node.$address);
  const union = short.$get('u') as Struct;
  return union.$get('VadFlags') as Struct;
}

/** What a region was made as (`_MMVAD_FLAGS`). */
export interface VadFacts {
  /** number of its protection, see {@link protectionText} */
  readonly protection: number;
  /** memory of the process alone, with no section behind it */
  readonly private: boolean;
  /** an executable that the loader mapped as such */
  readonly image: boolean;
  /** `_MI_VAD_TYPE`; 0 on XP, whose flags say only whether it is an image */
  readonly kind: number;
  /** pages that are committed; -1: all, as they are touched */
  readonly commit: number;
}

/** What a region was made as. Throws Absent where its node cannot be read. */
export function vadFacts(kernel: WindowsKernel, vad: Vad): VadFacts {
  const { fields, size } = layoutOf(kernel);
  const bytes = bytesAt(kernel.space, vad.node.$address, size);
  const kind = valueOf(bytes, fields.kind);
  return {
    protection: valueOf(bytes, fields.protection),
    private: valueOf(bytes, fields.private) === 1,
    image: fields.image ? valueOf(bytes, fields.image) === 1 : kind === IMAGE_MAP,
    kind,
    commit: commitCharge(bytes, fields),
  };
}

/** `_MI_VAD_TYPE`: VadImageMap */
const IMAGE_MAP = 2;

/** A charge of all ones (MM_MAX_COMMIT) says that pages are charged as they are touched. */
function commitCharge(bytes: Bytes, fields: Fields): number {
  const parts = fields.commit ? [fields.commit] : [fields.commit1, fields.commitHigh];
  let charge = 0;
  let bits = 0;
  for (const part of parts) {
    charge += valueOf(bytes, part) * 2 ** bits;
    bits += part?.bits ?? 0;
  }
  return bits > 0 && charge === 2 ** bits - 1 ? -1 : charge;
}

export function protectionText(protection: number): string {
  const name = PROTECTIONS[protection & 7] ?? '';
  // PAGE_NOACCESS is all modifiers with no rights.
  return (protection & 7) === 0 ? 'NOACCESS' : `${name}${MODIFIERS[(protection >> 3) & 3] ?? ''}`;
}

/** True for a protection that lets code run: EXECUTE and its kinds. */
export function isExecutable(protection: number): boolean {
  return (protection & 2) !== 0;
}

/** True for a protection that lets memory be written, itself or a copy of it. */
export function isWritable(protection: number): boolean {
  return (protection & 4) !== 0;
}

/** The file that a region maps; undefined where it maps none. Throws Absent where its name cannot be read. */
export function vadFile(kernel: WindowsKernel, vad: Vad): Struct | undefined {
  const area = vad.node.$type === '_MMVAD_SHORT' ? 0n : controlAreaOf(kernel, vad);
  return area === 0n ? undefined : fileOf(kernel, kernel.at('_CONTROL_AREA', area));
}

/** The `_CONTROL_AREA` of a mapped region, or 0: through its `_SUBSECTION`; until Server 2003 the VAD leads to it itself. */
export function controlAreaOf(kernel: WindowsKernel, vad: Vad): bigint {
  const node = kernel.at('_MMVAD', vad.node.$address);
  if (node.$has('ControlArea')) return node.$pointer('ControlArea');
  return (node.$get('Subsection') as Struct | null)?.$pointer('ControlArea') ?? 0n;
}

/** Path of a file object. */
export function fileName(file: Struct): string {
  return unicodeText(file.$get('FileName') as Struct);
}

/** Paths that are kept for {@link vadFileName}. */
const KEPT_NAMES = 1 << 16;

/** Path of the file that a region maps, or null: {@link vadFile} for tables of very many regions. Those of all processes that map a file share its control area, whose path is read once. */
export function vadFileName(kernel: WindowsKernel, vad: Vad): string | null {
  const area = vad.node.$type === '_MMVAD_SHORT' ? 0n : controlAreaOf(kernel, vad);
  if (area === 0n) return null;
  const known = kernel.memo('paths of control areas', () => new Map<bigint, string | null>());
  let name = known.get(area);
  if (name === undefined) {
    const file = fileOf(kernel, kernel.at('_CONTROL_AREA', area));
    name = file ? fileName(file) : null;
    if (known.size < KEPT_NAMES) known.set(area, name);
  }
  return name;
}
