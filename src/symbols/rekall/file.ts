import { createWriteStream, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type ProfileParts, rekallProfileText } from './write.js';
import { makeFolders } from '../../memory/folders.js';

/** Writes a profile in Rekall's form to a file, compressed when its name ends in `.gz`. The file appears whole or not at all. */
export function writeProfile(path: string, parts: ProfileParts): Promise<void> {
  return writePieces(path, rekallProfileText(parts));
}

/** Writes pieces of text to a file, compressed when its name ends in `.gz`. The file appears whole or not at all. */
export async function writePieces(path: string, pieces: Iterable<string>): Promise<void> {
  const text = Readable.from(pieces);
  const temporary = `${path}.${process.pid}.tmp`;
  makeFolders(dirname(path));
  try {
    const file = createWriteStream(temporary);
    await (path.endsWith('.gz') ? pipeline(text, createGzip(), file) : pipeline(text, file));
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}
