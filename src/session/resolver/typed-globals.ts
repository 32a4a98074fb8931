import type { Profile } from '../../symbols/profile.js';
import type { TypeDescriptor } from '../../symbols/types.js';

/**
 * Types of globals that BTF leaves out (it has variables of the per-CPU section only, `pahole --btf_encode_detached`), for kernels whose
 * types come from it. Each has had this type in every kernel since 3.0; a kernel without the global or the type is not concerned.
 * `name[]` is an array as long as the symbol.
 */
const GLOBALS: Readonly<Record<string, string>> = {
  // init/init_task.c, mm/init-mm.c, kernel/cred.c, fs/fs_struct.c, fs/file.c
  init_task: 'task_struct',
  init_signals: 'signal_struct',
  init_sighand: 'sighand_struct',
  init_mm: 'mm_struct',
  init_cred: 'cred',
  init_fs: 'fs_struct',
  init_files: 'files_struct',
  init_groups: 'group_info',
  // kernel/nsproxy.c, kernel/user.c, kernel/pid.c, init/version.c, ipc/msgutil.c, net/core/net_namespace.c, kernel/cgroup/cgroup.c
  init_nsproxy: 'nsproxy',
  init_uts_ns: 'uts_namespace',
  init_user_ns: 'user_namespace',
  init_pid_ns: 'pid_namespace',
  init_ipc_ns: 'ipc_namespace',
  init_cgroup_ns: 'cgroup_namespace',
  init_time_ns: 'time_namespace',
  init_net: 'net',
  init_struct_pid: 'pid',
  root_user: 'user_struct',
  init_css_set: 'css_set',
  cgrp_dfl_root: 'cgroup_root',
  root_task_group: 'task_group',
  // kernel/resource.c, kernel/module, fs/super.c, mm/memblock.c, mm/mmzone.c, arch/x86/kernel/setup.c
  iomem_resource: 'resource',
  ioport_resource: 'resource',
  modules: 'list_head',
  super_blocks: 'list_head',
  net_namespace_list: 'list_head',
  memblock: 'memblock',
  contig_page_data: 'pglist_data',
  boot_cpu_data: 'cpuinfo_x86',
  idt_table: 'gate_struct[]',
  // net/ipv4, net/socket.c
  tcp_hashinfo: 'inet_hashinfo',
  tcp_prot: 'proto',
  udp_prot: 'proto',
  raw_prot: 'proto',
  inet_stream_ops: 'proto_ops',
  inet_dgram_ops: 'proto_ops',
  // fs/pipe.c, drivers/base
  pipefifo_fops: 'file_operations',
  platform_bus_type: 'bus_type',
  platform_bus: 'device',
  // arch/x86/entry/syscall_64.c
  sys_call_table: 'void *[]',
  ia32_sys_call_table: 'void *[]',
};

/** The type of a kernel's global: what the profile states (DWARF, ISF, `$CONSTANT_TYPES`), or the one it is known to have. */
export function typeOfGlobal(profile: Profile, symbol: string): TypeDescriptor | undefined {
  const stated = profile.symbolType(symbol);
  if (stated) return stated;
  const known = Object.hasOwn(GLOBALS, symbol) ? GLOBALS[symbol] : undefined;
  if (known === undefined) return undefined;
  const name = known.replace('[]', '');
  const element: TypeDescriptor | undefined = name.endsWith('*')
    ? { kind: 'pointer', target: { kind: 'void' } }
    : profile.has(name)
      ? { kind: 'struct', name }
      : undefined;
  return element && known !== name ? { kind: 'array', count: 0, target: element } : element;
}
