import { Cabinet, isCabinet } from '../cab/cab.js';
import { printable, ProfileError } from '../error.js';
import { type HttpClient, HttpError, shown } from '../http/client.js';
import { isPdb } from './msf.js';

/** Microsoft's public symbol server. */
export const MICROSOFT = 'https://msdl.microsoft.com/download/symbols';
/** What debuggers call themselves; symbol servers turn others away. */
export const AGENT = 'Microsoft-Symbol-Server/10.0.0.0';

export interface PdbRequest {
  /** `ntkrnlmp.pdb` */
  readonly name: string;
  /** GUID and age: 32 hex digits and the age in hex */
  readonly key: string;
  readonly servers: readonly string[];
  readonly signal?: AbortSignal;
  readonly progress?: (done: number, total: number | undefined, url: string) => void;
  /** told what was tried, in sentences */
  readonly tried?: (what: string) => void;
}

/** A PDB as it was fetched. */
export interface FetchedPdb {
  readonly bytes: Buffer;
  /** the address it came from */
  readonly url: string;
  /** bytes that came: fewer than the PDB has where it was packed */
  readonly received: number;
}

/** GUID and age in the form of symbol servers, of what people write: braces and dashes, `GUID-AGE`; undefined where it is neither. */
export function symbolKey(text: string): string | undefined {
  const [, guid = '', age = ''] = /^\{?([0-9A-F]{8}-?[0-9A-F]{4}-?[0-9A-F]{4}-?[0-9A-F]{4}-?[0-9A-F]{12})\}?-?([0-9A-F]{1,8})$/i.exec(text.trim()) ?? [];
  return guid === '' ? undefined : `${guid.replaceAll('-', '')}${age}`.toUpperCase();
}

/**
 * Fetches a PDB by the protocol of symbol servers: `<server>/<pdb>/<GUIDAGE>/<pdb>`, then the same with `_` for its last letter (a
 * cabinet), then `file.ptr`, which names another place. The servers are asked in their order. What comes must be the PDB of this GUID.
 *
 * @throws ProfileError that says for each server what it answered, where none has it
 */
export async function fetchPdb(client: HttpClient, request: PdbRequest): Promise<FetchedPdb> {
  const problems: string[] = [];
  const note = (what: string): void => {
    problems.push(what);
    request.tried?.(what);
  };
  for (const server of request.servers) {
    const folder = `${server.replace(/\/+$/, '')}/${encodeURIComponent(request.name)}/${request.key}`;
    for (const file of [request.name, `${request.name.slice(0, -1)}_`, 'file.ptr']) {
      const url = `${folder}/${encodeURIComponent(file)}`;
      try {
        const found = file === 'file.ptr' ? await pointed(client, url, request, note) : await pdbAt(client, url, request);
        if (found) return found;
        note(`${shown(url)}: not there`);
      } catch (error) {
        if (!(error instanceof ProfileError)) throw error;
        note(error.message.replace(/\.$/, ''));
        // A server that cannot be reached is not asked for the other forms.
        if (error instanceof HttpError && error.passing) break;
      }
    }
  }
  throw new ProfileError(
    `No symbol server has ${printable(request.name)} ${request.key}.\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
    'Check name and GUID (version_scan), or name another server: symbol_server=URL.',
  );
}

async function pdbAt(client: HttpClient, url: string, { name, key, signal, progress }: PdbRequest): Promise<FetchedPdb | undefined> {
  const answer = await client.get(url, { signal, progress: (done, total) => progress?.(done, total, url) });
  if (answer.status !== 200) return undefined;
  const bytes = isCabinet(answer.bytes) ? unpackedPdb(answer.bytes, name, shown(url)) : answer.bytes;
  if (!isPdb(bytes)) throw new ProfileError(`${shown(url)} answers with something that is no PDB.`, 'Open the address in a browser.');
  const { identityOf } = await import('./read.js');
  const { guid } = identityOf(bytes);
  // The age of a PDB may be ahead of the executable's: it is the GUID that must be the same.
  if (guid !== undefined && guid !== key.slice(0, 32)) throw new ProfileError(`${shown(url)} answers with the PDB of another GUID, ${guid}.`, 'Ask another server.');
  return { bytes, url, received: answer.bytes.length };
}

function unpackedPdb(bytes: Buffer, name: string, url: string): Buffer {
  const cabinet = new Cabinet(bytes, url);
  const file = cabinet.files.find((one) => one.name.split(/[\\/]/).at(-1)?.toLowerCase() === name.toLowerCase()) ?? cabinet.files[0];
  if (!file) throw new ProfileError(`${url} is a cabinet without files.`, 'Ask another server.');
  return cabinet.read(file);
}

/** `file.ptr`: `PATH:` and a place, or `MSG:` and a sentence. Only places on the web are followed: a server has no business on our disk. */
async function pointed(client: HttpClient, url: string, request: PdbRequest, note: (what: string) => void): Promise<FetchedPdb | undefined> {
  const answer = await client.get(url, { signal: request.signal });
  if (answer.status !== 200) return undefined;
  const text = answer.bytes.toString('utf8', 0, 4096).trim();
  const [, kind = '', rest = ''] = /^(PATH|MSG):\s*(.*)/i.exec(text) ?? [];
  if (kind.toUpperCase() === 'MSG') throw new ProfileError(`${shown(url)} says: ${printable(rest).slice(0, 200)}`, 'Ask another server.');
  const place = kind === '' ? text : rest;
  if (!/^https?:\/\//i.test(place)) throw new ProfileError(`${shown(url)} leads to ${printable(place).slice(0, 200)}, which is no address on the web: not followed.`, 'Fetch it from there yourself.');
  note(`${shown(url)}: leads to ${shown(place)}`);
  return pdbAt(client, place, request);
}
