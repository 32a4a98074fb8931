import type { Call, CallArgument, Expression, Place } from '../../grammar/efilter-tree.js';
import { formatQuery } from '../../grammar/efilter-format.js';
import type { Bound } from '../plugin/bind.js';
import type { Plugin } from '../plugin/plugin.js';
import { type Parameter, type ParameterName, parameters } from '../session/parameters.js';
import type { Session } from '../session/session.js';
import type { Destination } from './output.js';

/** What a command stands for, and what is to be said about it. */
export interface AsText {
  readonly text: string;
  readonly notes: readonly string[];
}

const NOWHERE: Place = { start: 0, end: 0 };
/** Parameters that say how a session is shown, and mean nothing to code. */
const SHOWN: ReadonlySet<ParameterName> = new Set<ParameterName>([
  ...(['format', 'output', 'output_style', 'verbosity', 'verbose', 'quiet', 'debug', 'colors', 'pager', 'paging_limit', 'home'] as const),
  ...(['session_name', 'as_query', 'as_code'] as const),
]);

/** The query that a command stands for, with the file or filter behind it; formats belong to whoever runs it. */
export function asQuery(_session: Session, plugin: Plugin, bound: Bound, destination: Destination): AsText {
  const args = [...bound.given].map((name): CallArgument => ({ ...NOWHERE, name, value: literal(bound.args[name]) }));
  const call: Call = { ...NOWHERE, kind: 'call', name: plugin.name, at: NOWHERE, args };
  const query = formatQuery({
    ...NOWHERE,
    ...{ kind: 'select', distinct: false, items: [{ ...NOWHERE, kind: 'star' }], from: [{ ...NOWHERE, value: call }], groupBy: [], orderBy: [] },
  });
  const { redirect, filter } = destination;
  const to = redirect ? ` ${redirect.append ? '>>' : '>'} ${shellWord(redirect.path)}` : '';
  const { format, output } = bound.parameters;
  const said = [...(format === undefined ? [] : [`format=${format}`]), ...(output === undefined ? [] : [`output=${shellWord(output)}`])];
  const notes = said.map((word) => `${word} is the session's: smod ${word} in the console, --${word} on the command line.`);
  return { text: `${query}${to}${filter === undefined ? '' : ` | ${filter}`}\n`, notes };
}

/** The TypeScript that a command stands for: a module that opens the image and runs it. */
export function asCode(session: Session, plugin: Plugin, bound: Bound, { redirect, filter }: Destination): AsText {
  const args = [...bound.given].map((name) => `${property(name)}: ${source(bound.args[name])}`);
  const call = `session.plugins.${plugin.name}(${args.length === 0 ? '' : `{ ${args.join(', ')} }`})`;
  const { format, output, timezone, output_style: style, verbosity } = bound.parameters;
  const file = redirect?.path ?? output;
  const writing = [
    ...(format === undefined ? [] : [`format: ${text(format)}`]),
    ...(file === undefined ? [] : [`file: ${text(session.path(file))}`]),
    ...(redirect?.append === true ? ['append: true'] : []),
    ...(timezone === undefined ? [] : [`timezone: ${text(timezone)}`]),
    ...(style === undefined && verbosity === undefined ? [] : [`full: ${style === 'full' || (verbosity ?? 1) > 1}`]),
  ];
  const lines = [
    `import { openSession${writing.length > 0 ? ', writeTable' : ''} } from 'rekall';`,
    '',
    `const session = await openSession({ ${opened(session).join(', ')} });`,
    ...(session.context ? [`await session.cc(${session.context.pid}); // ${printable(session.context.name)}`] : []),
    writing.length > 0 ? `await writeTable(${call}, { ${writing.join(', ')} });` : `for await (const row of ${call}) console.log(row);`,
    'session.close();',
    '',
  ];
  const notes = filter === undefined ? [] : [`What this prints goes to: | ${filter}`];
  return { text: lines.join('\n'), notes };
}

/** The parameters that make the session what it is, where they are no defaults. */
function opened(session: Session): string[] {
  return (Object.entries(parameters) as [ParameterName, Parameter][]).flatMap(([name, parameter]) => {
    const value = session.parameters[name];
    if (SHOWN.has(name) || value === undefined || JSON.stringify(value) === JSON.stringify(parameter.default)) return [];
    const absolute = parameter.path === true ? (Array.isArray(value) ? value.map((one: string) => session.path(one)) : session.path(value as string)) : value;
    return [`${name}: ${source(absolute)}`];
  });
}

/** An argument's value in the query language. */
function literal(value: unknown): Expression {
  if (Array.isArray(value)) return { ...NOWHERE, kind: 'tuple', items: value.map(literal) };
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return { ...NOWHERE, kind: 'literal', value };
  return { ...NOWHERE, kind: 'literal', value: value instanceof RegExp ? value.source : String(value) };
}

/** A value in TypeScript. */
function source(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(source).join(', ')}]`;
  if (typeof value === 'bigint') return `0x${value.toString(16)}n`;
  if (typeof value === 'string') return text(value);
  return value instanceof RegExp ? printable(String(value)) : String(value);
}

/** A text in quotes, in which nothing ends it and every character is seen. */
function text(value: string): string {
  return `'${printable(JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'"))}'`;
}

/** Characters that are not seen, or that turn text around, as escapes. */
function printable(value: string): string {
  return value.replace(/\p{C}|\p{Zl}|\p{Zp}/gu, (character) => [...Array(character.length).keys()].map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''));
}

function property(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : text(name);
}

function shellWord(word: string): string {
  return /^[\w./~+-]+$/.test(word) ? word : `"${word}"`;
}
