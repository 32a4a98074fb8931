import type { CrashHeader } from '../crash.js';
import { ImageError, type ImageFile, type ImageHints } from '../image.js';

/** Machines by their IMAGE_FILE_MACHINE_ constant. */
const ARCHITECTURES: Readonly<Record<number, NonNullable<ImageHints['architecture']>>> = { 0x8664: 'amd64', 0x14c: 'i386', 0xaa64: 'arm64' };

/** What the header says, as hints for detection. */
export function hintsOfCrash(header: CrashHeader): ImageHints {
  const architecture = ARCHITECTURES[header.machine];
  return {
    ...(architecture === undefined ? {} : { architecture }),
    ...(header.directoryTable === 0 ? {} : { pageTableRoots: [BigInt(header.directoryTable)] }),
    crash: { header },
  };
}

/** An error that says what is wrong with a dump. */
export function damaged(file: ImageFile, what: string): ImageError {
  return new ImageError(`${file.path} is a damaged image: a Windows crash dump that ${what}. Acquire or copy it again.`);
}
