import { closeSync, copyFileSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import type { Row } from '../plugin/columns.js';
import { PluginError } from '../plugin/error.js';
import type { FileOutput, Renderer, Table } from './renderer.js';
import {
  asText,
  fitsSigned,
  fitsUnsigned,
  quoted,
  type StorageColumn,
  storageColumns,
  type StoredValue,
  tableName,
  wholeOf,
} from './typed.js';

const PACKAGE = '@duckdb/node-api';
const VERSION = '1.5.6-r.1';
const GROUP_ROWS = 20_000;
const CHUNK = 1 << 20;

/** What is used of the package, which need not be there when this is built. */
interface DuckDB {
  readonly DuckDBInstance: { create(path: string): Promise<Instance> };
  readonly DuckDBTimestampNanosecondsValue: new (ns: bigint) => unknown;
}
interface Instance {
  connect(): Promise<Connection>;
  closeSync(): void;
}
interface Connection {
  run(sql: string): Promise<unknown>;
  createAppender(table: string): Promise<Appender>;
  closeSync(): void;
}
interface Appender {
  appendNull(): void;
  appendBoolean(value: boolean): void;
  appendBigInt(value: bigint): void;
  appendUBigInt(value: bigint): void;
  appendHugeInt(value: bigint): void;
  appendDouble(value: number): void;
  appendVarchar(value: string): void;
  appendBlob(value: Uint8Array): void;
  appendTimestampNanoseconds(value: unknown): void;
  endRow(): void;
  closeSync(): void;
}

type SqlType = 'BIGINT' | 'UBIGINT' | 'HUGEINT' | 'VARCHAR' | 'DOUBLE' | 'BOOLEAN' | 'TIMESTAMP_NS' | 'BLOB';

/**
 * A DuckDB database with a table named after the command. Whole numbers are BIGINT, HUGEINT or VARCHAR, as large as they come; addresses UBIGINT,
 * times TIMESTAMP_NS in UTC (null beyond the years 1677 to 2262), lists and columns of any type VARCHAR (JSON where they are no text), bytes BLOB;
 * what could not be read is NULL. Text is as it stood in memory, not escaped. A file that is added to keeps its other tables; a table of the same
 * name is replaced. DuckDB itself is optional: `npm install @duckdb/node-api`.
 */
export class DuckDBRenderer implements Renderer {
  readonly shown: readonly string[];
  private readonly columns: readonly StorageColumn[];
  private readonly table: string;
  private readonly temporary: string;
  private types: SqlType[] | undefined;
  private group: StoredValue[][] = [];
  private duckdb: DuckDB | undefined;
  private instance: Instance | undefined;
  private connection: Connection | undefined;

  constructor(
    table: Table,
    private readonly file: FileOutput,
  ) {
    this.columns = storageColumns(table.columns);
    this.shown = Object.keys(table.columns);
    this.table = tableName(table.name);
    this.temporary = `${file.path}.${process.pid}.duckdb`;
  }

  async begin(): Promise<void> {
    this.duckdb = await load();
    try {
      rmSync(this.temporary, { force: true });
      if (this.file.append && statSync(this.file.path).size > 0) copyFileSync(this.file.path, this.temporary);
      this.instance = await this.duckdb.DuckDBInstance.create(this.temporary);
      this.connection = await this.instance.connect();
      await this.connection.run(`drop table if exists ${quoted(this.table)}`);
    } catch (error) {
      this.close();
      throw this.failed(error);
    }
  }

  async rows(batch: readonly Row[]): Promise<void> {
    for (const row of batch) this.group.push(this.columns.map((column) => column.read(row)));
    if (this.group.length >= GROUP_ROWS) await this.flush();
  }

  async end(): Promise<void> {
    if (!this.connection) return;
    try {
      await this.flush();
      this.connection.closeSync();
      this.connection = undefined;
      this.instance?.closeSync();
      this.instance = undefined;
      if (this.file.append) this.file.rewrite();
      await this.copy();
    } finally {
      this.close();
    }
  }

  private async flush(): Promise<void> {
    const { connection, duckdb, group } = this;
    if (!connection || !duckdb) return;
    this.group = [];
    try {
      const types = await this.fitted(connection, group);
      const appender = await connection.createAppender(this.table);
      for (const row of group) {
        for (const [index, type] of types.entries()) append(appender, type, row[index] ?? null, duckdb);
        appender.endRow();
      }
      appender.closeSync();
    } catch (error) {
      throw this.failed(error);
    }
  }

  /** The columns' types, made as wide as these rows need; the table is made with the first of them. */
  private async fitted(connection: Connection, group: readonly StoredValue[][]): Promise<SqlType[]> {
    const needed = this.columns.map((column, index) => typeFor(column, group, index));
    if (!this.types) {
      const columns = this.columns.map(({ name }, index) => `${quoted(name)} ${needed[index] ?? 'VARCHAR'}`);
      await connection.run(
        `create table ${quoted(this.table)} (${columns.length === 0 ? '"nothing" VARCHAR' : columns.join(', ')})`,
      );
      return (this.types = needed);
    }
    for (const [index, type] of this.types.entries()) {
      const wider = widened(type, needed[index] ?? type);
      if (wider === type) continue;
      await connection.run(
        `alter table ${quoted(this.table)} alter column ${quoted(this.columns[index]?.name ?? '')} type ${wider}`,
      );
      this.types[index] = wider;
    }
    return this.types;
  }

  private async copy(): Promise<void> {
    const source = openSync(this.temporary, 'r');
    try {
      const chunk = Buffer.alloc(CHUNK);
      for (let read = readSync(source, chunk); read > 0; read = readSync(source, chunk))
        await this.file.writeBytes(chunk.subarray(0, read));
    } finally {
      closeSync(source);
    }
  }

  private close(): void {
    this.connection?.closeSync();
    this.instance?.closeSync();
    this.connection = undefined;
    this.instance = undefined;
    for (const path of [this.temporary, `${this.temporary}.wal`]) rmSync(path, { force: true });
  }

  private failed(error: unknown): unknown {
    if (!(error instanceof Error) || error instanceof PluginError) return error;
    return new PluginError(
      `${this.file.path} cannot be written as a DuckDB database: ${error.message.replace(/\.?\s*$/, '')}.`,
    );
  }
}

async function load(): Promise<DuckDB> {
  // Not a literal: the package is optional, and neither the compiler nor a bundler is to look for it.
  const name: string = PACKAGE;
  try {
    return (await import(name)) as DuckDB;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) throw error;
    throw new PluginError(
      `The format duckdb needs the package ${PACKAGE}, which is not installed here: npm install --no-save ${PACKAGE}@${VERSION}. ` +
        'Without it, parquet and sqlite are files that DuckDB reads too.',
    );
  }
}

