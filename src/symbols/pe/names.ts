/** Names of the numbers in PE headers. Source: Microsoft, "PE Format" (winnt.h: IMAGE_FILE_*, IMAGE_SUBSYSTEM_*, IMAGE_DLLCHARACTERISTICS_*). */

const MACHINES: Readonly<Record<number, string>> = {
  0x14c: 'I386',
  0x166: 'R4000',
  0x184: 'ALPHA',
  0x1c0: 'ARM',
  0x1c4: 'ARMNT',
  0x200: 'IA64',
  0x8664: 'AMD64',
  0xaa64: 'ARM64',
  0xebc: 'EBC',
};

const SUBSYSTEMS: readonly string[] = [
  'UNKNOWN',
  'NATIVE',
  'WINDOWS_GUI',
  'WINDOWS_CUI',
  '',
  'OS2_CUI',
  '',
  'POSIX_CUI',
  'NATIVE_WINDOWS',
  'WINDOWS_CE_GUI',
  'EFI_APPLICATION',
  'EFI_BOOT_SERVICE_DRIVER',
  'EFI_RUNTIME_DRIVER',
  'EFI_ROM',
  'XBOX',
  '',
  'WINDOWS_BOOT_APPLICATION',
];

/** By bit, from the lowest. */
const FILE_FLAGS: readonly string[] = [
  'RELOCS_STRIPPED',
  'EXECUTABLE_IMAGE',
  'LINE_NUMS_STRIPPED',
  'LOCAL_SYMS_STRIPPED',
  'AGGRESSIVE_WS_TRIM',
  'LARGE_ADDRESS_AWARE',
  '',
  'BYTES_REVERSED_LO',
  '32BIT_MACHINE',
  'DEBUG_STRIPPED',
  'REMOVABLE_RUN_FROM_SWAP',
  'NET_RUN_FROM_SWAP',
  'SYSTEM',
  'DLL',
  'UP_SYSTEM_ONLY',
  'BYTES_REVERSED_HI',
];
const DLL_FLAGS: readonly string[] = [
  '',
  '',
  '',
  '',
  '',
  'HIGH_ENTROPY_VA',
  'DYNAMIC_BASE',
  'FORCE_INTEGRITY',
  'NX_COMPAT',
  'NO_ISOLATION',
  'NO_SEH',
  'NO_BIND',
  'APPCONTAINER',
  'WDM_DRIVER',
  'GUARD_CF',
  'TERMINAL_SERVER_AWARE',
];

/** Directories of the optional header, in their order. */
export const DIRECTORY_NAMES: readonly string[] = [
  'Export',
  'Import',
  'Resource',
  'Exception',
  'Certificate',
  'Relocation',
  'Debug',
  'Architecture',
  'Global pointer',
  'Thread-local storage',
  'Load configuration',
  'Bound import',
  'Import addresses',
  'Delay import',
  'CLR header',
  'Reserved',
];

/** `AMD64` */
export function machineName(machine: number): string {
  return MACHINES[machine] ?? `0x${machine.toString(16)}`;
}

export function subsystemName(subsystem: number): string {
  const name = SUBSYSTEMS[subsystem] ?? '';
  return name === '' ? String(subsystem) : name;
}

/** `EXECUTABLE_IMAGE, DLL`; bits without a name in hex */
export function fileFlags(characteristics: number): string {
  return flags(characteristics, FILE_FLAGS);
}

export function dllFlags(characteristics: number): string {
  return flags(characteristics, DLL_FLAGS);
}

/** `r-x`: what the section's pages may be used for */
export function sectionRights(characteristics: number): string {
  const bit = (mask: number, letter: string): string => ((characteristics & mask) !== 0 ? letter : '-');
  return `${bit(0x40000000, 'r')}${bit(0x80000000, 'w')}${bit(0x20000000, 'x')}`;
}

function flags(value: number, names: readonly string[]): string {
  const set = names.flatMap((name, bit) => ((value >> bit) & 1) === 0 ? [] : [name === '' ? `0x${(1 << bit).toString(16)}` : name]);
  return set.join(', ');
}
