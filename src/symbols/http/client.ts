import { setTimeout as wait } from 'node:timers/promises';
import type { Dispatcher, request as undiciRequest } from 'undici';
import { printable, ProfileError } from '../error.js';

/** How patient a client is. Times in milliseconds, sizes in bytes. */
export interface HttpOptions {
  /** sent as User-Agent */
  readonly agent?: string;
  /** until the first byte of an answer, and between two pieces of its body */
  readonly timeout?: number;
  /** bytes a second that a body has to bring on average, once it has taken as long as `timeout` */
  readonly slowest?: number;
  /** requests that are made of one address before it is given up */
  readonly attempts?: number;
  /** pause before the second request; doubled for each further one */
  readonly backOff?: number;
  /** the largest body that is taken */
  readonly most?: number;
}

/** An answer with its body. 404 and the like have none. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
  /** the address that answered, behind all redirects */
  readonly url: string;
}

export interface GetOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** told how many bytes are here, of how many */
  readonly progress?: ((done: number, total: number | undefined) => void) | undefined;
}

/** No profile and no kernel's PDB is larger. */
export const MOST_BYTES = 100 * 1024 * 1024;
/** A server that gives less would hold up a session for hours, without ever being late. */
const SLOWEST = 1024;
const MOST_REDIRECTS = 5;
/** What a server may ask us to wait for; more is answered by giving up. */
const LONGEST_WAIT = 10_000;

/** An address that could not be asked, or whose answer is not usable. */
export class HttpError extends ProfileError {
  override readonly name = 'HttpError';

  constructor(
    message: string,
    /** another request may succeed */
    readonly passing: boolean,
    options?: ErrorOptions,
  ) {
    super(message, 'Check the address and the network (http_proxy, https_proxy, no_proxy), or copy the file by other means and name its folder.', options);
  }
}

/**
 * HTTP and HTTPS with what downloads need: time-outs, retries with growing pauses (and Retry-After), redirects, the proxies of the
 * environment (`http_proxy`, `https_proxy`, `no_proxy`), limits of size. Bodies come whole or not at all.
 */
export class HttpClient {
  private dispatcher: Promise<{ readonly agent: Dispatcher; readonly request: typeof undiciRequest }> | undefined;

  constructor(private readonly options: HttpOptions = {}) {}

