import { join } from 'node:path';
import type { Session } from '../session/session.js';
import { Console } from './console.js';
import { FileHistory } from './history.js';
import type { TerminalHost } from './terminal-host.js';

/** The console on the terminal that the program was started from. @returns the exit status */
export async function interact(session: Session, host: TerminalHost): Promise<number> {
  const history = new FileHistory(join(session.path(session.parameters.cache_dir), 'history'));
  const console = new Console({ session, host, input: process.stdin, ...(session.parameters.cache === 'file' ? { history } : {}) });
  host.suspend = () => console.suspend();
  host.resume = () => console.resume();
  // While a pager has the terminal, Ctrl-C comes as a signal and not as a key.
  const interrupt = (): void => console.interrupt();
  process.on('SIGINT', interrupt);
  await console.run();
  process.off('SIGINT', interrupt);
  return 0;
}
