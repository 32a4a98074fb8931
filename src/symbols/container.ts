import { constants, gunzipSync } from 'node:zlib';
import { ProfileError } from './error.js';

/** The largest profile text that is unpacked: JSON of a V8 string's length. Linux symbol files have 35 to 80 MB. */
const MAX_TEXT = 500 * 1024 * 1024;

const GZIP = Buffer.from([0x1f, 0x8b]);
const XZ = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
const AGAIN = 'Fetch or copy the file again, or leave out --profile to recover the profile from the image.';

/**
 * The content of a file that may be packed with gzip or xz, told by its first bytes.
 *
 * @throws ProfileError where it is cut off, damaged, or unreasonably large
 */
export async function unpacked(bytes: Buffer, path: string): Promise<Buffer> {
  if (bytes.subarray(0, GZIP.length).equals(GZIP)) return gunzip(bytes, path);
  if (bytes.subarray(0, XZ.length).equals(XZ)) return unxz(bytes, path);
  return bytes;
}

/** The same without waiting; undefined for what takes longer (xz). */
export function unpackedNow(bytes: Buffer, path: string): Buffer | undefined {
  if (bytes.subarray(0, GZIP.length).equals(GZIP)) return gunzip(bytes, path);
  return bytes.subarray(0, XZ.length).equals(XZ) ? undefined : bytes;
}

/** As much of the content as the first bytes of a file give. */
export function unpackedStart(bytes: Buffer): Buffer {
  return bytes.subarray(0, GZIP.length).equals(GZIP) ? gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }) : bytes;
}

function gunzip(bytes: Buffer, path: string): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_TEXT });
  } catch (error) {
    // zlib reports by plain errors with a code.
    if (!(error instanceof Error) || !('code' in error)) throw error;
    if (error.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(path, error);
    throw new ProfileError(`${path} is a gzip file that cannot be unpacked (cut off or damaged): ${error.message}.`, AGAIN, { cause: error });
  }
}

async function unxz(bytes: Buffer, path: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  // The library brings its program along as text of 100 kB: it is loaded for a file of its kind.
  const { default: xz } = await import('xz-decompress');
  const packed = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  try {
    for await (const piece of new xz.XzReadableStream(packed)) {
      pieces.push(piece);
      length += piece.length;
      if (length > MAX_TEXT) throw tooLarge(path);
    }
  } catch (error) {
    if (error instanceof ProfileError || !(error instanceof Error)) throw error;
    throw new ProfileError(`${path} is an xz file that cannot be unpacked (cut off or damaged): ${error.message}.`, AGAIN, { cause: error });
  }
  return Buffer.concat(pieces, length);
}

function tooLarge(path: string, cause?: Error): ProfileError {
  return new ProfileError(`${path} unpacks to more than ${MAX_TEXT / 1024 / 1024} MiB: no profile is that large.`, AGAIN, { cause });
}
