import type { Forge } from './forge.js';
import { type MappedFile, PROTECTION } from './sections.js';

/** A region of a process, of which a VAD is written. */
export interface Region {
  readonly start: bigint;
  /** last byte */
  readonly end: bigint;
  readonly protection: number;
  /** pages that are committed */
  readonly commit: number;
  readonly file?: MappedFile;
}

/** A VAD as it was written. */
export interface WrittenVad extends Region {
  readonly address: bigint;
  readonly tag: string;
  readonly level: number;
}

/** `_MI_VAD_TYPE.VadImageMap` */
const IMAGE_MAP = 2;

/**
 * Writes the tree of a process's regions: balanced, the root being the right child of the node in `_EPROCESS.VadRoot`, which is also its
 * parent; the low two bits of a parent's address are the node's balance (0 even, 1 right side deeper, 3 left).
 */
export function writeRegions(forge: Forge, process: bigint, regions: readonly Region[]): WrittenVad[] {
  const sorted = [...regions].sort((one, other) => (one.start < other.start ? -1 : 1));
  const rootNode = process + BigInt(forge.offset('_EPROCESS', 'VadRoot'));
  const written: WrittenVad[] = [];
  for (const region of sorted) {
    const tag = region.file ? 'Vad ' : 'VadS';
    const address = forge.nonPaged.allocate(forge.size(region.file ? '_MMVAD' : '_MMVAD_SHORT'), tag);
    const type = region.file ? '_MMVAD' : '_MMVAD_SHORT';
    forge.put(type, address, {
      StartingVpn: region.start >> 12n,
      EndingVpn: region.end >> 12n,
      u: { VadFlags: { CommitCharge: region.commit, Protection: region.protection, PrivateMemory: region.file ? 0 : 1, MemCommit: region.file || region.commit === 0 ? 0 : 1, VadType: region.file?.image ? IMAGE_MAP : 0 } },
    });
    const { file } = region;
    if (file) {
      const size = BigInt(forge.system.format.size);
      forge.put('_MMVAD', address, { Subsection: file.subsection, FirstPrototypePte: file.prototypes, LastContiguousPte: file.prototypes + BigInt(file.pages - 1) * size, 'VadsProcess?': process | 1n });
      file.mappings++;
    }
    written.push({ ...region, address, tag, level: 0 });
  }
  const levels = new Map<bigint, number>();
  const build = (from: number, to: number, parent: bigint, level: number): { address: bigint; depth: number } => {
    if (from > to) return { address: 0n, depth: 0 };
    const middle = (from + to) >> 1;
    const { address } = written[middle] as WrittenVad;
    levels.set(address, level);
    const left = build(from, middle - 1, address, level + 1);
    const right = build(middle + 1, to, address, level + 1);
    const balance = BigInt((right.depth - left.depth) & 3);
    forge.put('_MMVAD_SHORT', address, { LeftChild: left.address, RightChild: right.address, u1: { Parent: parent | balance } });
    return { address, depth: Math.max(left.depth, right.depth) + 1 };
  };
  const root = build(0, written.length - 1, rootNode, 1);
  forge.put('_MM_AVL_TABLE', rootNode, { BalancedRoot: { RightChild: root.address, u1: { Parent: rootNode } }, DepthOfTree: root.depth, NumberGenericTableElements: written.length, NodeHint: root.address });
  return written.map((vad) => ({ ...vad, level: levels.get(vad.address) ?? 0 }));
}

const NAMES: Readonly<Record<number, string>> = {
  [PROTECTION.readOnly]: 'READONLY',
  [PROTECTION.executeRead]: 'EXECUTE_READ',
  [PROTECTION.readWrite]: 'READWRITE',
  [PROTECTION.writeCopy]: 'WRITECOPY',
  [PROTECTION.executeReadWrite]: 'EXECUTE_READWRITE',
  [PROTECTION.executeWriteCopy]: 'EXECUTE_WRITECOPY',
  [PROTECTION.noAccess]: 'NOACCESS',
};

/** The name that the truth gives a protection. */
export function protectionName(protection: number): string {
  return NAMES[protection] ?? String(protection);
}
