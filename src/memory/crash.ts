/** What the header of a Windows crash dump states: hints like all others, to be verified before use. */
export interface CrashHeader {
  readonly bits: 32 | 64;
  /** page tables with 64-bit entries on a 32-bit system (`PaeEnabled`) */
  readonly pae: boolean;
  /** `full`, `kernel`, `triage` …, from `DumpType` */
  readonly kind: string;
  /** build of the system, `MinorVersion`: 7600 */
  readonly build: number;
  /** physical address of the top page table of the process that ran */
  readonly directoryTable: number;
  readonly loadedModuleList: bigint | undefined;
  readonly activeProcessHead: bigint | undefined;
  readonly pfnDatabase: bigint | undefined;
  /** where the KDBG is (`KdDebuggerDataBlock`); it may be enciphered or overwritten */
  readonly debuggerData: bigint | undefined;
  /** IMAGE_FILE_MACHINE_ constant: 0x8664, 0x14c, 0xaa64 */
  readonly machine: number;
  readonly processors: number;
  readonly bugCheck: { readonly code: number; readonly parameters: readonly bigint[] } | undefined;
  readonly exception: { readonly code: number; readonly address: bigint } | undefined;
  /** time of the dump, and how long the system had run: units of 100 ns (FILETIME), undefined where nothing was written */
  readonly systemTime: bigint | undefined;
  readonly upTime: bigint | undefined;
  readonly comment: string;
}

/** Bytes of the virtual address space that stand in the file, from `[address, address + length)`. */
export interface VirtualBlock {
  readonly address: bigint;
  readonly length: number;
  /** where they are in the file */
  readonly offset: number;
}

/** A driver in a triage dump's list. */
export interface CrashDriver {
  readonly path: string;
  readonly base: bigint;
  readonly size: number;
  /** time stamp of its PE header; with its size, the key of a symbol server: undefined where not recorded */
  readonly timeDateStamp: number;
}

/** A driver that was unloaded before the crash; names are cut to twelve characters. */
export interface UnloadedDriver {
  readonly name: string;
  readonly start: bigint;
  readonly end: bigint;
}

/** What a triage dump (small memory dump) holds instead of physical memory. */
export interface TriageContent {
  readonly drivers: readonly CrashDriver[];
  readonly unloaded: readonly UnloadedDriver[];
  /** sorted by address, not overlapping */
  readonly blocks: readonly VirtualBlock[];
  /** base of the kernel by the debugger data, or by the first driver of the list */
  readonly kernelBase: bigint | undefined;
  /** copies of the objects of the crash, by type */
  readonly objects: readonly { readonly type: '_KPRCB' | '_EPROCESS' | '_ETHREAD'; readonly offset: number }[];
  /** bytes of a block */
  read(offset: number, length: number): Buffer;
}

/** A crash dump's facts. */
export interface CrashDump {
  readonly header: CrashHeader;
  readonly triage?: TriageContent;
}
