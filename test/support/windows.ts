import { createWriteStream, existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import xz from 'xz-decompress';
import { Session } from '../../src/session/session.js';
import { sharedData } from './shared.js';

const packed = sharedData('windows', 'replica-win7x64', 'image.raw.xz');
const profiles = sharedData('profiles');
/** Why tests on the replica are skipped, or false. */
export const replicaSkip = packed.skip || profiles.skip;
/** Bytes of the unpacked image. */
const SIZE = 402653184;

/** The forged Windows 7 image, unpacked once per machine. */
export async function replicaPath(): Promise<string> {
  const path = join(tmpdir(), `rekall-replica-${statSync(packed.path).size}.raw`);
  if (existsSync(path) && statSync(path).size === SIZE) return path;
  const partial = `${path}.${process.pid}`;
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(readFileSync(packed.path));
      controller.close();
    },
  });
  await pipeline(Readable.fromWeb(new xz.XzReadableStream(source) as never), createWriteStream(partial));
  renameSync(partial, path);
  return path;
}

/** What a session needs to know of the replica beside its path. */
export const replicaParameters = { repository_path: [profiles.path], cache: 'memory' } as const;

/** A session on the replica. */
export async function replicaSession(parameters: Record<string, unknown> = {}): Promise<Session> {
  return new Session({ filename: await replicaPath(), ...replicaParameters, ...parameters });
}

/** One of the replica's truth files. */
export function replicaTruth<T>(name: string): T {
  return JSON.parse(readFileSync(sharedData('windows', 'replica-win7x64', 'truth', `${name}.json`).path, 'utf8')) as T;
}
