/**
 * Rekall as a library: sessions for code, and what a plugin file imports. What is not exported here may change without notice.
 *
 *     import { openSession } from 'rekall';
 */

export { openSession, type OpenParameters } from './api/open.js';
export { RekallSession } from './api/session.js';
export type { QueryParameters } from './query/engine.js';
export { present, Table, type TableOptions } from './api/table.js';
export type { PluginFunction } from './api/plugins.js';
export { writeTable, type WriteOptions } from './render/write-table.js';
export type { Format } from './render/renderer.js';
export type * from './api/plugin-types.js';

// Declaring plugins
export { definePlugin, type Example, type OperatingSystem, type Plugin } from './plugin/plugin.js';
export { arg, type Arg, type Args, type ArgsOf, type ArgType, type ArgValues } from './plugin/args.js';
export { col, type Cell, type Column, type Columns, type ColumnType, type ColumnValues, type Row, type RowOf } from './plugin/columns.js';
export { linuxOf, type PluginContext } from './plugin/context.js';
export { noteWithoutMemory, processArgs, selectProcesses } from './plugin/linux-select.js';
export { PluginError, UsageError } from './plugin/error.js';
export type { Run } from './plugin/run.js';
export type { ProcessContext, Session } from './session/session.js';
export type { ParameterName, ParameterValues } from './session/parameters.js';
export { spaceNamed } from './session/spaces.js';

// Reading memory
export { Absent, type AbsenceKind, corrupt, orAbsent, orElse, unreadable } from './memory/absent.js';
export type { AddressSpace } from './memory/space.js';
export { ImageError, type PhysicalImage } from './memory/image.js';
export type { PhysicalSpace } from './memory/physical.js';
export { ArrayView } from './object/array.js';
export { Pointer } from './object/pointer.js';
export { Struct } from './object/struct.js';
export type { StructType } from './object/struct-type.js';
export { Timestamp } from './object/time.js';
export type { Profile } from './symbols/profile.js';

// Kernels
export type { Kernel } from './kernel/kernel.js';
export { DetectionError } from './kernel/error.js';
export type { LinuxKernel } from './kernel/linux/kernel.js';
export { isKernelThread, processByPid, processes, taskType, threads } from './kernel/linux/tasks.js';
export { dentryPath, filePath, pathOf } from './kernel/linux/path.js';
export { type OpenFile, openFiles } from './kernel/linux/files.js';
export { type Module, modules } from './kernel/linux/modules.js';
export { vmaFile, vmaFlags, vmaName, vmas } from './kernel/linux/vma.js';
export { walkList, type WalkOptions } from './kernel/linux/lists/list.js';
export { occupiedBuckets, walkBuckets, walkChain, walkHlist, type BucketArray } from './kernel/linux/lists/hlist.js';
export { walkIdr, type IdrEntry } from './kernel/linux/lists/idr.js';
export { walkMaple, walkMapleOf, type MapleEntry } from './kernel/linux/lists/maple.js';
export { cpusIn, perCpu, perCpuAddress } from './kernel/linux/lists/percpu.js';
export { walkRbTree } from './kernel/linux/lists/rbtree.js';
export { walkRhashtable } from './kernel/linux/lists/rhashtable.js';
export { walkXarray, type XarrayEntry } from './kernel/linux/lists/xarray.js';
export type * from './kernel/linux/types.js';
export type * from './kernel/linux/types-fs.js';
export type * from './kernel/linux/types-net.js';
