/** Saved queries: kept in a file of the home folder, each a command with help. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Arg } from '../../plugin/args.js';
import type { Column, Columns } from '../../plugin/columns.js';
import { PluginError } from '../../plugin/error.js';
import { definePlugin, type Plugin } from '../../plugin/plugin.js';
import { describeEntry, type Registry } from '../../plugin/registry.js';
import type { Session } from '../../session/session.js';
import { queryColumns, queryRows } from './query-plugin.js';
import { typedValue } from './values.js';

/** A query as the file has it. */
export interface SavedQuery {
  readonly name: string;
  readonly description: string;
  readonly query: string;
  /** names of its parameters; a number is one by position */
  readonly parameters: readonly (string | number)[];
  /** its columns when it was saved, for help and completion */
  readonly columns: Columns;
}

/** Where an analyst's queries are kept. */
export function savedPath(session: Session): string {
  return session.path('~/.rekall_queries.json');
}

/** The queries of a file, none where there is no file. Throws PluginError where it is not what `save_query` writes. */
export function readSaved(path: string): readonly SavedQuery[] {
  if (!existsSync(path)) return [];
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new PluginError(`${path}, where queries are saved, cannot be read: ${(error as Error).message}. Mend it, or move it away.`);
  }
  if (!Array.isArray(content) || !content.every(isSaved)) throw new PluginError(`${path} does not hold saved queries. Mend it, or move it away.`);
  return content;
}

function isSaved(value: unknown): value is SavedQuery {
  if (typeof value !== 'object' || value === null) return false;
  const { name, description, query, parameters, columns } = value as Partial<Record<keyof SavedQuery, unknown>>;
  return (
    typeof name === 'string' &&
    /^[a-z][a-z0-9_]*$/.test(name) &&
    typeof description === 'string' &&
    typeof query === 'string' &&
    Array.isArray(parameters) &&
    parameters.every((one) => typeof one === 'string' || typeof one === 'number') &&
    typeof columns === 'object' &&
    columns !== null &&
    Object.values(columns).every((column: unknown) => typeof (column as Partial<Column> | null)?.type === 'string')
  );
}

/** Writes all queries, at once: a reader sees the old file or the new one. */
export function writeSaved(path: string, queries: readonly SavedQuery[]): void {
  const sorted = [...queries].sort((a, b) => (a.name < b.name ? -1 : 1));
  const beside = `${path}.${process.pid}.tmp`;
  writeFileSync(beside, `${JSON.stringify(sorted, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(beside, path);
}

/** Makes commands of the queries in a file, in the place of those that it brought before. Throws PluginError. */
export function bringSaved(registry: Registry, path: string): void {
  const plugins = new Map(readSaved(path).map((saved) => [saved.name, savedPlugin(saved)]));
  const entries = [...plugins.values()].map((plugin) => describeEntry(plugin, path, plugin.name));
  registry.bring(path, entries, (entry) => {
    const plugin = plugins.get(entry.name);
    return plugin ? Promise.resolve(plugin) : Promise.reject(new PluginError(`${entry.name} is no longer saved.`, 'queries'));
  });
}

/** The argument that gives a parameter its value. */
export function argumentName(parameter: string | number): string {
  return typeof parameter === 'number' ? `p${parameter}` : parameter;
}

function savedPlugin({ name, description, query, parameters, columns }: SavedQuery): Plugin {
  const args: Record<string, Arg> = {};
  for (const parameter of parameters) {
    args[argumentName(parameter)] = { type: 'string', required: true, positional: true, doc: `{${parameter}} of the query: a number, true, false or text` };
  }
  const asked = (given: object) => {
    const values = parameters.map((parameter) => [String(parameter), typedValue(String((given as Record<string, unknown>)[argumentName(parameter)]))] as const);
    return { text: query, parameters: Object.fromEntries(values) };
  };
  return definePlugin({
    name,
    needs: 'none',
    topic: 'queries',
    summary: description,
    notes: query,
    dynamic: true,
    args,
    columns,
    examples: [{ line: [name, ...parameters.map((parameter) => `${argumentName(parameter)}=…`)].join(' ') }],
    columnsFor: (context, given) => queryColumns(context, given, asked(given)),
    collect: (context, given) => queryRows(context, given, asked(given)),
  });
}
