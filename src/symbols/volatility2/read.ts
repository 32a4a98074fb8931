import { readDwarf } from '../dwarf/read.js';
import type { DwarfTypes } from '../dwarf/types.js';
import { MemoryBytes } from '../elf/bytes.js';
import { ElfFile } from '../elf/elf.js';
import { ProfileError } from '../error.js';
import { dataModel } from '../native.js';
import { VtypeSource } from '../rekall/vtypes.js';
import { ConstantMap, type Constants, type ProfileSource } from '../source.js';
import { readSystemMap } from '../systemmap.js';
import type { ProfileMetadata } from '../types.js';
import { readDsymutil } from './dsymutil.js';
import { looksLikeDwarfText, readDwarfText } from './dwarfdump.js';
import { pythonDictionaries } from './python.js';
import { zipMembers, type ZipMember } from './zip.js';

const NEXT = 'A Linux one has System.map and module.dwarf (or a module .ko with debug information), a macOS one a .dsymutil file and a .vtypes or .dwarf file.';
/** The longest text of a member: a V8 string. */
const MAX_TEXT = 500 * 1024 * 1024;

/**
 * Reads a zip profile of Volatility 2 or of Rekall's `make profile`: Linux with System.map and module.dwarf or a module built
 * with debug information (and its config), macOS with the output of `dsymutil -s` and vtypes or the output of dwarfdump.
 *
 * @throws ProfileError with what is missing
 */
export async function readZipProfile(bytes: Buffer, path: string): Promise<ProfileSource> {
  const members = zipMembers(bytes, path);
  const find = (pattern: RegExp): ZipMember | undefined => members.find(({ name }) => pattern.test(name));
  const map = find(/(^|\/)System\.map/i);
  if (map) return linux(path, map, find);
  const symbols = find(/dsymutil$/i) ?? find(/\.symbols?$/i);
  if (symbols) return darwin(path, symbols, find);
  throw new ProfileError(`${path} is a zip file, but no profile: it has neither a System.map nor the output of dsymutil.`, NEXT);
}

async function linux(path: string, map: ZipMember, find: (pattern: RegExp) => ZipMember | undefined): Promise<ProfileSource> {
  const { constants, addressSize } = readSystemMap(textOf(map, path));
  if (constants.size === 0) throw new ProfileError(`${path}: ${map.name} has no symbols.`, 'Make the zip file again as root: /boot/System.map is empty or unreadable for others.');
  const types = await linuxTypes(path, addressSize, find);
  const config = find(/(^|\/)config/i);
  return {
    types,
    constants: typed(constants, types),
    metadata: {
      os: 'linux',
      arch: addressSize === 8 ? (constants.get('vabits_actual') === undefined ? 'AMD64' : 'ARM64') : 'I386',
      source: path,
      ...(config === undefined ? {} : { config: configOf(textOf(config, path)) }),
    },
  };
}

async function linuxTypes(path: string, addressSize: 4 | 8, find: (pattern: RegExp) => ZipMember | undefined): Promise<DwarfTypes> {
  const object = find(/module.*\.ko$/i) ?? find(/\.ko(\.debug)?$/i) ?? find(/(^|\/)vmlinux/i);
  if (object) {
    const elf = new ElfFile(new MemoryBytes(object.read()), `${path}: ${object.name}`);
    const types = await readDwarf(elf);
    if (types) return types;
    throw new ProfileError(`${path}: ${object.name} has no debug information.`, 'Build the module with -g (CONFIG_DEBUG_INFO).');
  }
  const text = find(/\.dwarf$/i);
  if (!text) throw new ProfileError(`${path} has a System.map, but no types.`, NEXT);
  const content = textOf(text, path);
  if (!looksLikeDwarfText(content)) throw new ProfileError(`${path}: ${text.name} is not the output of dwarfdump.`, 'Make it with `dwarfdump -di module.ko > module.dwarf`.');
  return readDwarfText(content, addressSize);
}

async function darwin(path: string, symbols: ZipMember, find: (pattern: RegExp) => ZipMember | undefined): Promise<ProfileSource> {
  const { constants, arch } = readDsymutil(textOf(symbols, path));
  if (constants.size === 0) throw new ProfileError(`${path}: ${symbols.name} has no symbols as \`dsymutil -s\` prints them.`, NEXT);
  const metadata: ProfileMetadata = { os: 'darwin', arch, source: path };
  const vtypes = find(/\.vtypes$/i);
  if (vtypes) {
    const structs = pythonDictionaries(textOf(vtypes, path), `${path}: ${vtypes.name}`).get('mac_types');
    if (!structs) throw new ProfileError(`${path}: ${vtypes.name} does not define mac_types.`, NEXT);
    return { types: new VtypeSource(structs, {}, dataModel('darwin', arch)), constants, metadata };
  }
  const text = find(/\.dwarf(\.conv)?$/i);
  if (!text) throw new ProfileError(`${path} has symbols, but no types.`, NEXT);
  const content = textOf(text, path);
  if (!looksLikeDwarfText(content)) throw new ProfileError(`${path}: ${text.name} is not the output of dwarfdump.`, NEXT);
  const types = await readDwarfText(content, arch === 'I386' ? 4 : 8);
  return { types, constants: typed(constants, types), metadata };
}

/** The symbols with the types that debug information gives them. */
function typed(constants: Constants, types: DwarfTypes): ConstantMap {
  const functions = new Set<string>();
  const addresses = new Map(constants.entries());
  for (const name of addresses.keys()) if (constants.kind(name) === 'function') functions.add(name);
  return new ConstantMap(addresses, functions, (name) => types.variables.get(name)?.type);
}

function textOf(member: ZipMember, path: string): string {
  const bytes = member.read();
  if (bytes.length > MAX_TEXT) throw new ProfileError(`${path}: ${member.name} is larger than 500 MiB.`, 'Make the profile of a module, not of a vmlinux, or give the vmlinux itself.');
  return bytes.toString('latin1');
}

/** `CONFIG_SMP=y` lines of a kernel's configuration. */
function configOf(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/^(CONFIG_\w+)=(?:"(.*)"|(.*?))\s*$/gm)].map(([, name, quoted, plain]) => [name as string, quoted ?? plain ?? '']));
}
