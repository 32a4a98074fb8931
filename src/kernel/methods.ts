import { DetectionError } from './error.js';
import type { Trace } from './trace.js';

/** Methods of detection, in the order in which they are tried, with what each goes by. */
export const METHODS = {
  pe: 'a Windows program as the image: names by its debug record and exports',
  linux_index: 'a Linux kernel by its own tables of symbols',
  rsds: 'a Windows kernel by the debug record that names its PDB',
  windows_kernel_file: "a Windows kernel by its image's header and debug directory",
  nt_index: "a Windows kernel by bytes of its image, through the repository's nt/index",
  eprocess_index: "a Windows kernel by its process objects, through the repository's nt/eprocess_index",
} as const;
export type Method = keyof typeof METHODS;

/** Names that Rekall had for the same. */
const ALIASES: Readonly<Record<string, Method>> = { linux: 'linux_index' };
/** What else `--autodetect` may name, as Rekall's configurations do. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  osx: 'kernels of macOS are not read by this release',
  ntfs: 'disks are not read by this release',
  tsk: 'disks are not read by this release',
};

/**
 * The methods that a list names, in its order; undefined for an empty list or none: all. @throws DetectionError for a name that means nothing
 */
export function detectionMethods(names: readonly string[] | undefined, trace: Trace): Method[] | undefined {
  if (names === undefined || names.length === 0) return undefined;
  const methods: Method[] = [];
  for (const name of names) {
    const lower = name.toLowerCase();
    const method = Object.hasOwn(METHODS, lower) ? (lower as Method) : ALIASES[lower];
    if (method) methods.push(method);
    else if (Object.hasOwn(ELSEWHERE, lower)) trace.add('kernel', `method ${lower}`, ELSEWHERE[lower] as string, 'note');
    else throw new DetectionError(`There is no detection method ${name}: there are ${Object.keys(METHODS).join(', ')}.`, 'rekall -f IMAGE --autodetect rsds', trace.steps);
  }
  return methods;
}
