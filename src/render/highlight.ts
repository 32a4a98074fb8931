import { paintFor } from './paint.js';

export type Language = 'typescript' | 'sql' | 'json';

/** Larger texts stay plain: the highlighter takes more than twice the time for twice the text. */
const LARGEST = 20_000;

type Theme = Readonly<Record<string, (text: string) => string>>;

const plain = (text: string): string => text;

/** Our own attributes: the library's would ask the process, not the stream that is written to. */
function terminalTheme(): Theme {
  const { bold, dim, cyan, green, yellow } = paintFor(true);
  return { keyword: bold, built_in: cyan, type: cyan, literal: yellow, number: yellow, string: green, regexp: green, comment: dim, attr: cyan, title: plain, class: plain, function: plain, params: plain };
}

/** The palette of that name, in the 256 colours of xterm. */
function monokaiTheme(): Theme {
  const color =
    (code: number) =>
    (text: string): string =>
      `\x1b[38;5;${code}m${text}\x1b[39m`;
  const [pink, blue, green, violet, sand, grey] = [197, 81, 148, 141, 186, 242].map(color) as [Attribute, Attribute, Attribute, Attribute, Attribute, Attribute];
  return { keyword: pink, built_in: blue, type: blue, literal: violet, number: violet, string: sand, regexp: sand, comment: grey, attr: green, title: green, class: plain, function: plain, params: plain };
}

type Attribute = (text: string) => string;

/**
 * A text of code with colours, where it is small. The highlighter is loaded when it is first needed (it knows two hundred languages,
 * which takes longer than most commands). What is coloured must be escaped already.
 * @param style the parameter `highlighting_style`
 */
export async function highlighted(text: string, language: Language, colors: boolean, style = 'terminal'): Promise<string> {
  if (!colors || style === 'none' || text.length > LARGEST) return text;
  const { highlight } = await import('cli-highlight');
  return highlight(text, { language, theme: style === 'monokai' ? monokaiTheme() : terminalTheme(), ignoreIllegals: true });
}
