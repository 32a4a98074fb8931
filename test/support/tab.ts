import { complete } from '../../src/console/completion.js';
import { commonPrefix, forReadline } from '../../src/console/completion-list.js';
import type { Shell } from '../../src/console/shell.js';

/**
 * What TAB does at `|` in a line: the line as it is then, with `|` where the cursor is, or the list that a second TAB shows. As Node's
 * readline does it (lib/internal/readline/interface.js): what all candidates have in common is inserted, otherwise they are listed.
 */
export async function pressTab(shell: Shell, typed: string, width = 80): Promise<string | string[]> {
  const cursor = typed.indexOf('|');
  const line = typed.replace('|', '');
  const completion = await complete(shell, line, cursor);
  const before = line.slice(0, cursor);
  const [texts, fragment] = forReadline(before, completion, { width, rest: line.slice(cursor) });
  const shared = commonPrefix(texts);
  const inserts = texts.length > 0 && ((shared.startsWith(fragment) && shared.length > fragment.length) || !fragment.startsWith(shared));
  return inserts ? `${before.slice(0, before.length - fragment.length)}${shared}|${line.slice(cursor)}` : texts;
}
