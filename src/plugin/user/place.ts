import { fileURLToPath } from 'node:url';

/** Marks the modules of users' plugin files in their addresses; its value changes with every load, so that a file can be loaded anew. */
export const MARK = 'rekall-plugin';
/** Names, in the same place, the folder in which compiled TypeScript is kept. */
export const CACHE = 'rekall-cache';

/** Files whose code was loaded as a user's. */
export const userModules = new Set<string>();

/** Where in a user's plugin an error happened: `/home/me/rekall-plugins/x.ts:12`, from its stack; undefined where it was not in one. */
export function userPlace(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('stack' in error) || typeof error.stack !== 'string') return undefined;
  for (const line of error.stack.split('\n')) {
    const found = frame(line);
    if (found && userModules.has(found.file)) return `${found.file}:${found.line}`;
  }
  return undefined;
}

/** A frame's file and line: of `at f (file:///x.ts?rekall-plugin=1:12:5)`, of `at /x.ts:12:5`, of the first line of a syntax error. */
export function frame(line: string): { readonly file: string; readonly line: number } | undefined {
  const [, place, at] = /(?:^|\(|\bat )((?:file:\/\/|\/|[A-Za-z]:[\\/])[^()]*?):(\d+)(?::\d+)?\)?$/.exec(line.trim()) ?? [];
  if (place === undefined) return undefined;
  const file = place.startsWith('file://') ? fileURLToPath(place.replace(/[?#].*$/, '')) : place.replace(/\?.*$/, '');
  return { file, line: Number(at) };
}
