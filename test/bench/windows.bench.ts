import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openProfileFile } from '../../src/symbols/open.js';
import { sharedData } from '../support/shared.js';
import { root } from '../support/root.js';
import { measure, median, say } from './measure.js';

/** `version_scan` as a whole process, beside reading the same file (from the system's cache, as it does) and beside grep. */
export function benchVersionScan(image: string, flags: readonly string[]): void {
  const size = statSync(image).size;
  const scan = [process.execPath, join(root, 'bin/rekall'), '-f', image, ...flags, 'version_scan'];
  const start = median([1, 2, 3].map(() => measure([...scan.slice(0, 2), 'null']).seconds));
  const seconds = median([1, 2, 3].map(() => measure(scan).seconds));
  const rate = (time: number): string => `${(size / time / 1e9).toFixed(2)} GB/s`;
  say(['version_scan, whole process', seconds.toFixed(2), rate(seconds)]);
  say(['version_scan, less the start', (seconds - start).toFixed(2), rate(seconds - start)]);
  say(['reading the file', reading(image).toFixed(2), rate(reading(image))]);
  const grep = median([1, 2, 3].map(() => measure(['grep', '-c', 'RSDS', image]).seconds));
  say(['grep -c RSDS', grep.toFixed(2), rate(grep)]);
}

function reading(image: string): number {
  const block = Buffer.allocUnsafe(1 << 20);
  const file = openSync(image, 'r');
  const start = performance.now();
  while (readSync(file, block) > 0);
  closeSync(file);
  return (performance.now() - start) / 1000;
}

/** Profiles and PDBs of the shared test data, where they are: milliseconds of the best of five, as in an open console. */
export async function benchProfiles(): Promise<void> {
  const files = [
    ['Windows 7 kernel profile', sharedData('profiles/v1.0/nt/GUID/F8E2A8B5C9B74BF4A6E4A48F180099942.gz')],
    ['Windows 10 kernel profile', sharedData('profiles-newer/v1.0/nt/GUID/DCA4AD4BEEB4746D48F84C0125019E431.gz')],
    ['Windows 10 kernel symbol file', sharedData('windows/isf/ntkrnlmp.pdb/DCA4AD4BEEB4746D48F84C0125019E43-1.json.xz')],
    ['Windows XP kernel PDB', sharedData('windows/pdb/ntkrnlpa.pdb')],
  ] as const;
  for (const [what, { path, skip }] of files) {
    if (skip !== false) continue;
    const times: number[] = [];
    for (let run = 0; run < 5; run++) {
      const start = performance.now();
      const source = await openProfileFile(path);
      source.types.struct('_EPROCESS');
      times.push(performance.now() - start);
    }
    say([what, `${(times[0] as number).toFixed(0)} ms`, `${Math.min(...times).toFixed(0)} ms best`, `${(statSync(path).size / 1e6).toFixed(1)} MB`]);
  }
}
