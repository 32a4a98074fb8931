/**
 * `npm run bench [-- IMAGE [FLAG …]]`: whole-process times of this program, beside Volatility 3 in the same run where it is there.
 *
 * The image is the one named, or the lab's 4 GiB one ($REKALL_LAB/images/big.raw or big.elf, default ~/lab), or the committed
 * sample. Flags are ours, for images that need some: `-- WIN.raw --repository_path REPO`. Volatility 3 runs when $REKALL_VOL3 holds its
 * command (`python3 /path/to/vol.py`) or $REKALL_LAB/vol3-command does. It reports; it does not judge.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LinuxKernel } from '../../src/kernel/linux/kernel.js';
import { checkedParameters } from '../../src/session/flags.js';
import { Session } from '../../src/session/session.js';
import { root } from '../support/root.js';
import { rowsOf } from '../support/sample.js';
import { benchCommands } from './commands.bench.js';
import { lab, median, peerCommand, say } from './measure.js';
import { benchNames } from './names.bench.js';
import { benchPaging } from './paging.bench.js';
import { benchProfiles, benchVersionScan } from './windows.bench.js';

function imagePath(): string {
  const candidates = [process.argv[2], join(lab, 'images/big.raw'), join(lab, 'images/big.elf'), join(root, 'fixtures/linux-6.1-tiny/image.kdump')];
  const found = candidates.find((path) => path !== undefined && existsSync(path));
  if (found === undefined) throw new Error('no image: name one, or make the lab images (fixtures/lab/README.md)');
  return found;
}

const image = imagePath();
const flags = process.argv.slice(3);
/** `--name value` pairs as parameters. */
const stated = checkedParameters(Object.fromEntries(Array.from({ length: flags.length >> 1 }, (_, pair) => [(flags[2 * pair] ?? '').replace(/^--/, ''), flags[2 * pair + 1]])));
const peer = peerCommand();
const home = mkdtempSync(join(tmpdir(), 'rekall-bench-'));
try {
  process.stdout.write(`${image}\n${peer ? `peer: ${peer.join(' ')}\n` : 'no peer: set REKALL_VOL3 to compare\n'}`);
  const session = new Session({ ...stated, filename: image, cache_dir: home });
  const kernel = await session.kernel();
  benchCommands({ os: kernel.os, image, flags, peer, home });
  // Inside an open console: the second of two equal commands has everything in memory.
  for (const command of kernel.os === 'linux' ? ['pslist', 'lsof', 'maps'] : ['pslist', 'vad', 'handles']) {
    const times: number[] = [];
    const plugin = await session.plugin(command);
    for (let run = 0; run < 7; run++) {
      const start = performance.now();
      await rowsOf(session, plugin);
      times.push(performance.now() - start);
    }
    say([`${command} in an open session`, `${median(times.slice(1)).toFixed(1)} ms`]);
  }
  if (kernel.os === 'linux') {
    const { location } = kernel as LinuxKernel;
    for (const { what, figure } of await benchNames(session)) say([what.padEnd(40), figure]);
    for (const { what, perSecond } of benchPaging(image, location.paging, location.dtb)) say([what, `${(perSecond / 1e6).toFixed(1)} M/s`]);
  } else {
    benchVersionScan(image, flags);
    await benchProfiles();
  }
  session.close();
} finally {
  rmSync(home, { recursive: true, force: true });
}
