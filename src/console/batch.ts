import type { Session } from '../session/session.js';
import type { Host } from './host.js';
import { Shell } from './shell.js';

/**
 * Runs commands from a stream, line by line, as they come.
 * @returns the exit status: 1 where one of them failed
 */
export async function runLines(session: Session, input: NodeJS.ReadableStream, host: Host): Promise<0 | 1> {
  const { createInterface } = await import('node:readline');
  const shell = new Shell(session, host);
  let failed = false;
  const lines = createInterface({ input, crlfDelay: Infinity });
  for await (const line of lines) {
    const outcome = await shell.execute(line);
    if (outcome === 'failed') failed = true;
    if (outcome === 'quit') break;
  }
  lines.close();
  return failed ? 1 : 0;
}
