import type { LinuxKernel } from '../../src/kernel/linux/kernel.js';
import type { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import { Registry } from '../../src/plugin/registry.js';
import { Session } from '../../src/session/session.js';

/** A session whose kernel is one made by hand ({@link FakeImage}): nothing is detected, nothing is kept. */
export function sessionOn(kernel: LinuxKernel | WindowsKernel): Session {
  const session = new Session({ cache: 'memory' }, new Registry([], ''));
  return Object.assign(session, { kernel: () => Promise.resolve(kernel), physical: () => kernel.physical });
}
