import { readFileSync } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { fileProblem } from '../memory/folders.js';
import { unpacked, unpackedNow, unpackedStart } from './container.js';
import type { ReadOptions } from './elf/read.js';
import { ProfileError } from './error.js';
import { isIsf, isfProfile } from './isf/read.js';
import { parseJsonObject } from './json.js';
import { isPdb } from './pdb/msf.js';
import { rekallProfile } from './rekall/read.js';
import { Answers, type AnswerStore, RememberedProfile } from './remembered.js';
import { ConstantMap, type ProfileSource } from './source.js';
import { looksLikeSystemMap } from './systemmap.js';
import { isZip } from './volatility2/zip.js';

/** The largest file that is read whole. */
const MAX_FILE = 1024 * 1024 * 1024;

/**
 * Opens a file that types and names can come from, recognised by content: a Rekall profile, a Volatility 3 symbol file, a
 * Volatility 2 zip profile, a PDB, a vmlinux or module with debug information, the text of a dwarfdump program. Each may be packed
 * with gzip or xz.
 *
 * @throws ProfileError with a sentence and the next step where it is none of these, or damaged
 */
export async function openProfileFile(path: string, options: ReadOptions = {}): Promise<ProfileSource> {
  try {
    return await openByContent(path, options);
  } catch (error) {
    // What finds the damage deep inside does not know the file.
    if (!(error instanceof ProfileError) || error.message.includes(path)) throw error;
    throw new ProfileError(`${path}: ${error.message}`, error.next, { cause: error });
  }
}

/**
 * {@link openProfileFile} of a file that was opened before: what was asked of it then is answered without reading it, where it is one that can be
 * read without waiting when something else is asked (JSON, plain or packed with gzip).
 * @param slot where the store has the answers
 * @param opened what the file gave, where it is open
 */
export async function openRemembered(path: string, store: AnswerStore, slot: string, opened?: ProfileSource): Promise<ProfileSource> {
  const { size, mtimeMs } = await stat(path);
  const answers = isJson(unpackedStart(await firstBytes(path))) ? Answers.open(store, slot, `${path}, ${size} bytes of ${mtimeMs}`) : undefined;
  let source = opened;
  // Rules for code are the profile's own: it is read for them.
  if (answers?.ask('no rules', () => (source ??= openProfileNow(path)).dynamic === undefined) === false) return source ?? openProfileNow(path);
  return answers ? new RememberedProfile(answers, () => (source ??= openProfileNow(path))) : (source ?? openProfileFile(path));
}

function openProfileNow(path: string): ProfileSource {
  const bytes = unpackedNow(readFileSync(path), path);
  if (!bytes) throw new ProfileError(`The profile ${path} is not what it was when the image was opened.`, 'Open the image again.');
  return profileIn(bytes, path);
}

function profileIn(bytes: Buffer, path: string): ProfileSource {
  const json = parseJsonObject(bytes, path);
  return isIsf(json) ? isfProfile(json, path) : rekallProfile(json, path);
}

async function openByContent(path: string, options: ReadOptions): Promise<ProfileSource> {
  const first = await firstBytes(path);
  // Readers are many modules: each is loaded for a file of its kind.
  if (isElf(first)) return (await import('./elf/read.js')).readElfFile(path, options);
  const bytes = await unpacked(await readFile(path), path);
  if (isElf(bytes)) return (await import('./elf/read.js')).readElfBytes(bytes, path, options);
  if (isPdb(bytes)) return (await import('./pdb/read.js')).readPdb(bytes, path);
  if (isZip(bytes)) return (await import('./volatility2/read.js')).readZipProfile(bytes, path);
  if (!isJson(bytes) && (await looksLikeText(bytes))) return readText(bytes.toString('latin1'), path);
  return profileIn(bytes, path);
}

function isElf(bytes: Buffer): boolean {
  return bytes.subarray(0, 4).toString('latin1') === '\x7fELF';
}

/** An object of JSON, by its first character. */
function isJson(bytes: Buffer): boolean {
  return /^\s*\{/.test(bytes.toString('latin1', 0, 64));
}

/** Whether it is the text of a tool: what is neither JSON nor anything known is taken for JSON, whose reader says what is wrong. */
async function looksLikeText(bytes: Buffer): Promise<boolean> {
  const start = bytes.subarray(0, 64 * 1024).toString('latin1');
  return looksLikeSystemMap(start) || (await import('./volatility2/dwarfdump.js')).looksLikeDwarfText(start);
}

async function readText(text: string, path: string): Promise<ProfileSource> {
  if (looksLikeSystemMap(text)) {
    throw new ProfileError(
      `${path} is a System.map: it has names, but no types.`,
      'Put it into a zip file with module.dwarf or a module built with debug information, or give the vmlinux.',
    );
  }
  const types = await (await import('./volatility2/dwarfdump.js')).readDwarfText(text, 8);
  return { types, constants: new ConstantMap(new Map()), metadata: { os: 'linux', arch: 'AMD64', source: path } };
}

/** The first bytes of a file that exists, is a file, and is not empty. */
async function firstBytes(path: string): Promise<Buffer> {
  let info;
  try {
    info = await stat(path);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new ProfileError(`The profile ${path} cannot be opened: ${fileProblem(error)}.`, 'Check its path.', { cause: error });
  }
  if (info.isDirectory()) throw new ProfileError(`The profile ${path} is a directory.`, 'Give the path of a profile file in it.');
  if (info.size === 0) throw new ProfileError(`The profile ${path} is empty.`, 'Fetch or make it again.');
  if (info.size > MAX_FILE) throw new ProfileError(`The profile ${path} is larger than 1 GiB.`, 'Give a profile, not a memory image.');
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
