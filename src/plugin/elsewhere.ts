import { REKALL, VOLATILITY } from './known-commands.js';
import type { OperatingSystem } from './plugin.js';
import { fits, type PluginEntry, type Registry } from './registry.js';

/** A command that other tools, or the original Rekall, have. */
export interface KnownCommand {
  readonly name: string;
  readonly tool: 'Rekall' | 'Volatility';
  /** empty: any */
  readonly systems: readonly (OperatingSystem | 'disk' | 'live')[];
  /** what it showed or did, as a noun or in the past */
  readonly what: string;
  /** commands that come nearest, the best first; not all of them need be here */
  readonly see: readonly string[];
}

const LETTERS: Readonly<Record<string, OperatingSystem | 'disk' | 'live'>> = { W: 'windows', L: 'linux', D: 'darwin', F: 'disk', A: 'live' };
/** Systems as sentences name them. */
export const TITLES: Readonly<Record<OperatingSystem | 'disk' | 'live', string>> = { linux: 'Linux', windows: 'Windows', darwin: 'macOS', program: 'a program', disk: 'a disk', live: 'a running system' };

function parse(text: string, tool: KnownCommand['tool']): [string, KnownCommand][] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', systems = '', what = '', see = ''] = line.split('|');
      const known = { name, tool, systems: [...systems].flatMap((letter) => LETTERS[letter] ?? []), what, see: see === '' ? [] : see.split(', ') };
      return [name, known];
    });
}

let parsed: ReadonlyMap<string, KnownCommand> | undefined;

/** Every known command, by name. */
export function knownCommands(): ReadonlyMap<string, KnownCommand> {
  return (parsed ??= new Map([...parse(VOLATILITY, 'Volatility'), ...parse(REKALL, 'Rekall')]));
}

/** A name as other tools write it: `windows.pslist.PsList`, `linux_psaux`, `mac.pslist`. */
interface Foreign {
  readonly base: string;
  readonly system?: OperatingSystem;
}

const PREFIXES: Readonly<Record<string, OperatingSystem>> = { windows: 'windows', linux: 'linux', mac: 'darwin' };

function foreign(typed: string): Foreign {
  const lower = typed.toLowerCase().replaceAll('-', '_');
  if (knownCommands().has(lower)) return { base: lower };
  // A plugin whose name means something else here stands there with its system: `windows.info`, also with its class behind it.
  const [qualified = ''] = /^(windows|linux|mac)\.[^.]+/.exec(lower) ?? [];
  if (knownCommands().has(qualified)) return { base: qualified };
  const [, prefix, rest = ''] = /^(windows|linux|mac)[._](.+)$/.exec(lower) ?? [];
  const system = prefix === undefined ? undefined : PREFIXES[prefix];
  const parts = (system === undefined ? lower : rest).split('.');
  // `windows.registry.hivelist.HiveList`, `windows.malware.malfind`, `linux.pagecache.Files`: the last part is a class unless nothing is known of it.
  const base = parts.includes('') ? lower : ([...parts].reverse().find((part) => knownCommands().has(part)) ?? parts.at(-1) ?? '');
  return { base, ...(system === undefined ? {} : { system }) };
}

/** Whether anything is known of a name that no command here has. */
export function isKnownElsewhere(name: string): boolean {
  const { base, system } = foreign(name);
  return knownCommands().has(base) || system !== undefined;
}

/** Why a name is no command for this image, and which command is. */
export interface Explanation {
  /** one or two sentences */
  readonly message: string;
  /** the command to try */
  readonly next?: string;
}

/**
 * Explains a name that no command here has, or none for this system: `netscan needs Windows; this is Linux 6.1.0-…: see netstat.`
 * @param here what the image is: its system and how that is said; undefined where nothing is known of it
 * @returns undefined where the name means nothing anywhere
 */
export function explainCommand(typed: string, registry: Registry, here: { readonly os: OperatingSystem; readonly description: string } | undefined): Explanation | undefined {
  const { base, system } = foreign(typed);
  const known = knownCommands().get(base);
  const own = registry.named(base);
  const usable = (entry: PluginEntry): boolean => here === undefined || fits(entry, here.os);
  const same = own.find(usable);
  if (!known && own.length === 0) return undefined;
  const near = known?.see.map((name) => registry.named(name).find(usable)).find((entry) => entry !== undefined);
  const best = same ?? near;
  const next = best ? { next: best.name } : {};
  const wanted = system === undefined ? systemsOf(known, own) : [system];
  const needs = listed(wanted.map((one) => TITLES[one]));
  if (here && wanted.length > 0 && !wanted.includes(here.os)) {
    const instead = best ? `: see ${best.name}.` : `.${known ? ` Nothing here shows the same (${known.what}).` : ''}`;
    return { message: `${typed} needs ${needs}; this is ${here.description}${instead}`, ...next };
  }
  if (same && same.name === base && system === undefined) return { message: `${typed} is a command here.`, ...next };
  if (same) return { message: `${typed} is called ${same.name} here.`, ...next };
  if (known && best && known.name.includes('.')) return { message: `${typed} is called ${best.name} here.`, ...next };
  const origin = known ? `${known.tool}'s ${base} (${known.what}${here || needs === '' ? '' : `; on ${needs}`})` : base;
  return { message: `${origin} is not part of this release${best ? `; ${best.name} comes nearest.` : ', and nothing here shows the same.'}`, ...next };
}

/** `Windows, Linux or macOS` */
export function listed(words: readonly string[]): string {
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} or ${words.at(-1)}` : (words[0] ?? '');
}

/** Systems that a command needs; none where it works on any. */
function systemsOf(known: KnownCommand | undefined, own: readonly PluginEntry[]): readonly (OperatingSystem | 'disk' | 'live')[] {
  const declared = own.flatMap((entry) => (Array.isArray(entry.needs) ? (entry.needs as readonly OperatingSystem[]) : []));
  const other = known?.systems ?? [];
  // A command of this release says for itself what it reads; what others had beyond that, this release does not.
  if (own.length > 0) return [...new Set(declared)];
  const memory = other.filter((system) => system !== 'disk' && system !== 'live');
  return memory.length > 0 ? memory : other;
}
