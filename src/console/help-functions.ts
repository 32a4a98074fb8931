import type { QueryFunction } from '../query/functions/function.js';
import type { FunctionLibrary } from '../query/functions/library.js';
import type { FunctionFacts } from './help-search.js';
import { type HelpStyle, PLAIN, table, title, WIDTH, wrap } from './help-text.js';

/** The functions of queries, loaded when help is asked for. */
async function library(): Promise<FunctionLibrary> {
  return (await import('../query/functions/index.js')).library;
}

/** Every function with its sentence, for the search. */
export async function functions(): Promise<FunctionFacts[]> {
  return (await library()).functions.map(({ name, doc }) => ({ name, summary: doc }));
}

export async function functionNames(): Promise<string[]> {
  return (await library()).names();
}

/** Help of a function of queries, of all where `functions` is asked for; undefined where there is none of the name. */
export async function functionHelp(name: string, style: HelpStyle = {}): Promise<string | undefined> {
  const known = await library();
  if (name === 'functions') return listing(known.functions, style);
  const declared = [known.scalar(name), known.aggregate(name)].filter((one): one is QueryFunction => one !== undefined);
  if (declared.length === 0) return undefined;
  const { signature } = await import('../query/functions/library.js');
  return declared.map((one) => ofFunction(one, signature(one), style)).join('\n');
}

function ofFunction(declared: QueryFunction, signature: string, { width = WIDTH, paint = PLAIN }: HelpStyle): string {
  const { name, aliases = [], kind, doc, topic, examples } = declared;
  const facts = [`a function of queries (${topic}${kind === 'aggregate' ? ', of many rows' : ''})`, ...(aliases.length > 0 ? [`also called ${aliases.join(', ')}`] : [])];
  const shown = examples.map(({ query, value }) => [query, `→ ${valueText(value)}`]);
  return [
    ...title(name, doc, width, paint.bold),
    ...wrap(signature, width - 2).map((line) => `  ${line}`),
    paint.dim(`  ${facts.join('; ')}`),
    '',
    paint.bold(examples.length === 1 ? 'example' : 'examples'),
    ...table(shown, width, [], paint.cyan),
    '',
  ].join('\n');
}

function valueText(value: unknown): string {
  return typeof value === 'bigint' ? value.toString() : JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner));
}

/** All functions by topic, names only. */
function listing(all: readonly QueryFunction[], { width = WIDTH, paint = PLAIN }: HelpStyle): string {
  const topics = new Map<string, Set<string>>();
  for (const { name, topic } of all) topics.set(topic, (topics.get(topic) ?? new Set()).add(name));
  const rows = [...topics].map(([topic, names]) => [topic, [...names].sort().join(' ')]);
  return [`${paint.bold('functions')} — what queries can compute; help FUNCTION says more of one`, ...table(rows, width, [], paint.bold), ''].join('\n');
}
