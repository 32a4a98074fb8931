import type { Argument } from '../../grammar/command-tree.js';

/** Arguments of a command and the line they stand in, for places of mistakes. */
export interface Words {
  readonly line: string;
  readonly args: readonly Argument[];
}

/** Words that a shell has split already, as arguments; the line is what one would type. */
export function wordsOf(argv: readonly string[], before = ''): Words {
  let line = before;
  const args = argv.map((text): Argument => {
    if (line !== '') line += ' ';
    const shown = /^[^\s'"]+$/.test(text) ? text : `'${text}'`;
    const start = line.length;
    line += shown;
    return { kind: 'word', value: { text, quoted: false, start, end: line.length }, start, end: line.length };
  });
  return { line, args };
}
