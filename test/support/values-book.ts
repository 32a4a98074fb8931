import { join } from 'node:path';
import { linuxObjectMembers } from '../../src/kernel/linux/object-members.js';
import { windowsObjectMembers } from '../../src/kernel/windows/objects/object-members.js';
import type { FunctionRow } from '../../src/query/functions/function.js';
import { library } from '../../src/query/functions/index.js';
import { root } from './root.js';

/** Where it is said what values mean. */
export const VALUES = join(root, 'docs/values.md');

/** The document with the parts in it that the declarations make. */
export function withDeclarations(text: string): string {
  return text
    .replace(
      /(<!-- objects -->\n)[\s\S]*?(<!-- end -->)/,
      (_all, start: string, end: string) => `${start}${objects()}${end}`,
    )
    .replace(
      /(<!-- functions -->\n)[\s\S]*?(<!-- end -->)/,
      (_all, start: string, end: string) => `${start}${functions()}${end}`,
    );
}

function objects(): string {
  const structs = Object.entries({ ...linuxObjectMembers, ...windowsObjectMembers });
  const rows = structs.flatMap(([struct, members]) => [
    ...(struct === '_EPROCESS' ? [`| \`${struct}\` | \`name\`, \`pid\` | name and id of the process |`] : []),
    ...Object.entries(members).map(([name, { doc }]) => `| \`${struct}\` | \`${name}\` | ${doc} |`),
  ]);
  return `| struct | name | what it is |\n|---|---|---|\n${rows.join('\n')}\n`;
}

function functions(): string {
  const topics = new Map<string, FunctionRow[]>();
  for (const row of library.rows()) topics.set(row.topic, [...(topics.get(row.topic) ?? []), row]);
  const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;
  return [...topics]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([topic, rows]) => {
      const lines = rows.map(
        ({ signature, doc, example, aliases }) =>
          `| ${code(signature)} | ${doc.replaceAll('|', '\\|').replaceAll('<', '&lt;')}${aliases.length > 0 ? ` Also ${aliases.join(', ')}.` : ''} | ${code(example)} |`,
      );
      return `### ${topic.slice(0, 1).toUpperCase()}${topic.slice(1)}\n\n| function | what it gives | example |\n|---|---|---|\n${lines.join('\n')}\n`;
    })
    .join('\n');
}