  /**
   * Asks for an address. 2xx and 304 come back, and so do 401 to 410 (403 and 404 are how stores say that they have no such file).
   * @throws HttpError where the address cannot be asked, or answers with an error of its own
   */
  async get(url: string, options: GetOptions = {}): Promise<HttpAnswer> {
    const { attempts = 3, backOff = 300 } = this.options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.follow(url, options);
      } catch (error) {
        options.signal?.throwIfAborted();
        if (!(error instanceof HttpError) || !error.passing || attempt >= attempts) throw error;
        const asked = error.cause instanceof Busy ? error.cause.wait : undefined;
        if (asked !== undefined && asked > LONGEST_WAIT) throw error;
        await wait(asked ?? backOff * 2 ** (attempt - 1), undefined, options.signal ? { signal: options.signal } : {});
      }
    }
  }

  async close(): Promise<void> {
    const opened = await this.dispatcher;
    this.dispatcher = undefined;
    await opened?.agent.destroy();
  }

  private async follow(url: string, options: GetOptions): Promise<HttpAnswer> {
    let at = checked(url);
    for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
      const answer = await this.once(at, options);
      const { location } = answer.headers;
      if (![301, 302, 303, 307, 308].includes(answer.status) || typeof location !== 'string') return judged(answer);
      const next = checked(location, at);
      if (at.protocol === 'https:' && next.protocol !== 'https:') throw new HttpError(`${shown(at)} leads from HTTPS to ${shown(next)}: not followed.`, false);
      at = next;
    }
    throw new HttpError(`${shown(url)} leads through more than ${MOST_REDIRECTS} redirects.`, false);
  }

  private async once(url: URL, { headers, signal, progress }: GetOptions): Promise<HttpAnswer> {
    const { agent = 'rekall', timeout = 20_000, slowest = SLOWEST, most = MOST_BYTES } = this.options;
    const { agent: dispatcher, request } = await (this.dispatcher ??= connect(timeout));
    try {
      const answer = await request(url, {
        dispatcher,
        headers: { 'user-agent': agent, 'accept-encoding': 'identity', ...headers },
        headersTimeout: timeout,
        bodyTimeout: timeout,
        signal: signal ?? null,
      });
      const stated = Number(answer.headers['content-length']);
      const total = Number.isSafeInteger(stated) && stated > 0 ? stated : undefined;
      const result = { status: answer.statusCode, headers: answer.headers, url: url.href };
      // The body of an error is not looked at: what is read of it is only to keep the connection.
      if (answer.statusCode < 200 || answer.statusCode > 299) {
        await answer.body.dump({ limit: 64 * 1024 });
        return { ...result, bytes: Buffer.alloc(0) };
      }
      const pieces: Buffer[] = [];
      let done = 0;
      const tooLarge = (): HttpError => new HttpError(`${shown(url)} has more than ${most / 1024 / 1024} MiB: not taken.`, false);
      if (total !== undefined && total > most) {
        answer.body.on('error', () => undefined).destroy();
        throw tooLarge();
      }
      const begun = performance.now();
      for await (const piece of answer.body as AsyncIterable<Buffer>) {
        done += piece.length;
        const took = performance.now() - begun;
        if (took > timeout && done < (took / 1000) * slowest) throw new HttpError(`${shown(url)} comes too slowly: ${done} bytes in ${(took / 1000).toFixed(0)} seconds.`, false);
        if (done > most) throw tooLarge();
        pieces.push(piece);
        progress?.(done, total);
      }
      if (total !== undefined && done !== total) throw new HttpError(`${shown(url)} was cut off: ${done} of ${total} bytes came.`, true);
      return { ...result, bytes: Buffer.concat(pieces, done) };
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ProfileError || !(error instanceof Error)) throw error;
      throw new HttpError(`${shown(url)} cannot be fetched: ${reason(error)}.`, true, { cause: error });
    }
  }
}

/** undici is loaded when something is asked for over the network. */
async function connect(timeout: number): Promise<{ agent: Dispatcher; request: typeof undiciRequest }> {
  const { EnvHttpProxyAgent, request } = await import('undici');
  return { agent: new EnvHttpProxyAgent({ connect: { timeout }, keepAliveTimeout: 1000 }), request };
}

/** How long a busy server asks us to wait. */
class Busy extends Error {
  constructor(readonly wait: number | undefined) {
    super('busy');
  }
}

/** The answer, where it is one: errors of the server are thrown. */
function judged(answer: HttpAnswer): HttpAnswer {
  const { status } = answer;
  if ((status >= 200 && status < 300) || status === 304 || (status >= 401 && status <= 410 && status !== 407 && status !== 408)) return answer;
  const passing = status === 408 || status === 429 || status >= 500;
  const seconds = Number(answer.headers['retry-after']);
  throw new HttpError(`${shown(answer.url)} answers with status ${status}.`, passing, { cause: new Busy(Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined) });
}

function checked(text: string, from?: URL): URL {
  const url = URL.canParse(text, from?.href) ? new URL(text, from?.href) : undefined;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw new HttpError(`${shown(text)} is no address that can be asked: it begins with http:// or https://.`, false);
  return url;
}

/** An address for messages: without a password, and nothing that a terminal would act on. */
export function shown(url: string | URL): string {
  const text = String(url);
  return printable(text.replace(/^(\w+:\/\/)[^/@]*@/, '$1')).slice(0, 300);
}

function reason(error: Error): string {
  const code = 'code' in error ? String(error.code) : '';
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'the connection was refused',
    ENOTFOUND: 'there is no host of that name',
    EAI_AGAIN: 'the name of the host cannot be looked up',
    UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
    UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
    UND_ERR_BODY_TIMEOUT: 'the answer stopped coming',
    UND_ERR_SOCKET: 'the connection was cut off',
    UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the answer was cut off',
    ECONNRESET: 'the connection was cut off',
  };
  const cause = error.cause instanceof Error && 'code' in error.cause ? known[String(error.cause.code)] : undefined;
  return known[code] ?? cause ?? printable(error.message === '' ? error.name : error.message).replace(/\.$/, '');
}
