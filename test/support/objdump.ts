import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporary } from './folder.js';

/** An instruction as GNU objdump lists it. */
export interface Listed {
  readonly address: bigint;
  readonly length: number;
  readonly text: string;
}

/** Why objdump cannot be asked, for `skip`; false where it can. */
export const skipWithoutObjdump: string | false = /i386/.test(spawnSync('objdump', ['-i'], { encoding: 'utf8' }).stdout ?? '') ? false : 'no objdump for x86 here';

/** What objdump makes of bytes, in Intel's syntax. */
export function objdump(bytes: Buffer, base: bigint, machine: 'i386:x86-64' | 'i386' | 'i8086'): Listed[] {
  const folder = temporary();
  const file = join(folder, 'code');
  writeFileSync(file, bytes);
  const args = ['-D', '-w', '-z', '-b', 'binary', '-m', machine, '-M', 'intel', `--adjust-vma=0x${base.toString(16)}`, file];
  const run = spawnSync('objdump', args, { encoding: 'utf8', maxBuffer: 1 << 30 });
  if (run.status !== 0) throw new Error(`objdump: ${run.stderr}`);
  const listed: Listed[] = [];
  for (const line of run.stdout.split('\n')) {
    const [, address, hex, text] = /^\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*(?:\t(.*))?$/.exec(line) ?? [];
    if (address !== undefined && hex !== undefined) listed.push({ address: BigInt(`0x${address}`), length: hex.trim().split(' ').length, text: text ?? '' });
  }
  return listed;
}
