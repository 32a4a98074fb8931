import { statSync } from 'node:fs';
import { join } from 'node:path';
import { HttpCache } from '../http/cache.js';
import { HttpClient, type HttpOptions } from '../http/client.js';
import { FolderStore } from './folder.js';
import { HttpStore } from './http.js';
import { ProfileRepository } from './repository.js';
import type { ProfileStore } from './store.js';
import { ZipStore } from './zip.js';

export interface RepositoryOptions {
  /** folder in which answers of servers, and profiles built here, are kept; undefined: nothing is kept on disk */
  readonly cache: string | undefined;
  /** ask no server */
  readonly offline?: boolean;
  readonly http?: HttpOptions;
  /** milliseconds for which the cache is believed without asking the server */
  readonly fresh?: number;
}

/** Whether a place of a repository list is an address rather than a path. */
export function isAddress(place: string): boolean {
  return /^https?:\/\//i.test(place);
}

/** Where profiles that were built here are kept: a repository of its own, below the cache. */
export function builtHere(cache: string): string {
  return join(cache, 'local');
}

/** Repositories of a list: folders, zip files and HTTP addresses, in this order, and last the profiles that were built here. */
export function openRepository(places: readonly string[], { cache, offline = false, http = {}, fresh }: RepositoryOptions): ProfileRepository {
  const answers = cache === undefined ? undefined : new HttpCache(join(cache, 'http'));
  const client = new HttpClient(http);
  const stores = places.map((place): ProfileStore => {
    if (isAddress(place)) return new HttpStore(place, { client, cache: answers, offline, ...(fresh === undefined ? {} : { fresh }) });
    return isFile(place) ? new ZipStore(place) : new FolderStore(place);
  });
  const own = cache === undefined ? undefined : builtHere(cache);
  return new ProfileRepository(own === undefined || !statSync(own, { throwIfNoEntry: false }) ? stores : [...stores, new FolderStore(own)]);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? /\.zip$/i.test(path);
}
