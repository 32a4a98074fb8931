import type { Output } from '../render/sink.js';
import type { Transcript } from '../session/transcript.js';
import type { Filter, Host } from './host.js';

/** A host whose transcript gets what is shown: what is written to its streams, and what its pager is given. */
export function recordingHost(host: Host, transcript: Transcript): Host {
  const output = recorded(host.output, transcript);
  const error = recorded(host.error, transcript);
  const start = host.filter?.bind(host);
  const filter = start && ((command: string): Filter => (command === host.pager ? recordedPager(start(command), transcript) : noted(start(command), command, transcript)));
  return new Proxy(host, {
    get: (target, name): unknown => {
      if (name === 'output') return output;
      if (name === 'error') return error;
      if (name === 'filter') return filter;
      return Reflect.get(target, name);
    },
  });
}

/** The same stream, whose writes are recorded. */
function recorded(stream: Output, transcript: Transcript): Output {
  const write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    transcript.show(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'));
    return (stream.write as (chunk: string | Uint8Array, ...rest: unknown[]) => boolean).call(stream, chunk, ...rest);
  };
  return new Proxy(stream, {
    get: (target, name): unknown => {
      if (name === 'write') return write;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  });
}

function recordedPager(pager: Filter, transcript: Transcript): Filter {
  return {
    width: pager.width,
    write: async (text) => {
      transcript.show(text);
      await pager.write(text);
    },
    end: () => pager.end(),
  };
}

/** What a shell filter prints goes to the terminal without coming by here. */
function noted(filter: Filter, command: string, transcript: Transcript): Filter {
  return {
    width: filter.width,
    write: (text) => filter.write(text),
    end: async () => {
      const status = await filter.end();
      transcript.show(`(shown by: ${command})\n`);
      return status;
    },
  };
}
