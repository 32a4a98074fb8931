import { open, readFile, stat } from 'node:fs/promises';
import { unpacked } from './container.js';
import { readElfFile, type ReadOptions } from './elf/read.js';
import { ProfileError } from './error.js';
import { isIsf, isfProfile } from './isf/read.js';
import { parseJsonObject } from './json.js';
import { rekallProfile } from './rekall/read.js';
import type { ProfileSource } from './source.js';

/** The largest file that is read whole. */
const MAX_FILE = 1024 * 1024 * 1024;

/**
 * Opens a file that types and names can come from, recognised by content: a Rekall profile or a Volatility 3 symbol file
 * (plain, gzip or xz).
 *
 * @throws ProfileError with a sentence and the next step where it is none of these, or damaged
 */
export async function openProfileFile(path: string, options: ReadOptions = {}): Promise<ProfileSource> {
  const first = await firstBytes(path);
  if (first.subarray(0, 4).toString('latin1') === '\x7fELF') return readElfFile(path, options);
  const bytes = await unpacked(await readFile(path), path);
  const json = parseJsonObject(bytes, path);
  return isIsf(json) ? isfProfile(json, path) : rekallProfile(json, path);
}

/** The first bytes of a file that exists, is a file, and is not empty. */
async function firstBytes(path: string): Promise<Buffer> {
  let info;
  try {
    info = await stat(path);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new ProfileError(`The profile ${path} cannot be opened: ${error.message}.`, 'Check the path given to --profile.', { cause: error });
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
