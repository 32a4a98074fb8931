/**
 * Run as a program of its own: opens an image, runs one command line in a session in which nothing was asked for yet, and prints as JSON
 * how long the event loop stood still at most. `node blocks.js IMAGE LINE PARAMETERS`; with an empty
 * line the kernel is looked for, no more. Parameters of the session are JSON.
 */
import { setImmediate as immediate } from 'node:timers/promises';
import { Session } from '../../src/session/session.js';

/** Milliseconds: of the stretch, and of the whole. */
export interface Blocks {
  /** the longest stretch without the event loop: of the clock or of the processor, whichever is less, so that a busy machine counts little */
  readonly longest: number;
  readonly total: number;
  /** what the command, or the detection, ended with where it failed */
  readonly failure?: string;
}

/** Looks on while something runs. */
async function watch(work: () => Promise<void>): Promise<Blocks> {
  let longest = 0;
  let watching = true;
  let [clock, cpu] = [performance.now(), processor()];
  const begun = clock;
  const look = (): void => {
    const [now, used] = [performance.now(), processor()];
    longest = Math.max(longest, Math.min(now - clock, used - cpu));
    [clock, cpu] = [now, used];
  };
  // Each turn of the loop is looked at: Ctrl-C is heard between two.
  const looked = (async () => {
    while (watching) {
      await immediate();
      look();
    }
  })();
  let failure: string | undefined;
  try {
    await work();
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  watching = false;
  await looked;
  return { longest, total: performance.now() - begun, ...(failure === undefined ? {} : { failure }) };
}

function processor(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function main(image: string, line: string | undefined, parameters = '{}'): Promise<void> {
  const session = new Session({ filename: image, cache: 'memory', colors: 'no', ...(JSON.parse(parameters) as object) });
  const detect = async (): Promise<void> => void (await session.kernel());
  if (line === undefined || line === '') return print(await watch(detect));
  await detect();
  const { Shell } = await import('../../src/console/shell.js');
  const { Screen } = await import('./console.js');
  const error = new Screen(false);
  const shell = new Shell(session, { output: new Screen(true), error });
  // What is loaded for the first line of all is not the command's.
  await shell.execute('version');
  const blocks = await watch(async () => {
    if ((await shell.execute(line)) !== 'done') throw new Error(error.text);
  });
  print(blocks);
}

function print(blocks: Blocks): void {
  process.stdout.write(JSON.stringify(blocks));
}

const [, , image, line, parameters] = process.argv;
if (image !== undefined) await main(image, line, parameters);
