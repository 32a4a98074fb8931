import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { PeFileSpace } from '../../../src/symbols/pe/file.js';
import { type FileLayout, fileLayout, type LayoutOptions } from '../../../src/symbols/pe/layout.js';
import { LoadedPe } from '../../../src/symbols/pe/loaded.js';
import { root } from '../../support/root.js';

/** Executables of test/data/pe, PE32+ and PE32. */
export const NAMES = ['amd64', 'i386'] as const;

export function sampleBytes(name: string): Buffer {
  return readFileSync(join(root, 'test/data/pe', `${name}.dll`));
}

/** What llvm-readobj says of one. */
export function sampleTruth(name: string): string {
  return gunzipSync(readFileSync(join(root, 'test/data/pe', `${name}.truth.txt.gz`))).toString('utf8');
}

export function mapped(bytes: Buffer): LoadedPe {
  const space = new PeFileSpace(bytes, 'sample');
  return LoadedPe.read(space, space.base);
}

/** The file that a layout says, from what is mapped: what commands write, in a buffer. */
export function assembled(pe: LoadedPe, options: Partial<LayoutOptions> = {}): { bytes: Buffer; layout: FileLayout } {
  const layout = fileLayout(pe.header, pe.base, { layout: 'file', fixBase: false, most: 1 << 24, ...options });
  const bytes = Buffer.alloc(layout.size);
  for (const { at, length, rva } of layout.parts) pe.space.readPartial(pe.address(rva), length).bytes.copy(bytes, at);
  for (const patch of layout.patches) patch.bytes.copy(bytes, patch.at);
  return { bytes, layout };
}
