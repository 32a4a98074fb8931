import { unpacked } from '../container.js';
import { ProfileError } from '../error.js';
import type { HttpCache } from '../http/cache.js';
import { type HttpClient, HttpError, shown } from '../http/client.js';
import { objectOf, own, parseJsonObject } from '../json.js';
import { isPdb } from '../pdb/msf.js';
import { endingsOf, isSafeName, type ProfileStore } from './store.js';

/** Milliseconds for which what is in the cache is believed without asking: profiles of a GUID do not change. */
const FRESH = 24 * 60 * 60 * 1000;

export interface HttpStoreOptions {
  readonly client: HttpClient;
  /** undefined: nothing is kept on disk */
  readonly cache: HttpCache | undefined;
  /** only what is in the cache */
  readonly offline?: boolean;
  /** milliseconds for which the cache is believed without asking */
  readonly fresh?: number;
}

/**
 * A repository of profiles on a web server, in the layout of Rekall's (`v1.0/nt/GUID/….gz` with `v1.0/inventory.gz`), or a symbol
 * store. Names that the inventory does not list are not asked for; without an inventory all are. What was fetched is kept, and asked
 * for again by ETag or Last-Modified; what was not there is not asked for twice in a session, and a server that cannot be reached is
 * left alone for the rest of it.
 */
export class HttpStore implements ProfileStore {
  readonly name: string;
  private readonly base: string;
  /** the addresses below which profiles may be */
  private readonly bases: string[];
  private listed: Promise<ReadonlySet<string> | undefined> | undefined;
  private readonly missing = new Set<string>();
  private unreachable: HttpError | undefined;

  constructor(
    address: string,
    private readonly options: HttpStoreOptions,
  ) {
    this.base = address.replace(/\/+$/, '');
    this.name = shown(address);
    this.bases = this.base.endsWith('/v1.0') ? [this.base] : [`${this.base}/v1.0`, this.base];
  }

  async fetch(profile: string, signal?: AbortSignal): Promise<{ bytes: Buffer; from: string } | undefined> {
    if (!isSafeName(profile)) return undefined;
    const listed = await this.names(signal);
    if (listed && !listed.has(profile)) return undefined;
    for (const url of this.addresses(profile)) {
      const bytes = await this.take(url, true, signal);
      if (bytes) return { bytes, from: shown(url) };
    }
    if (this.options.offline) throw new ProfileError(`${this.name} was not asked (offline), and the cache has no ${profile}`, 'smod offline=no');
    return undefined;
  }

  /** What the cache has. */
  fetchNow(profile: string): { bytes: Buffer; from: string } | undefined {
    if (!isSafeName(profile)) return undefined;
    for (const url of this.addresses(profile)) {
      const cached = this.options.cache?.get(url);
      if (cached) return { bytes: cached.bytes, from: shown(url) };
    }
    return undefined;
  }

  forget(profile: string): void {
    for (const url of this.addresses(profile)) this.options.cache?.forget(url);
  }

  private addresses(profile: string): string[] {
    const path = profile.split('/').map(encodeURIComponent).join('/');
    return this.bases.flatMap((base) => endingsOf(profile).map((ending) => `${base}/${path}${ending}`));
  }

  /** The inventory, asked for once; anew where Ctrl-C stopped that. */
  private async names(signal: AbortSignal | undefined): Promise<ReadonlySet<string> | undefined> {
    const asked = (this.listed ??= this.inventory(signal));
    try {
      return await asked;
    } catch (error) {
      this.listed = undefined;
      throw error;
    }
  }

  /** Names that the repository says it has, or undefined where it says nothing that can be read. */
  private async inventory(signal: AbortSignal | undefined): Promise<ReadonlySet<string> | undefined> {
    for (const [index, base] of this.bases.entries()) {
      for (const url of [`${base}/inventory.gz`, `${base}/inventory`]) {
        try {
          const packed = await this.take(url, false, signal);
          const names = packed && objectOf(own(parseJsonObject(await unpacked(packed, url), url), '$INVENTORY'));
          if (!names) continue;
          // The profiles stand beside their inventory.
          this.bases.splice(0, this.bases.length, ...this.bases.slice(index, index + 1));
          return new Set(Object.keys(names));
        } catch (error) {
          // An inventory that cannot be read is none; a server that cannot be reached is said when a profile is asked for.
          if (!(error instanceof ProfileError)) throw error;
          this.options.cache?.forget(url);
        }
      }
    }
    return undefined;
  }

  /**
   * The bytes at an address, from the cache or the server; undefined where it has none.
   * @param profile the answer must look like one (a page of a proxy does not)
   */
  private async take(url: string, profile: boolean, signal: AbortSignal | undefined): Promise<Buffer | undefined> {
    const { client, cache, offline = false, fresh = FRESH } = this.options;
    const cached = cache?.get(url);
    if (cached && (offline || Date.now() - cached.checked < fresh)) return cached.bytes;
    if (offline || this.missing.has(url)) return undefined;
    if (this.unreachable) {
      if (cached) return cached.bytes;
      throw this.unreachable;
    }
    try {
      const conditions = { ...(cached?.etag && { 'if-none-match': cached.etag }), ...(cached?.lastModified && { 'if-modified-since': cached.lastModified }) };
      const answer = await client.get(url, { headers: conditions, signal });
      if (answer.status === 304 && cached) {
        cache?.put({ ...cached, checked: Date.now() });
        return cached.bytes;
      }
      if (answer.status !== 200) {
        this.missing.add(url);
        return undefined;
      }
      if (profile && !looksLikeProfile(answer.bytes)) throw new ProfileError(`${shown(url)} answers with something that is no profile (a page of a proxy?)`, 'Open the address in a browser.');
      cache?.put({ url, etag: headerOf(answer.headers['etag']), lastModified: headerOf(answer.headers['last-modified']), checked: Date.now(), bytes: answer.bytes });
      return answer.bytes;
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      if (error.passing) this.unreachable = error;
      if (cached) return cached.bytes;
      throw error;
    }
  }
}

/** By its first bytes: gzip, xz, JSON, a PDB. */
function looksLikeProfile(bytes: Buffer): boolean {
  const gzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const xz = bytes.subarray(0, 6).equals(Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]));
  return gzip || xz || /^\s*\{/.test(bytes.toString('latin1', 0, 64)) || isPdb(bytes);
}

function headerOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
