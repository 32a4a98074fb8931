import { explainCommand, knownCommands } from '../plugin/elsewhere.js';
import { UsageError } from '../plugin/error.js';
import { fits } from '../plugin/registry.js';
import { didYouMean, similar } from '../plugin/similar.js';
import { DetectionError } from '../session/errors.js';
import type { Session } from '../session/session.js';

/**
 * The error for a name that no command has: what it was elsewhere and what does the same here (`netscan needs Windows; this is Linux
 * 6.1: see netstat.`), or what was perhaps meant.
 * @param others names that are commands too, where it was typed
 */
export async function noCommand(session: Session, name: string, place?: UsageError['place'], others: readonly string[] = []): Promise<UsageError> {
  const { registry } = session;
  const explained = explainCommand(name, registry, await image(session));
  if (explained) return new UsageError(explained.message, place);
  // `ps` is short for several.
  const begun = registry.list().filter((entry) => entry.name.startsWith(name) && (session.detected === undefined || fits(entry, session.detected.os)));
  if (name.length > 1 && begun.length > 1) return new UsageError(`${name} is short for several commands: ${begun.map((entry) => entry.name).sort().join(', ')}.`, place);
  const names = registry.list().flatMap((entry) => [entry.name, ...(entry.aliases ?? [])]);
  const guess = didYouMean(name, [...names, ...others]);
  if (guess !== '') return new UsageError(`No command ${name}.${guess}`, place);
  const [known] = similar(name, knownCommands().keys(), 1);
  const meant = known === undefined ? undefined : explainCommand(known, registry, await image(session));
  return new UsageError(`No command ${name}.${meant ? ` Did you mean ${known}? ${meant.message}` : ' `plugins` lists them all, `? words` searches.'}`, place);
}

/** The kernel of the session's image; undefined where there is none, or none is found. */
async function image(session: Session): Promise<ReturnType<Session['kernel']> extends Promise<infer K> ? K | undefined : never> {
  if (session.parameters.filename === undefined) return undefined;
  try {
    return await session.kernel();
  } catch (error) {
    if (error instanceof DetectionError || (error instanceof Error && (error.name === 'ImageError' || error.name === 'ProfileError'))) return undefined;
    throw error;
  }
}
