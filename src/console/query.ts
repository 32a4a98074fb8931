import type { Query } from '../../grammar/command-tree.js';
import { UsageError } from '../plugin/error.js';
import type { Session } from '../session/session.js';
import type { Host } from './host.js';

/** Runs a query and shows its rows. Throws UsageError with the place of a mistake in the text that was typed. */
export async function runQuery(_session: Session, query: Query, line: string, _signal: AbortSignal | undefined, _host: Host): Promise<void> {
  throw new UsageError('Queries are not part of this release. Commands take filters (pslist proc_regex=bash), and --format json feeds other programs.', {
    line,
    start: query.start,
    end: query.end,
  });
}

/** True where a query's text needs more: an open quote, comment or bracket, or no table yet. */
export async function queryIncomplete(text: string): Promise<boolean> {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === '"' || character === "'") {
      const end = closing(text, at);
      if (end === undefined) return true;
      at = end;
    } else if ('([{'.includes(character)) depth++;
    else if (')]}'.includes(character)) depth--;
  }
  return depth > 0;
}

function closing(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === text[start]) return at;
  }
  return undefined;
}
