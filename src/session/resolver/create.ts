import type { Kernel } from '../../kernel/kernel.js';
import type { Trace } from '../../kernel/trace.js';
import type { LinuxKernel } from '../../kernel/linux/kernel.js';
import type { TaskStruct } from '../../kernel/linux/types.js';
import { orElse } from '../../memory/absent.js';
import type { WindowsKernel } from '../../kernel/windows/kernel.js';
import type { Eprocess } from '../../kernel/windows/types.js';
import type { ProfileRepository } from '../../symbols/repository/repository.js';
import type { ProcessContext } from '../session.js';
import { type CodeNames, SessionCode } from './code-reader.js';
import { KernelNames } from './kernel-names.js';
import { linuxModules } from './linux-names.js';
import { moduleKey } from './module-names.js';
import { ModuleProfiles } from './module-profiles.js';
import { processNames } from './process-names.js';
import { type NameSources, NOTHING, Resolver } from './resolver.js';
import { SharedReads } from './shared-reads.js';
import { windowsModules, windowsProcessNames } from './windows-names.js';
import type { SharedNames } from './pe-names.js';

/** Names that all resolvers of one kernel share. */
export interface KernelSources extends SharedNames {
  readonly kernel: KernelNames;
  readonly modules: NameSources['modules'];
}

/**
 * The names of a kernel and its modules; read when first asked for. The kernel's profile is lent its code by them.
 * @param repository where profiles of Windows modules may be
 * @param trace told what is found in code
 */
export function kernelSources(kernel: Kernel, repository?: ProfileRepository, trace?: Trace): KernelSources {
  let found: ReturnType<NameSources['modules']> | undefined;
  const own = new KernelNames(kernel);
  const shared: SharedNames = {
    profiles: new ModuleProfiles(repository),
    reads: new SharedReads(),
    told: (section, name, said, isFound) => trace?.add(section === '$DYNAMIC_STRUCTS' ? 'types' : 'symbols', `rules of ${name}`, said, isFound ? 'found' : 'failed'),
  };
  const modules = (): ReturnType<NameSources['modules']> => (found ??= sorted(modulesOf(kernel, own, shared, names)));
  let alone: Resolver | undefined;
  const names = (): CodeNames => (alone ??= new Resolver(kernel, kernel.space, { kernel: own, modules, process: () => NOTHING }));
  kernel.profile.lend(new SessionCode(kernel.space, () => WIDTHS[kernel.profile.metadata.arch], names, shared.told));
  return { kernel: own, modules, ...shared };
}

/** Code that rules can look into; there is none for ARM64. */
const WIDTHS: Readonly<Record<string, 32 | 64>> = { AMD64: 64, I386: 32 };

/** The resolver of a process context, or of the kernel alone. */
export function createResolver(kernel: Kernel, shared: KernelSources, context: ProcessContext | undefined): Resolver {
  let process: ReturnType<NameSources['process']> | undefined;
  const resolver: Resolver = new Resolver(kernel, context?.space ?? kernel.space, { ...shared, process: () => (process ??= read()) });
  return resolver;

  function read(): ReturnType<NameSources['process']> {
    if (!context) return NOTHING;
    if (kernel.os === 'windows') {
      const taken = [shared.kernel, ...shared.modules().modules].map(({ name }) => moduleKey(name));
      return sorted(windowsProcessNames(kernel as WindowsKernel, context.process as Eprocess, context.space, taken, shared, () => resolver, note));
    }
    if (kernel.os !== 'linux') return NOTHING;
    const mm = orElse(() => (context.process as TaskStruct).mm, null);
    if (!mm) return NOTHING;
    const reserved = [shared.kernel, ...shared.modules().modules].map(({ name }) => moduleKey(name));
    return processNames(kernel as LinuxKernel, mm, context.space, reserved, note);
  }

  function note(what: string): void {
    if (!resolver.notes.includes(what)) resolver.notes.push(what);
  }
}

/** The modules of a kernel, by the names that its system gives them. */
function modulesOf(kernel: Kernel, own: KernelNames, shared: SharedNames, names: () => CodeNames): ReturnType<NameSources['modules']> {
  if (kernel.os === 'linux') return linuxModules(kernel as LinuxKernel);
  return kernel.os === 'windows' ? windowsModules(kernel as WindowsKernel, own, shared, names) : NOTHING;
}

function sorted(found: ReturnType<NameSources['modules']>): ReturnType<NameSources['modules']> {
  return {
    // What may be read only when it is asked for stays so.
    get modules() {
      return found.modules;
    },
    ranges: found.ranges.toSorted((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0)),
  };
}