function typeFor({ kind }: StorageColumn, group: readonly StoredValue[][], index: number): SqlType {
  switch (kind) {
    case 'int':
      return group.reduce<SqlType>((type, row) => widened(type, wholeType(row[index] ?? null)), 'BIGINT');
    case 'address':
      return 'UBIGINT';
    case 'float':
      return 'DOUBLE';
    case 'bool':
      return 'BOOLEAN';
    case 'time':
      return 'TIMESTAMP_NS';
    case 'bytes':
      return 'BLOB';
    case 'text':
    case 'any':
      return 'VARCHAR';
  }
}

const HUGE = (1n << 127n) - 1n;

function wholeType(value: StoredValue): SqlType {
  const exact = wholeOf(value);
  if (exact === null || fitsSigned(exact)) return 'BIGINT';
  return exact <= HUGE && exact >= -HUGE ? 'HUGEINT' : 'VARCHAR';
}

const WIDTHS: readonly SqlType[] = ['BIGINT', 'HUGEINT', 'VARCHAR'];

function widened(a: SqlType, b: SqlType): SqlType {
  return WIDTHS.indexOf(b) > WIDTHS.indexOf(a) && WIDTHS.includes(a) ? b : a;
}

function append(appender: Appender, type: SqlType, value: StoredValue, duckdb: DuckDB): void {
  const whole = type === 'BIGINT' || type === 'UBIGINT' || type === 'HUGEINT' ? wholeOf(value) : null;
  if (value === null) appender.appendNull();
  else if (type === 'VARCHAR') appender.appendVarchar(wellFormed(asText(value) ?? ''));
  else if (type === 'DOUBLE' && typeof value === 'number') appender.appendDouble(value);
  else if (type === 'BOOLEAN' && typeof value === 'boolean') appender.appendBoolean(value);
  else if (type === 'BLOB' && value instanceof Uint8Array) appender.appendBlob(value);
  else if (type === 'TIMESTAMP_NS' && typeof value === 'bigint' && fitsSigned(value))
    appender.appendTimestampNanoseconds(new duckdb.DuckDBTimestampNanosecondsValue(value));
  else if (whole === null) appender.appendNull();
  else if (type === 'BIGINT') appender.appendBigInt(whole);
  else if (type === 'HUGEINT') appender.appendHugeInt(whole);
  else if (fitsUnsigned(whole)) appender.appendUBigInt(whole);
  else appender.appendNull();
}

/** Surrogates that are no pair have no UTF-8, which DuckDB insists on. */
function wellFormed(text: string): string {
  return /[\ud800-\udfff]/.test(text) ? Buffer.from(text, 'utf8').toString('utf8') : text;
}
