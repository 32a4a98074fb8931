import type { ImageFile, ImageFormat, PhysicalImage } from '../image.js';
import { readUpTo } from './bytes.js';
import { FlatImage } from './flat.js';

/** IMAGE_DOS_HEADER.e_lfanew */
const NEW_HEADER = 0x3c;
/** Real programs have their PE header in the first page. */
const FARTHEST_HEADER = 0x1000;

/** A Windows program, library or driver as the image: not memory, but what is in it can be read at the addresses that it is linked for. */
export const programFormat: ImageFormat = {
  name: 'Windows program',
  open(file: ImageFile): PhysicalImage | undefined {
    const start = readUpTo(file, 0, FARTHEST_HEADER + 4);
    if (start.length < 64 || start.toString('latin1', 0, 2) !== 'MZ') return undefined;
    const header = start.readUInt32LE(NEW_HEADER);
    if (header > FARTHEST_HEADER || start.toString('latin1', header, header + 4) !== 'PE\0\0') return undefined;
    // Linux' EFI stub makes a kernel look like a Windows program; its setup header says HdrS at 0x202.
    if (start.toString('latin1', 0x202, 0x206) === 'HdrS') return undefined;
    return new FlatImage(file, 'Windows program', [{ physical: 0, length: file.size, offset: 0 }], [], { program: true });
  },
};
