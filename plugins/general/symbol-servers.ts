import { arg } from '../../src/plugin/args.js';
import type { PluginContext } from '../../src/plugin/context.js';
import { PluginError } from '../../src/plugin/error.js';
import { ProfileError } from '../../src/symbols/error.js';
import { HttpClient, type HttpOptions } from '../../src/symbols/http/client.js';
import { AGENT, fetchPdb, type FetchedPdb, MICROSOFT } from '../../src/symbols/pdb/server.js';

/** Arguments of commands that fetch PDBs. */
export const symbolServerArgs = {
  symbol_server: arg.strings('symbol servers to ask, in order', { default: [MICROSOFT] }),
} as const;

/** Kernels have one of these: uniprocessor or not, with PAE or not. The likeliest first. */
export const KERNEL_PDBS = ['ntkrnlmp.pdb', 'ntkrnlpa.pdb', 'ntoskrnl.pdb', 'ntkrpamp.pdb'] as const;

/** A name of a PDB that can be part of an address and a file name. */
export function pdbName(text: string): string {
  const name = text.split(/[\\/]/).at(-1) ?? '';
  if (!/^[\x20-\x7e]{1,255}$/.test(name) || /^\.*$/.test(name) || /[<>:"|?*]/.test(name)) throw new PluginError(`'${text}' is no name of a PDB.`, 'fetch_pdb ntkrnlmp.pdb GUIDAGE');
  return name;
}

/** Fetches a PDB with progress; refused offline. Throws ProfileError where no server has it, PluginError offline. */
export async function fetched(context: PluginContext, request: { name: string; key: string; servers: readonly string[] }, options: HttpOptions = {}): Promise<FetchedPdb> {
  if (context.session.parameters.offline) throw new PluginError('The session is offline: no symbol server is asked.', 'smod offline=no');
  for (const server of request.servers) if (!/^https?:\/\//i.test(server)) throw new PluginError(`The symbol server ${server} is no address: it begins with http:// or https://.`, 'fetch_pdb?');
  const client = new HttpClient({ agent: AGENT, ...options });
  try {
    return await fetchPdb(client, {
      ...request,
      signal: context.signal,
      progress: (done, total, url) => context.progress({ done, ...(total === undefined ? {} : { total }), unit: 'bytes' }, new URL(url).host),
    });
  } finally {
    await client.close();
  }
}

/** The PDB of the first of several names that a server has. @throws ProfileError with what each was answered */
export async function firstFetched(context: PluginContext, names: readonly string[], request: { key: string; servers: readonly string[] }): Promise<FetchedPdb & { name: string }> {
  const problems: string[] = [];
  for (const name of names) {
    try {
      return { ...(await fetched(context, { ...request, name })), name };
    } catch (error) {
      if (!(error instanceof ProfileError)) throw error;
      problems.push(error.message);
    }
  }
  throw new ProfileError(problems.join('\n'), 'Check the GUID (version_scan), or name another server: symbol_server=URL.');
}
