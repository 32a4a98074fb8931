import { Absent, orElse } from '../../memory/absent.js';
import type { Struct } from '../../object/struct.js';
import type { WindowsKernel } from './kernel.js';
import { fileOf } from './sections.js';
import { unicodeText } from './strings.js';
import { inOrder } from './trees.js';
import type { Eprocess } from './types.js';

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
  const tree = treeOf(process);
  if (tree.root === 0n) return;
  const name = orElse(() => `${process.ImageFileName} (${process.UniqueProcessId})`, 'a process');
  const fault = (what: string): void => onFault?.(`the VADs of ${name}: ${what}`);
  for (const { address, level } of inOrder(tree.root, (at, side) => follow(kernel, tree, at, side, fault), fault)) {
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

function follow(kernel: WindowsKernel, tree: Tree, address: bigint, side: 'left' | 'right', fault: (what: string) => void): bigint {
  try {
    return kernel.at(tree.struct, address).$pointer(tree[side]);
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
    const tag = kernel.space.read(address - (kernel.profile.pointerSize === 8 ? 12n : 4n), 4).toString('latin1');
    const node = kernel.at(FORMS[tag] ?? '_MMVAD_SHORT', address);
    const { start, end } = vadRange(kernel, node);
    return end < start ? undefined : { node, tag, level, start, end };
  }, undefined);
}

/** First and last byte of the region of a node. Throws Absent where the node cannot be read. */
export function vadRange(kernel: WindowsKernel, node: Struct): { readonly start: bigint; readonly end: bigint } {
  const short = kernel.at('_MMVAD_SHORT', node.$address);
  // Since Windows 8 a page number has 32 bits and an upper byte of its own.
  const page = (member: string): bigint => BigInt(short.$get(member) as number | bigint) + (short.$has(`${member}High`) ? BigInt(short.$get(`${member}High`) as number) << 32n : 0n);
  return { start: page('StartingVpn') << PAGE_SHIFT, end: ((page('EndingVpn') + 1n) << PAGE_SHIFT) - 1n };
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
  const flags = vadFlags(kernel, vad);
  const kind = flags.$has('VadType') ? Number(flags.$get('VadType')) : 0;
  return {
    protection: Number(flags.$get('Protection')),
    private: Number(flags.$get('PrivateMemory')) === 1,
    image: flags.$has('ImageMap') ? Number(flags.$get('ImageMap')) === 1 : kind === IMAGE_MAP,
    kind,
    commit: commitCharge(kernel, vad, flags),
  };
}

/** `_MI_VAD_TYPE`: VadImageMap */
const IMAGE_MAP = 2;

/**
 * A charge of all ones (MM_MAX_COMMIT) says that pages are charged as they are touched. Since Windows 8 it stands in `_MMVAD_FLAGS1`, with upper bits of
 * their own since 8.1.
 */
function commitCharge(kernel: WindowsKernel, vad: Vad, flags: Struct): number {
  const word = (holder: Struct, member: string): bigint => BigInt(holder.$get(member) as number | bigint);
  if (flags.$has('CommitCharge')) {
    const charge = word(flags, 'CommitCharge');
    return charge === (kernel.profile.pointerSize === 8 ? 0x7ffffffffffffn : 0x7ffffn) ? -1 : Number(charge);
  }
  const short = kernel.at('_MMVAD_SHORT', vad.node.$address);
  const high = short.$has('CommitChargeHigh') ? word(short, 'CommitChargeHigh') : undefined;
  const charge = word(flags1(kernel, vad), 'CommitCharge') | ((high ?? 0n) << 31n);
  return charge === (high === undefined ? 0x7fffffffn : 0x7fffffffffn) ? -1 : Number(charge);
}

function flags1(kernel: WindowsKernel, vad: Vad): Struct {
  return (kernel.at('_MMVAD_SHORT', vad.node.$address).$get('u1') as Struct).$get('VadFlags1') as Struct;
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
