import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { home } from './help-examples.js';
import { type HelpStyle, PLAIN, title, wrap, WIDTH } from './help-text.js';

/** A page of the help that is about no single command: `docs/help/NAME.md`. */
export interface Page {
  readonly name: string;
  /** the sentence behind its name in the first line: `# queries: select over every table` */
  readonly summary: string;
  /** Markdown, without the first line */
  readonly text: string;
}

const KEPT_SPACE = '\ue000';
let read: readonly Page[] | undefined;

/** All pages, sorted by name; none where the package was installed without them. */
export function pages(): readonly Page[] {
  if (read) return read;
  const folder = join(home, 'docs', 'help');
  if (!existsSync(folder)) return (read = []);
  const names = readdirSync(folder).filter((name) => name.endsWith('.md'));
  return (read = names.sort().map((name) => pageOf(name.replace(/\.md$/, ''), readFileSync(join(folder, name), 'utf8'))));
}

function pageOf(name: string, markdown: string): Page {
  const [title = '', ...rest] = markdown.split('\n');
  return { name, summary: title.replace(/^#\s*[^:]*:\s*/, ''), text: rest.join('\n').trim() };
}

/**
 * A page for the terminal: paragraphs wrapped, code and tables as they stand. The Markdown that pages are written in: headings,
 * paragraphs, lists, code set off by four spaces, `code` and **bold** in a line.
 */
export function pageText(page: Page, { width = WIDTH, paint = PLAIN }: HelpStyle = {}): string {
  const lines = [...title(page.name, page.summary, width, paint.bold), ''];
  // What stands between backticks is not broken over lines.
  const kept = page.text.replace(/`[^`\n]+`/g, (inline) => inline.replaceAll(' ', KEPT_SPACE));
  for (const block of kept.split(/\n{2,}/)) {
    if (/^ {4}/.test(block)) {
      lines.push(...block.split('\n').map((line) => `  ${code(line.slice(4), paint.cyan, paint.dim)}`));
    } else if (block.startsWith('#')) lines.push(paint.bold(block.replace(/^#+\s*/, '')));
    else if (/^[-*] /.test(block)) {
      for (const item of block.split(/\n(?=[-*] )/)) {
        const [first = '', ...others] = wrap(item.replace(/^[-*] /, '').replace(/\s*\n\s*/g, ' '), width - 4);
        lines.push(`  - ${first}`, ...others.map((line) => `    ${line}`));
      }
    } else lines.push(...wrap(block.replace(/\s*\n\s*/g, ' '), width));
    lines.push('');
  }
  const text = lines.join('\n').replaceAll(KEPT_SPACE, ' ').trimEnd();
  return `${text.replace(/`([^`\n]+)`/g, (_, inner: string) => paint.cyan(inner)).replace(/\*\*([^*\n]+)\*\*/g, (_, inner: string) => paint.bold(inner))}\n`;
}

/** What is typed, and what is said beside it behind some spaces. */
function code(line: string, typed: (text: string) => string, said: (text: string) => string): string {
  const parts = /^(.*?\S)( {2,})(\S.*)$/.exec(line);
  return parts ? `${typed(parts[1] ?? '')}${parts[2] ?? ''}${said(parts[3] ?? '')}` : typed(line);
}
