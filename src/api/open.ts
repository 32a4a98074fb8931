import { PluginError } from '../plugin/error.js';
import { Registry } from '../plugin/registry.js';
import { checkedParameters } from '../session/flags.js';
import type { ParameterValues } from '../session/parameters.js';
import { Session } from '../session/session.js';
import { RekallSession } from './session.js';

/** What `openSession` takes: any parameter of a session, named as the command line's flags are. */
export type OpenParameters = Partial<ParameterValues>;

/**
 * Opens a memory image. Nothing but the parameters given counts: no configuration file and no variable of the environment is read.
 * Throws UsageError for parameters that are unknown or wrong, ImageError where the file is no image that can be read, PluginError for a
 * plugin file of `plugin_path` that is wrong. The kernel is looked for when something first needs it.
 *
 *     const session = await openSession({ filename: 'memory.raw' });
 *     for await (const row of session.plugins.pslist()) console.log(row.pid, row.name);
 *     session.close();
 */
export async function openSession(parameters: OpenParameters = {}): Promise<RekallSession> {
  const session = new Session(checkedParameters(parameters), Registry.builtIn());
  if (session.parameters.filename !== undefined) session.physical();
  const [fault] = await session.takeUserPlugins();
  if (fault !== undefined) throw new PluginError(fault);
  return RekallSession.of(session);
}
