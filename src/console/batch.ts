import type { Session } from '../session/session.js';
import type { Host } from './host.js';
import { Shell } from './shell.js';
import { Statements } from './statements.js';

/**
 * Runs statements from a stream as they come: commands, queries, JavaScript, on one line or several.
 * @returns the exit status: 1 where one of them failed
 */
export async function runLines(session: Session, input: NodeJS.ReadableStream, host: Host): Promise<0 | 1> {
  const shell = new Shell(session, host);
  const statements = new Statements((text) => shell.completeness(text));
  let failed = false;
  const run = async (text: string | undefined): Promise<boolean> => {
    const outcome = text === undefined ? 'done' : await shell.execute(text);
    if (outcome === 'failed') failed = true;
    return outcome === 'quit';
  };
  try {
    for await (const { line, next } of linesOf(input)) if (await run(await statements.add(line, { next }))) return failed ? 1 : 0;
    await run(statements.take());
    return failed ? 1 : 0;
  } finally {
    shell.close();
  }
}

/** The lines of a stream, each with the one behind it where that has come already. */
async function* linesOf(input: NodeJS.ReadableStream): AsyncGenerator<{ line: string; next: string | undefined }> {
  input.setEncoding('utf8');
  let held = '';
  for await (const chunk of input) {
    held += chunk as string;
    for (let end = /\r?\n/.exec(held); end; end = /\r?\n/.exec(held)) {
      const line = held.slice(0, end.index);
      held = held.slice(end.index + end[0].length);
      yield { line, next: /^([^\r\n]*)\r?\n/.exec(held)?.[1] };
    }
  }
  if (held !== '') yield { line: held, next: undefined };
}
