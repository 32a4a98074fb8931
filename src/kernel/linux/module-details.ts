import { decodeText } from '../../object/text.js';
import type { Struct } from '../../object/struct.js';
import type { LinuxKernel } from './kernel.js';
import { walkList, type WalkOptions } from './lists/list.js';
import { type Module, type ModuleMemory, moduleMemory } from './modules.js';
import type { ListHead } from './types.js';
import type { ModuleSectAttrs } from './types-fs.js';

/** A module's file has fewer sections than this (e_shnum, 16 bits). */
const MOST_SECTIONS = 1 << 16;
/** include/linux/module.h: a module that is loaded holds a reference to itself. */
const REFERENCE_BASE = 1;

/** enum module_state (include/linux/module.h), as /proc/modules and dmesg name them */
const STATES = ['Live', 'Loading', 'Unloading', 'Unformed'];

/** By bit of module.taints (include/linux/panic.h: TAINT_*; kernel/panic.c: taint_flags). */
const TAINTS = 'PFSRMBUDAWCIOELKXTN';

/** How a module is: `Live`, `Loading`, `Unloading`; `Unformed` while it is being read, when /proc/modules does not show it. */
export function moduleState(module: Module): string {
  return STATES[module.state] ?? `state ${module.state}`;
}

/** Letters of what a module tainted the kernel with: P proprietary, O out of tree, E unsigned, F forced, C staging … */
export function moduleTaints(module: Module): string {
  const taints = Number(module.$get('taints'));
  return [...TAINTS].filter((_letter, bit) => ((taints >>> bit) & 1) !== 0).join('');
}

/** Where a module's code begins: what /proc/modules shows as its address. Null for a module without memory. */
export function moduleStart(module: Module): bigint | null {
  return moduleMemory(module)[0]?.start ?? null;
}

/** Bytes of all of a module's memory: the size in /proc/modules (kernel/module/procfs.c: module_total_size). */
export function moduleSize(module: Module): number {
  return moduleMemory(module).reduce((sum: number, piece: ModuleMemory) => sum + piece.size, 0);
}

/** How many use a module: module.refcnt without the module's own. Null where modules cannot be unloaded (CONFIG_MODULE_UNLOAD). */
export function moduleUses(module: Module): number | null {
  if (!module.$has('refcnt')) return null;
  return Number((module.$get('refcnt') as Struct).$get('counter')) - REFERENCE_BASE;
}

interface ModuleUse extends Struct {
  readonly source: Module | null;
}

/** Names of the modules that use this one: module.source_list of module_use.source_list. Empty where modules cannot be unloaded. */
export function moduleUsers(kernel: LinuxKernel, module: Module, options: WalkOptions = {}): string[] {
  if (!module.$has('source_list') || !kernel.profile.has('module_use')) return [];
  const uses = walkList(module.$get('source_list') as ListHead, kernel.struct<ModuleUse>('module_use'), 'source_list', { limit: MOST_SECTIONS, ...options });
  return [...uses].flatMap((use) => use.source?.name ?? []);
}

/** Text that a module's char pointer leads to (`version`, `srcversion`, `args`), or null where there is none. */
export function moduleText(module: Module, member: string): string | null {
  if (!module.$has(member)) return null;
  const address = module.$pointer(member);
  return address === 0n ? null : decodeText(module.$space.readCString(address));
}

/** A section of a module's file, and where it was loaded. */
export interface ModuleSection {
  readonly name: string;
  readonly address: bigint;
}

/**
 * The sections of a module, as /sys/module/NAME/sections shows them, in the file's order: module.sect_attrs (kernel/module/sysfs.c;
 * kept with CONFIG_KALLSYMS and CONFIG_SYSFS). Each is a module_sect_attr with its address; since 6.14, which dropped that struct and
 * the count (34f5ec0f8252, d8959b947a8d), a bin_attribute whose private holds the address (4b2c11e4aaf7), on the group's null-terminated array.
 * Init sections are freed after loading; their addresses are of the past. Throws Absent.
 */
export function* moduleSections(kernel: LinuxKernel, module: Module): Generator<ModuleSection> {
  if (!module.$has('sect_attrs')) return;
  const attributes = module.$get('sect_attrs') as ModuleSectAttrs | null;
  if (!attributes) return;
  if (!attributes.$has('nsections')) {
    yield* groupSections(kernel, attributes.grp);
    return;
  }
  for (const section of attributes.attrs.resize(Math.min(attributes.nsections, MOST_SECTIONS))) {
    yield { name: sectionName(section), address: section.$pointer('address') };
  }
}

/** The name is in a bin_attribute since 5.8 (ed66f991bb19), in a module_attribute with a copy beside it before. */
function sectionName(section: Struct): string {
  const attribute = (section.$has('battr') ? section.$get('battr') : section.$get('mattr')) as Struct;
  return attributeName(attribute);
}

function attributeName(attribute: Struct): string {
  const name = (attribute.$get('attr') as Struct).$pointer('name');
  return decodeText(attribute.$space.readCString(name, 256));
}

function* groupSections(kernel: LinuxKernel, group: Struct): Generator<ModuleSection> {
  const list = group.$pointer('bin_attrs');
  const width = BigInt(kernel.profile.pointerSize);
  for (let index = 0n; index < MOST_SECTIONS; index++) {
    const address = kernel.space.readPointer(list + index * width);
    if (address === 0n) return;
    const attribute = kernel.at('bin_attribute', address);
    yield { name: attributeName(attribute), address: attribute.$pointer('private') };
  }
}
