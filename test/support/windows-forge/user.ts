import type { Forge, Values } from './forge.js';
import type { MappedFile } from './sections.js';
import { ENVIRONMENT, type ProcessSpec } from './scene.js';
import type { Space } from './space.js';

/** A library of a process, as its loader knows it. */
export interface LoadedModule {
  readonly base: bigint;
  readonly size: number;
  readonly entry: bigint;
  readonly path: string;
  readonly timestamp: number;
}

export function moduleOf(file: MappedFile, path: string): LoadedModule {
  if (!file.image) throw new Error(`${file.path} is no executable`);
  const { base, size, entry, timestamp } = file.image;
  return { base, size, entry: base + BigInt(entry), path, timestamp };
}

/** Writes downwards the memory that a process's start-up code fills: texts, loader entries, parameters. */
class Heap {
  constructor(
    private readonly forge: Forge,
    private readonly space: Space,
    private at: bigint,
  ) {}

  take(bytes: number): bigint {
    const { at } = this;
    this.at += BigInt(Math.ceil(bytes / 16) * 16);
    return at;
  }

  text(text: string): Values {
    if (text === '') return { Length: 0, MaximumLength: 0, Buffer: 0 };
    const bytes = Buffer.from(`${text}\0`, 'utf16le');
    const at = this.take(bytes.length);
    this.space.write(at, bytes);
    return { Length: bytes.length - 2, MaximumLength: bytes.length, Buffer: at };
  }

  put(type: string, values: Values): bigint {
    const at = this.take(this.forge.size(type));
    this.forge.put(type, at, values, this.space);
    return at;
  }
}

export interface UserPart {
  readonly ldr: bigint;
  readonly parameters: bigint;
  readonly entries: readonly bigint[];
}

/** The PEB of a process with what hangs from it: the loader's lists, parameters, environment. @param heap three pages that may be written */
export function writePeb(forge: Forge, space: Space, spec: ProcessSpec, modules: readonly LoadedModule[], heap: bigint): UserPart {
  const memory = new Heap(forge, space, heap + 0x40n);
  const peb = forge.plan.peb;
  const ldr = memory.put('_PEB_LDR_DATA', { Length: forge.size('_PEB_LDR_DATA'), Initialized: 1 });
  const entries = modules.map(({ base, size, entry, path, timestamp }, index) =>
    memory.put('_LDR_DATA_TABLE_ENTRY', {
      DllBase: base,
      EntryPoint: entry,
      SizeOfImage: size,
      FullDllName: memory.text(path),
      BaseDllName: memory.text(path.slice(path.lastIndexOf('\\') + 1)),
      Flags: index === 0 ? 0x4000 : 0x84004,
      LoadCount: 0xffff,
      TimeDateStamp: timestamp,
      'LoadTime?': { QuadPart: BigInt(Date.parse(spec.created) + 11644473600000) * 10000n },
    }),
  );
  const lists = [
    ['InLoadOrderModuleList', 'InLoadOrderLinks', entries],
    ['InMemoryOrderModuleList', 'InMemoryOrderLinks', entries],
    ['InInitializationOrderModuleList', 'InInitializationOrderLinks', entries.slice(1)],
  ] as const;
  for (const [head, member, members] of lists) {
    forge.link(ldr + BigInt(forge.offset('_PEB_LDR_DATA', head)), members.map((entry) => entry + BigInt(forge.offset('_LDR_DATA_TABLE_ENTRY', member))), space);
  }
  const variables = Object.entries(ENVIRONMENT[spec.user]).map(([name, value]) => `${name}=${value}\0`).join('');
  const block = Buffer.from(`=::=::\\\0${variables}\0`, 'utf16le');
  const environment = memory.take(block.length);
  space.write(environment, block);
  const parameters = memory.put('_RTL_USER_PROCESS_PARAMETERS', {
    MaximumLength: 0x1000,
    Length: 0x1000,
    Flags: 1,
    CurrentDirectory: { DosPath: memory.text(spec.user === 'analyst' ? 'C:\\Users\\analyst\\' : 'C:\\Windows\\system32\\'), Handle: 8 },
    ImagePathName: memory.text(spec.path ?? ''),
    CommandLine: memory.text(spec.command ?? ''),
    WindowTitle: memory.text(spec.path ?? ''),
    DesktopInfo: memory.text('Winsta0\\Default'),
    Environment: environment,
    'EnvironmentSize?': block.length,
  });
  forge.put('_PEB', peb, {
    ImageBaseAddress: modules[0]?.base ?? 0,
    Ldr: ldr,
    ProcessParameters: parameters,
    ProcessHeap: heap,
    NumberOfProcessors: 1,
    OSMajorVersion: 6,
    OSMinorVersion: 1,
    OSBuildNumber: 7600,
    OSPlatformId: 2,
    SessionId: spec.session ?? 0,
  }, space);
  return { ldr, parameters, entries };
}
