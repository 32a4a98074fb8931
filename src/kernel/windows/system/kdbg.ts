import { Absent, orElse } from '../../../memory/absent.js';
import { bytesPattern } from '../../../memory/search/pattern.js';
import { search, type SearchStep } from '../../../memory/search/search.js';
import { decodeWord, encodingKeys } from './encoded.js';
import type { WindowsKernel } from '../kernel.js';

/** The signature, as text: KDBG_TAG. */
const TAG = 'KDBG';
/** Offsets of the header (`DBGKD_DEBUG_DATA_HEADER64`, wdbgexts.h): a list entry, the signature, the size. */
const OWNER_TAG = 16;
const SIZE = 20;
/** Bytes that every version since XP fills a part of; what later ones append is not shown. */
const LENGTH = 832;
/** Sizes that blocks have: XP's is 0x290, Windows 11's less than 0x400. */
const PLAUSIBLE = { least: 0x208, most: 0x800 } as const;

/** Names of members with how many bytes each has, by the offset of the first. */
type Run = readonly [offset: number, size: 2 | 8, names: string];

/** `KDDEBUGGER_DATA64` (wdbgexts.h of the Windows SDK). */
const LAYOUT: readonly Run[] = [
  [24, 8, 'KernBase BreakpointWithStatus SavedContext'],
  [48, 2, 'ThCallbackStack NextCallback FramePointer PaeEnabled'],
  [
    56,
    8,
    'KiCallUserMode KeUserCallbackDispatcher PsLoadedModuleList PsActiveProcessHead PspCidTable ExpSystemResourcesList ExpPagedPoolDescriptor ExpNumberOfPagedPools KeTimeIncrement ' +
      'KeBugCheckCallbackListHead KiBugcheckData IopErrorLogListHead ObpRootDirectoryObject ObpTypeObjectType MmSystemCacheStart MmSystemCacheEnd MmSystemCacheWs MmPfnDatabase MmSystemPtesStart ' +
      'MmSystemPtesEnd MmSubsectionBase MmNumberOfPagingFiles MmLowestPhysicalPage MmHighestPhysicalPage MmNumberOfPhysicalPages MmMaximumNonPagedPoolInBytes MmNonPagedSystemStart MmNonPagedPoolStart ' +
      'MmNonPagedPoolEnd MmPagedPoolStart MmPagedPoolEnd MmPagedPoolInformation MmPageSize MmSizeOfPagedPoolInBytes MmTotalCommitLimit MmTotalCommittedPages MmSharedCommit MmDriverCommit MmProcessCommit ' +
      'MmPagedPoolCommit MmExtendedCommit MmZeroedPageListHead MmFreePageListHead MmStandbyPageListHead MmModifiedPageListHead MmModifiedNoWritePageListHead MmAvailablePages MmResidentAvailablePages ' +
      'PoolTrackTable NonPagedPoolDescriptor MmHighestUserAddress MmSystemRangeStart MmUserProbeAddress KdPrintCircularBuffer KdPrintCircularBufferEnd KdPrintWritePointer KdPrintRolloverCount ' +
      'MmLoadedUserImageList NtBuildLab KiNormalSystemCall KiProcessorBlock MmUnloadedDrivers MmLastUnloadedDriver MmTriageActionTaken MmSpecialPoolTag KernelVerifier MmVerifierData ' +
      'MmAllocatedNonPagedPool MmPeakCommitment MmTotalCommitLimitMaximum CmNtCSDVersion MmPhysicalMemoryBlock MmSessionBase MmSessionSize MmSystemParentTablePage MmVirtualTranslationBase',
  ],
  [
    664,
    2,
    'OffsetKThreadNextProcessor OffsetKThreadTeb OffsetKThreadKernelStack OffsetKThreadInitialStack OffsetKThreadApcProcess OffsetKThreadState OffsetKThreadBStore OffsetKThreadBStoreLimit SizeEProcess ' +
      'OffsetEprocessPeb OffsetEprocessParentCID OffsetEprocessDirectoryTableBase SizePrcb OffsetPrcbDpcRoutine OffsetPrcbCurrentThread OffsetPrcbMhz OffsetPrcbCpuType OffsetPrcbVendorString ' +
      'OffsetPrcbProcStateContext OffsetPrcbNumber SizeEThread',
  ],
  [712, 8, 'KdPrintCircularBufferPtr KdPrintBufferSize KeLoaderBlock'],
  [
    736,
    2,
    'SizePcr OffsetPcrSelfPcr OffsetPcrCurrentPrcb OffsetPcrContainedPrcb OffsetPcrInitialBStore OffsetPcrBStoreLimit OffsetPcrInitialStack OffsetPcrStackLimit OffsetPrcbPcrPage ' +
      'OffsetPrcbProcStateSpecialReg GdtR0Code GdtR0Data GdtR0Pcr GdtR3Code GdtR3Data GdtR3Teb GdtLdt GdtTss Gdt64R3CmCode Gdt64R3CmTeb',
  ],
  [776, 8, 'IopNumTriageDumpDataBlocks IopTriageDumpDataBlocks VfCrashDataBlock MmBadPagesDetected MmZeroedPageSingleBitErrorsDetected EtwpDebuggerData'],
  [824, 2, 'OffsetPrcbContext'],
];

/** A member of the block. */
export interface KdbgField {
  readonly name: string;
  readonly offset: number;
  readonly size: 2 | 8;
}

/** The members in their order. */
export const KDBG_FIELDS: readonly KdbgField[] = LAYOUT.flatMap(([start, size, names]) => names.split(' ').map((name, index) => ({ name, offset: start + index * size, size })));

