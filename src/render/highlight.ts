import { paintFor } from './paint.js';

export type Language = 'typescript' | 'sql' | 'json';

/** Larger texts stay plain: the highlighter takes more than twice the time for twice the text. */
const LARGEST = 20_000;

/**
 * A text of code with colours, where it is small. The highlighter is loaded when it is first needed (it knows two hundred languages,
 * which takes longer than most commands). What is coloured must be escaped already.
 */
export async function highlighted(text: string, language: Language, colors: boolean): Promise<string> {
  if (!colors || text.length > LARGEST) return text;
  const { highlight } = await import('cli-highlight');
  const { bold, dim, cyan, green, yellow } = paintFor(true);
  // Our own attributes: the library's would ask the process, not the stream that is written to.
  const theme = { keyword: bold, built_in: cyan, type: cyan, literal: yellow, number: yellow, string: green, regexp: green, comment: dim, attr: cyan, title: plain, class: plain, function: plain, params: plain };
  return highlight(text, { language, theme, ignoreIllegals: true });
}

const plain = (text: string): string => text;
