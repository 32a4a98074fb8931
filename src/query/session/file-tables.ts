/** Files as tables: `json("rows.json")`, `ndjson(…)`, `csv(…)`, `lines(…)`. Columns and their types are those of the first rows. */
import { Timestamp } from '../../object/time.js';
import { arg, type Args } from '../../plugin/args.js';
import { col, type Columns, type Row } from '../../plugin/columns.js';
import { PluginError } from '../../plugin/error.js';
import type { Session } from '../../session/session.js';
import type { CatalogTable, OpenOptions, TableRun } from '../catalog.js';
import { csvOf, jsonOf, linesOf } from './file-rows.js';
import { fixedTable } from './fixed-table.js';

/** Types are guessed from so many rows; what comes later and does not fit stays as the file has it. */
const GUESSED = 1000;
const BATCH = 512;

const path = arg.path.required('the file', { positional: true, completes: 'path' });

export function fileTables(session: Session): CatalogTable[] {
  return [
    fileTable('json', 'rows of a JSON file: an array of objects, objects one after the other, or one object', { path }, (args) => objects(jsonOf(session.path(String(args['path']))))),
    fileTable('ndjson', 'rows of a file with one JSON object on each line', { path }, (args) => objects(jsonOf(session.path(String(args['path']))))),
    fileTable(
      'csv',
      'rows of a CSV file',
      {
        path,
        decode_header: arg.bool('the first line names the columns', { default: true, positional: true }),
        delim: arg.string('what stands between fields; tab, or one character', { default: ',', positional: true }),
        trim: arg.bool('spaces around fields do not count', { default: false, positional: true }),
      },
      (args) => records(session.path(String(args['path'])), args),
    ),
    fixedTable({
      name: 'lines',
      summary: 'lines of a text file',
      args: { path },
      columns: { number: col.int('from 1'), line: col.string('the text') },
      async *rows(args) {
        let number = 0;
        for await (const line of linesOf(session.path(args.path))) yield { number: ++number, line };
      },
    }),
  ];
}

async function* objects(values: AsyncIterable<unknown>): AsyncGenerator<Record<string, unknown>, void, undefined> {
  for await (const value of values) yield typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : { value };
}

async function* records(file: string, args: Readonly<Record<string, unknown>>): AsyncGenerator<Record<string, unknown>, void, undefined> {
  const given = String(args['delim'] ?? ',');
  const delimiter = given === 'tab' || given === '\\t' ? '\t' : given;
  if ([...delimiter].length !== 1) throw new PluginError(`delim is one character, not '${delimiter}'.`);
  let names: string[] | undefined;
  for await (const raw of csvOf(file, delimiter)) {
    const fields = args['trim'] === true ? raw.map((field) => field.trim()) : raw;
    if (!names && args['decode_header'] !== false) {
      names = unique(fields.map((field, index) => (field.trim() === '' ? `column_${index + 1}` : field.trim())));
      continue;
    }
    names ??= fields.map((_field, index) => `column_${index + 1}`);
    const row: Record<string, unknown> = {};
    // An empty field says nothing; what goes beyond the header has names too, so that nothing is lost.
    for (const [index, field] of fields.entries()) row[names[index] ?? `column_${index + 1}`] = field === '' ? null : new Field(field);
    yield row;
  }
}

/** A field of CSV: a text that may be meant as a number or time, which a JSON text is not. */
class Field {
  constructor(readonly text: string) {}
}