/** The debugger's data block, or what is taken for one. */
export interface KdbgBlock {
  readonly address: bigint;
  readonly found: 'nt!KdDebuggerDataBlock' | 'signature';
  /** the four bytes that should be the signature, decoded where the block is encoded */
  readonly tag: string;
  /** decoded; zeros where nothing is */
  readonly bytes: Buffer;
  /** how it was stored */
  readonly encoded: boolean;
  /** bytes, as its header states */
  readonly size: number;
  /** what speaks against it, in words */
  readonly problems: readonly string[];
}

/** The block where the profile has it. Throws Absent where the profile has none, or it is not in memory. */
export function kdbgOfProfile(kernel: WindowsKernel): KdbgBlock {
  return blockAt(kernel, kernel.profile.address('KdDebuggerDataBlock'), 'nt!KdDebuggerDataBlock');
}

/**
 * Blocks by their signature, in a range of the kernel's addresses; one that is encoded, or whose signature was overwritten, is not
 * among them. A signature is believed where the header's size makes sense.
 */
export function* kdbgBySignature(kernel: WindowsKernel, range: { readonly from: bigint; readonly to: bigint }): Generator<{ readonly blocks: readonly KdbgBlock[]; readonly step: SearchStep }> {
  for (const step of search(kernel.space, [bytesPattern(TAG, Buffer.from(TAG, 'latin1'))], range)) {
    const blocks = step.hits.flatMap(({ address }) => {
      const size = orElse(() => kernel.space.readU32(address + 4n), 0);
      if (size < PLAUSIBLE.least || size > PLAUSIBLE.most) return [];
      return orElse(() => [blockAt(kernel, address - BigInt(OWNER_TAG), 'signature')], []);
    });
    yield { blocks, step };
  }
}

function blockAt(kernel: WindowsKernel, address: bigint, found: KdbgBlock['found']): KdbgBlock {
  const { bytes: stored, gaps } = kernel.space.readPartial(address, LENGTH);
  if (gaps.some(({ start, end }) => start < address + 24n && end > address)) throw new Absent('unreadable', 'the debugger data block is not in memory', address);
  const problems: string[] = [];
  if (gaps.length > 0) problems.push('a part of it is not in memory');
  const { bytes, encoded } = decoded(kernel, stored, problems);
  const tag = bytes.toString('latin1', OWNER_TAG, OWNER_TAG + 4);
  const block = { address, found, tag, bytes, encoded, size: bytes.readUInt32LE(SIZE), problems };
  // Of what cannot be decoded there is nothing more to say.
  if (encoded && problems.length > 0 && tag !== TAG) return block;
  if (tag !== TAG) problems.push(`its signature was overwritten: '${printable(tag)}' instead of ${TAG}`);
  if (tag === TAG && listLeadsBack(kernel, block) === false) problems.push('the list in its header does not lead back');
  const base = kdbgValue(kernel, block, 'KernBase');
  if (base !== kernel.location.base) problems.push(`it states the kernel at 0x${base.toString(16)}`);
  return block;
}

/**
 * The block's bytes as they are meant. Since Windows 8 (x64) it is encoded, word by word, unless a debugger was attached at the start:
 * nt!KdpDataBlockEncoded says so, and its address is mixed in (nt!KdCopyDataBlock).
 */
function decoded(kernel: WindowsKernel, stored: Buffer, problems: string[]): { readonly bytes: Buffer; readonly encoded: boolean } {
  if (stored.toString('latin1', OWNER_TAG, OWNER_TAG + 4) === TAG) return { bytes: stored, encoded: false };
  const at = kernel.profile.pointerSize === 8 ? kernel.symbol('KdpDataBlockEncoded') : undefined;
  if (at === undefined) return { bytes: stored, encoded: false };
  const stated = orElse(() => kernel.space.readU8(at) !== 0, undefined);
  const keys = encodingKeys(kernel);
  if (keys) {
    const bytes = Buffer.alloc(stored.length);
    for (let offset = 0; offset < stored.length; offset += 8) bytes.writeBigUInt64LE(decodeWord(keys, stored.readBigUInt64LE(offset), at), offset);
    if (stated === true || bytes.toString('latin1', OWNER_TAG, OWNER_TAG + 4) === TAG) return { bytes, encoded: true };
  } else if (stated !== false) {
    problems.push(`it is ${stated === true ? '' : 'perhaps '}encoded, and nt!KiWaitNever and nt!KiWaitAlways are not in memory`);
    return { bytes: stored, encoded: true };
  }
  return { bytes: stored, encoded: false };
}

/** Whether the neighbours in the header's list name the block; undefined where they are not in memory. x86 has pointers of 32 bits in it. */
function listLeadsBack(kernel: WindowsKernel, { address, bytes }: { readonly address: bigint; readonly bytes: Buffer }): boolean | undefined {
  const word = kernel.profile.pointerSize;
  const read = (offset: number): bigint => (word === 8 ? bytes.readBigUInt64LE(offset) : BigInt(bytes.readUInt32LE(offset)));
  return orElse(() => kernel.space.readPointer(read(0) + BigInt(word)) === address && kernel.space.readPointer(read(word)) === address, undefined);
}

/** Value of a member; addresses of x86, which are stored with their sign extended, as 32 bits. */
export function kdbgValue(kernel: WindowsKernel, block: Pick<KdbgBlock, 'bytes'>, field: string | KdbgField): bigint {
  const { offset, size } = typeof field === 'string' ? (KDBG_FIELDS.find(({ name }) => name === field) as KdbgField) : field;
  if (size === 2) return BigInt(block.bytes.readUInt16LE(offset));
  const value = block.bytes.readBigUInt64LE(offset);
  return kernel.profile.pointerSize === 4 ? BigInt.asUintN(32, value) : value;
}

/** What a terminal may show of four bytes. */
function printable(tag: string): string {
  return tag.replace(/[^\x20-\x7e]/g, '.');
}
