import { readFileSync } from 'node:fs';
import { fileProblem } from '../../src/memory/folders.js';
import { Absent } from '../../src/memory/absent.js';
import { Timestamp } from '../../src/object/time.js';
import { arg } from '../../src/plugin/args.js';
import { col, type Column, type Columns } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';

/** Saved output: its columns, its rows, what was said beside them. */
interface Saved {
  readonly columns: Columns;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly notes: readonly string[];
}

export const jsonRender = definePlugin({
  name: 'json_render',
  needs: 'none',
  topic: 'session',
  summary: 'shows output that was saved as json, ndjson or data again, in any format',
  notes:
    'Reads what --format json, ndjson and data write, also the data of Rekall 1.x: statements whose values say what they are. No image is needed; objects are shown by ' +
    'what was saved of them. Whole numbers stay exact. With format=… the rows are printed in another format.',
  args: { file: arg.path.required('the file', { positional: true }) },
  columns: { value: col.any('its columns are those of the file') },
  dynamic: true,
  examples: [{ line: 'json_render saved.json' }, { line: 'json_render saved.json format=csv', doc: 'as another format' }],
  columnsFor: (_context, args) => Promise.resolve(read(args.file).columns),
  *collect(context, args) {
    const { rows, notes } = read(args.file);
    for (const note of notes) context.note(note);
    yield* rows as readonly Record<string, never>[];
  },
});

/** Reads a file. Throws PluginError where it is none of the formats. */
function read(path: string): Saved {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new PluginError(`${path} cannot be read: ${fileProblem(error)}.`);
  }
  const statements = parse(text, path);
  const isData = statements.length > 0 && statements.every((one) => Array.isArray(one) && typeof one[0] === 'string');
  if (isData) return replay(statements as unknown[][]);
  const rows = statements.map((one, index) => {
    if (!isObject(one)) throw new PluginError(`${path}: row ${index + 1} is no object: this was not written by --format json, ndjson or data.`);
    return Object.fromEntries(Object.entries(one).map(([name, value]) => [name, plain(value)]));
  });
  const names = new Set(rows.flatMap((row) => Object.keys(row)));
  return { columns: Object.fromEntries([...names].map((name) => [name, columnOf(rows, name)])), rows, notes: [] };
}

/** The array in a text, or its lines. */
function parse(text: string, path: string): unknown[] {
  const value = attempt(text);
  if (Array.isArray(value)) return value as unknown[];
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => {
    const row = attempt(line);
    if (row === undefined) throw new PluginError(`${path} is no JSON: ${lines.length > 1 ? `not even line ${lines.indexOf(line) + 1} is` : 'nothing of it is'}.`);
    return row;
  });
}

const EXACT = '\u0001whole:';

/** JSON whose whole numbers are exact; undefined where it is none. */
function attempt(text: string): unknown {
  const exact = text.replace(/"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g, (token) => (token.startsWith('"') ? token : `"${EXACT.replace('\u0001', '\\u0001')}${token}"`));
  try {
    return JSON.parse(exact, (_key, value: unknown) => (typeof value === 'string' && value.startsWith(EXACT) ? BigInt(value.slice(EXACT.length)) : value)) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The statements of `data`: a header, rows, sections whose text stands in a column of its own, logs. */
function replay(statements: readonly unknown[][]): Saved {
  const columns: Record<string, Column> = {};
  const rows: Record<string, unknown>[] = [];
  const notes: string[] = [];
  let section: string | undefined;
  for (const [kind, first, ...rest] of statements) {
    if (kind === 't' && Array.isArray(first)) {
      for (const head of first as { cname?: unknown; name?: unknown; formatstring?: unknown }[]) {
        const name = String(head.cname ?? head.name ?? 'column');
        columns[name] ??= head.formatstring === '[addrpad]' ? col.address('as it was saved') : col.any('as it was saved', { title: String(head.name ?? name) });
      }
    } else if (kind === 's') section = undefined;
    else if (kind === 'f') section = [section, fill(String(first), rest)].filter(Boolean).join(' ').trim();
    else if (kind === 'L') notes.push(String(first));
    else if (kind === 'r' && isObject(first)) {
      const row = Object.fromEntries(Object.entries(first).map(([name, value]) => [name, plain(value)]));
      for (const name of Object.keys(row)) columns[name] ??= col.any('as it was saved');
      rows.push(section === undefined ? row : { divider: section, ...row });
    }
  }
  const divided = rows.some((row) => 'divider' in row);
  const heading = { divider: col.string('the section that the row stands in', { divider: true }) };
  for (const [name, column] of Object.entries(columns)) {
    if (column.type === 'address' && rows.some((row) => typeof row[name] === 'number')) for (const row of rows) if (typeof row[name] === 'number') row[name] = BigInt(row[name]);
  }
  return { columns: divided ? { ...heading, ...columns } : columns, rows, notes };
}

/** `{0} of {1}` with its values. */
function fill(form: string, values: readonly unknown[]): string {
  return form.replace(/\{(\d+)(?::[^}]*)?\}/g, (_, index: string) => String(values[Number(index)] ?? '')).trim();
}

/** A saved value: objects by what they say of themselves. */
function plain(value: unknown): unknown {
  if (!isObject(value)) return Array.isArray(value) ? value.map(plain) : value;
  const classes = String(value['mro'] ?? '').split(':');
  if (classes.includes('UnixTimeStamp') && value['epoch'] !== undefined) return Timestamp.fromSeconds(BigInt(value['epoch'] as number | bigint));
  if (classes.includes('NoneObject')) return new Absent('unreadable', String(value['reason'] ?? 'not saved'));
  if (classes.includes('Pointer') && value['target'] !== undefined) return BigInt(value['target'] as number | bigint);
  const type = value['type_name'] ?? value['type'];
  if (type === undefined || value['offset'] === undefined) return value;
  const cybox = isObject(value['Cybox']) ? value['Cybox'] : {};
  const [name, pid] = value['type_name'] === undefined ? [value['name'], value['pid']] : [cybox['Name'], cybox['PID']];
  const address = `0x${BigInt(value['offset'] as number | bigint).toString(16)}`;
  return name === undefined || name === null ? `[${String(type)} @ ${address}]` : `${address} ${String(name)}${pid === undefined || pid === null ? '' : ` (${String(pid)})`}`;
}

function columnOf(rows: readonly Readonly<Record<string, unknown>>[], name: string): Column {
  const values = rows.map((row) => row[name]).filter((value) => value !== null && value !== undefined);
  const all = (type: string): boolean => values.length > 0 && values.every((value) => typeof value === type);
  if (values.length > 0 && values.every((value) => typeof value === 'number' || typeof value === 'bigint')) return col.int('as it was saved');
  if (all('boolean')) return col.bool('as it was saved');
  return all('string') ? col.string('as it was saved') : col.any('as it was saved');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
