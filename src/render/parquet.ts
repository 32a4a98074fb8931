import type { ParquetWriter, SchemaElement } from 'hyparquet-writer';
import { PluginError, UsageError } from '../plugin/error.js';
import type { Row } from '../plugin/columns.js';
import { version } from '../session/version.js';
import type { FileOutput, Renderer, Table } from './renderer.js';
import {
  asText,
  fitsSigned,
  fitsUnsigned,
  integerForm,
  type StorageColumn,
  storageColumns,
  type StoredValue,
  wholeOf,
} from './typed.js';

/** A row group has at most so many rows, and about so many bytes of text: what stands in memory at once. */
const GROUP_ROWS = 50_000;
const GROUP_BYTES = 32 * 1024 * 1024;

/** A column as the file has it: its element of the schema, and how a value is turned into what the writer takes. */
interface Written {
  readonly element: SchemaElement;
  convert(value: StoredValue): unknown;
}

/**
 * An Apache Parquet file, in row groups as rows come, so that memory is bounded. Whole numbers are INT64; without sign (UINT_64) for addresses,
 * and where the first row group needs it; in decimal text where it needs more. Times are TIMESTAMP(NANOS, UTC), null beyond the years 1677 to
 * 2262; lists are JSON, bytes BYTE_ARRAY, a column of any type is text. What could not be read is null. Text is as it stood in memory, not escaped.
 */
export class ParquetRenderer implements Renderer {
  readonly shown: readonly string[];
  private readonly columns: readonly StorageColumn[];
  private group: StoredValue[][];
  private bytes = 0;
  private writer: ParquetWriter | undefined;
  private buffer: { getBytes(): Uint8Array; index: number } | undefined;
  private written: readonly Written[] = [];

  constructor(
    table: Table,
    private readonly file: FileOutput,
  ) {
    if (file.append)
      throw new UsageError(
        `A Parquet file holds one table, so nothing can be added to ${file.path}: name another file.`,
      );
    this.columns = storageColumns(table.columns);
    this.shown = Object.keys(table.columns);
    this.group = this.columns.map(() => []);
  }

  async begin(): Promise<void> {
    return Promise.resolve();
  }

  async rows(batch: readonly Row[]): Promise<void> {
    for (const row of batch) {
      for (const [index, column] of this.columns.entries()) {
        const value = column.read(row);
        (this.group[index] as StoredValue[]).push(value);
        this.bytes += typeof value === 'string' || value instanceof Uint8Array ? value.length : 8;
      }
      if ((this.group[0]?.length ?? 0) >= GROUP_ROWS || this.bytes >= GROUP_BYTES) await this.flush();
    }
  }

  async end(): Promise<void> {
    const writer = await this.flush();
    await writer.finish();
    await this.drain();
  }

  /** Writes the rows at hand as a row group. */
  private async flush(): Promise<ParquetWriter> {
    const { group } = this;
    const writer = this.writer ?? (await this.start());
    this.group = this.columns.map(() => []);
    this.bytes = 0;
    if ((group[0]?.length ?? 0) > 0) {
      const columnData = this.written.map(({ element, convert }, index) => ({
        name: element.name,
        data: (group[index] ?? []).map(convert),
      }));
      await writer.write({ columnData, rowGroupSize: GROUP_ROWS });
      await this.drain();
    }
    return writer;
  }

  /** Chooses the types by the first rows. */
  private async start(): Promise<ParquetWriter> {
    const { ByteWriter, ParquetWriter: Writer } = await import('hyparquet-writer');
    this.written = this.columns.map((column, index) => columnOf(column, this.group[index] ?? []));
    const schema: SchemaElement[] = [
      { name: 'root', num_children: this.written.length },
      ...this.written.map(({ element }) => element),
    ];
    const buffer = new ByteWriter();
    this.buffer = buffer;
    this.writer = new Writer({ writer: buffer, schema, createdBy: `rekall ${version()}` });
    return this.writer;
  }

  /** What the writer has made so far goes to the file. */
  private async drain(): Promise<void> {
    if (!this.buffer) return;
    await this.file.writeBytes(this.buffer.getBytes());
    this.buffer.index = 0;
  }
}

function columnOf({ name, kind }: StorageColumn, values: readonly StoredValue[]): Written {
  const optional = { name, repetition_type: 'OPTIONAL' } as const;
  const text: Written = { element: { ...optional, type: 'BYTE_ARRAY', converted_type: 'UTF8' }, convert: asText };
  switch (kind) {
    case 'int':
    case 'address': {
      const form = kind === 'address' ? 'unsigned' : integerForm(values);
      if (form === 'text') return text;
      const fits = form === 'signed' ? fitsSigned : fitsUnsigned;
      return {
        element: { ...optional, type: 'INT64', ...(form === 'unsigned' ? { converted_type: 'UINT_64' } : {}) },
        convert: (value) => within(value, fits, name),
      };
    }
    case 'float':
      return { element: { ...optional, type: 'DOUBLE' }, convert: (value) => value };
    case 'bool':
      return { element: { ...optional, type: 'BOOLEAN' }, convert: (value) => value };
    case 'time':
      return {
        element: {
          ...optional,
          type: 'INT64',
          logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'NANOS' },
        },
        convert: (value) => (typeof value === 'bigint' && fitsSigned(value) ? value : null),
      };
    case 'bytes':
      return { element: { ...optional, type: 'BYTE_ARRAY' }, convert: (value) => value };
    case 'text':
    case 'any':
      return text;
  }
}

/** A whole number that the column's type holds. Throws PluginError where a later row has one that it does not. */
function within(value: StoredValue, fits: (value: bigint) => boolean, column: string): bigint | null {
  const exact = wholeOf(value);
  if (exact === null || fits(exact)) return exact;
  throw new PluginError(
    `The column ${column} holds ${exact}, which the type that its first rows have does not: use the format sqlite, ndjson or csv, or str(${column}) in a query.`,
  );
}