function unique(names: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}_${count}`;
  });
}

function fileTable(
  name: string,
  summary: string,
  args: Args,
  rows: (args: Readonly<Record<string, unknown>>) => AsyncIterable<Record<string, unknown>>,
): CatalogTable {
  return { name, summary, args, columns: undefined, open: (given, options) => new FileRun(name, rows(given), options) };
}

class FileRun implements TableRun {
  columns: Columns = {};
  readonly notes: string[] = [];
  readonly faults = 0;

  constructor(
    private readonly name: string,
    private readonly rows: AsyncIterable<Record<string, unknown>>,
    private readonly options: OpenOptions,
  ) {}

  async *batches(): AsyncGenerator<readonly Row[], void, undefined> {
    let batch: Record<string, unknown>[] = [];
    let shape: Map<string, Shape> | undefined;
    let late = 0;
    const ready = (rows: readonly Record<string, unknown>[]): Row[] => {
      const known = (shape ??= this.guess(rows));
      return rows.map((row) => {
        if (Object.keys(row).some((name) => !known.has(name))) late++;
        return Object.fromEntries([...known].map(([name, { read }]) => [name, read(row[name] ?? null)]));
      });
    };
    for await (const row of this.rows) {
      batch.push(row);
      if (batch.length < (shape ? BATCH : GUESSED)) continue;
      yield ready(batch);
      if (this.options.signal?.aborted === true) return;
      batch = [];
    }
    if (batch.length > 0) yield ready(batch);
    if (!shape) this.notes.push(`The ${this.name} file has no rows.`);
    if (late > 0) this.notes.push(`${late} ${late === 1 ? 'row has' : 'rows have'} more names than the first ${GUESSED} rows; these have no columns.`);
  }

  private guess(rows: readonly Record<string, unknown>[]): Map<string, Shape> {
    const names = new Set(rows.flatMap((row) => Object.keys(row)));
    const shapes = new Map([...names].map((name) => [name, shapeOf(rows.map((row) => row[name] ?? null))]));
    this.columns = Object.fromEntries([...shapes].map(([name, { type }]) => [name, { type, doc: `${name} of the file` }]));
    return shapes;
  }
}

/** The type of a column, and how its cells are read. */
interface Shape {
  readonly type: Columns[string]['type'];
  readonly read: (value: unknown) => unknown;
}

const TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.(\d{1,9}))?(?:Z|[+-]\d\d:?\d\d)$/;

/** How texts that mean more are read, in the order in which they are tried. Each gives undefined for what it is not. */
const READERS: readonly (readonly [Shape['type'], (text: string) => unknown])[] = [
  ['int', (text) => (/^[+-]?(?:0|[1-9]\d{0,37})$/.test(text) ? whole(text) : undefined)],
  ['address', (text) => (/^0x[0-9a-f]{1,16}$/i.test(text) ? BigInt(text) : undefined)],
  ['float', (text) => (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text) && !/^0\d/.test(text) ? Number(text) : undefined)],
  ['bool', (text) => (/^(?:true|false)$/i.test(text) ? text.toLowerCase() === 'true' : undefined)],
];

function shapeOf(values: readonly unknown[]): Shape {
  const present = values.filter((value) => value !== null && value !== undefined);
  const fields = present.every((value) => value instanceof Field);
  if (present.length > 0 && (fields || present.every((value) => typeof value === 'string'))) {
    const texts = present.map((value) => (value instanceof Field ? value.text : (value as string)));
    for (const [type, read] of [...(fields ? READERS : []), ['time', time] as const]) {
      if (!texts.every((text) => read(text) !== undefined)) continue;
      return { type, read: (value) => (value instanceof Field ? (read(value.text) ?? value.text) : typeof value === 'string' ? (read(value) ?? value) : value) };
    }
    return { type: 'string', read: plain };
  }
  const kinds = new Set(present.map(kindOf));
  const [only] = kinds;
  if (kinds.size === 1 && only) return { type: only, read: plain };
  if (kinds.size === 2 && kinds.has('int') && kinds.has('float')) return { type: 'float', read: plain };
  return { type: 'any', read: plain };
}

function plain(value: unknown): unknown {
  return value instanceof Field ? value.text : value;
}

function kindOf(value: unknown): Shape['type'] {
  switch (typeof value) {
    case 'bigint':
      return 'int';
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float';
    case 'boolean':
      return 'bool';
    case 'string':
      return 'string';
    default:
      return Array.isArray(value) ? 'list' : 'any';
  }
}

function whole(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text.replace('+', ''));
}

/** ISO 8601 with a zone, to the nanosecond. */
function time(text: string): Timestamp | undefined {
  const parts = TIME.exec(text);
  if (!parts) return undefined;
  const seconds = Date.parse(text.replace(/\.\d+/, '').replace(' ', 'T'));
  if (Number.isNaN(seconds)) return undefined;
  return Timestamp.fromSeconds(BigInt(seconds / 1000), BigInt((parts[1] ?? '').padEnd(9, '0')));
}
