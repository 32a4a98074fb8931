import { createWriteStream, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { ProfileError } from '../error.js';
import { type ProfileParts, rekallProfileText } from './write.js';
import { fileProblem, makeFolders } from '../../memory/folders.js';

/** Writes a profile in Rekall's form to a file, compressed when its name ends in `.gz`. The file appears whole or not at all. Throws ProfileError. */
export function writeProfile(path: string, parts: ProfileParts): Promise<void> {
  return writePieces(path, rekallProfileText(parts));
}

/** Writes pieces of text to a file, compressed when its name ends in `.gz`. The file appears whole or not at all. Throws ProfileError. */
export async function writePieces(path: string, pieces: Iterable<string>): Promise<void> {
  const text = Readable.from(pieces);
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    makeFolders(dirname(path));
    const file = createWriteStream(temporary);
    await (path.endsWith('.gz') ? pipeline(text, createGzip(), file) : pipeline(text, file));
    renameSync(temporary, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new ProfileError(`${path} cannot be written: ${fileProblem(error)}.`, 'Name a file in a folder that can be written.', { cause: error });
  } finally {
    rmSync(temporary, { force: true });
  }
}
