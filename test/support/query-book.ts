import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Shell } from '../../src/console/shell.js';
import { Registry } from '../../src/plugin/registry.js';
import { SessionGroup } from '../../src/session/group.js';
import { Session } from '../../src/session/session.js';
import { Screen } from './console.js';
import { root } from './root.js';

/** Where the book is. */
export const BOOK = join(root, 'docs/queries.md');

/** A question of the book. */
export interface Question {
  readonly number: number;
  /** the sample that is asked: Windows' from the heading `## Windows` on */
  readonly system: 'linux' | 'windows';
  readonly title: string;
  readonly query: string;
  /** what the book says that it prints; undefined: nothing yet */
  readonly output: string | undefined;
}

const QUESTION = /^### (\d+)\. (.*)\n([\s\S]*?)```sql\n([\s\S]*?)```\n(?:\n```text\n([\s\S]*?)```\n)?/gm;

/** The questions, in order. */
export function questions(text = readFileSync(BOOK, 'utf8')): Question[] {
  const windows = text.indexOf('\n## Windows\n');
  return [...text.matchAll(QUESTION)].map(({ index, 1: number, 2: title = '', 4: query = '', 5: output }) => ({
    number: Number(number),
    system: windows >= 0 && index > windows ? 'windows' : 'linux',
    title,
    query: query.trim(),
    output,
  }));
}

/** The book with these outputs, by the questions' numbers. */
export function withOutputs(text: string, outputs: ReadonlyMap<number, string>): string {
  return text.replace(
    QUESTION,
    (_all, number: string, title: string, prose: string, query: string) =>
      `### ${number}. ${title}\n${prose}\`\`\`sql\n${query}\`\`\`\n\n\`\`\`text\n${outputs.get(Number(number)) ?? ''}\`\`\`\n`,
  );
}

/** The first of two sessions, both of the same image. */
export function bookSession(filename: string | undefined): Session {
  const group = new SessionGroup();
  const registry = Registry.builtIn();
  const open = (): Session =>
    group.add(
      new Session({ ...(filename === undefined ? {} : { filename }), cache: 'memory', colors: 'no' }, registry),
    );
  const first = open();
  open();
  return first;
}

/** What a query prints, without spaces at the ends of lines. */
export async function printed(session: Session, query: string): Promise<string> {
  const [output, error] = [new Screen(false), new Screen(false)];
  const outcome = await new Shell(session, { output, error }).execute(query);
  if (outcome !== 'done') throw new Error(`${query}\n${error.text}`);
  return `${output.text}${error.text}`
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
