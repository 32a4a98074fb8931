import { readFileSync } from 'node:fs';
import type { Database, SqlValue, Statement } from 'sql.js';
import { Timestamp } from '../object/time.js';
import type { Row } from '../plugin/columns.js';
import { PluginError } from '../plugin/error.js';
import type { FileOutput, Renderer, Table } from './renderer.js';
import {
  fitsSigned,
  quoted,
  type StorageColumn,
  type StorageKind,
  storageColumns,
  type StoredValue,
  tableName,
} from './typed.js';

/** Declared types; `any` has none, so that nothing is converted. */
const DECLARED: Readonly<Record<StorageKind, string>> = {
  int: 'INTEGER',
  address: 'TEXT',
  float: 'REAL',
  bool: 'BOOLEAN',
  time: 'TEXT',
  text: 'TEXT',
  bytes: 'BLOB',
  any: '',
};

/**
 * An SQLite database with a table named after the command. Whole numbers are exact INTEGERs, or where they need more than 64 bits with sign
 * hex text; addresses are text of 16 hex digits (`0xffff888003d8c000`), whose order is theirs; times ISO 8601 in UTC, booleans 0 and 1, lists
 * JSON, bytes BLOBs; what could not be read is NULL. Text is as it stood in memory, not escaped. A file that is added to keeps its other
 * tables; a table of the same name is replaced. The database is made in memory.
 */
export class SqliteRenderer implements Renderer {
  readonly shown: readonly string[];
  private readonly columns: readonly StorageColumn[];
  private readonly name: string;
  private db: Database | undefined;
  private readonly statements = new Map<string, Statement>();

  constructor(
    table: Table,
    private readonly file: FileOutput,
  ) {
    this.columns = storageColumns(table.columns);
    this.shown = Object.keys(table.columns);
    this.name = tableName(table.name);
  }

  async begin(): Promise<void> {
    const { default: load } = await import('sql.js');
    const sql = await load();
    this.db = new sql.Database(this.file.append ? readFileSync(this.file.path) : undefined);
    const columns = this.columns.map(({ name, kind }) => `${quoted(name)} ${DECLARED[kind]}`.trimEnd());
    try {
      this.db.run(`drop table if exists ${quoted(this.name)}`);
      this.db.run(`create table ${quoted(this.name)} (${columns.length === 0 ? '"nothing"' : columns.join(', ')})`);
    } catch (error) {
      throw this.failed(error);
    }
    this.db.run('begin');
  }

  async rows(batch: readonly Row[]): Promise<void> {
    if (this.columns.length === 0) return;
    for (const row of batch) {
      let casts = '';
      const values = this.columns.map(({ kind, read }): SqlValue => {
        const value = sqlValue(read(row), kind);
        // Whole numbers are bound as text, as sql.js binds what is beyond 32 bits as a float; a column of any type would leave it text.
        const cast = kind === 'any' && typeof value === 'object' && value !== null && 'whole' in value;
        casts += cast ? 'c' : '.';
        return typeof value === 'object' && value !== null && 'whole' in value ? value.whole : value;
      });
      try {
        this.insert(casts).run(values);
      } catch (error) {
        throw this.failed(error);
      }
    }
    return Promise.resolve();
  }

  async end(): Promise<void> {
    const { db } = this;
    if (!db) return;
    this.db = undefined;
    try {
      for (const statement of this.statements.values()) statement.free();
      db.run('commit');
      if (this.file.append) this.file.rewrite();
      await this.file.writeBytes(db.export());
    } finally {
      db.close();
    }
  }

  private insert(casts: string): Statement {
    let statement = this.statements.get(casts);
    if (!statement) {
      const places = Array.from(casts, (letter) => (letter === 'c' ? 'cast(? as integer)' : '?'));
      statement = (this.db as Database).prepare(`insert into ${quoted(this.name)} values (${places.join(', ')})`);
      this.statements.set(casts, statement);
    }
    return statement;
  }

  private failed(error: unknown): unknown {
    if (!(error instanceof Error)) return error;
    return new PluginError(`${this.file.path} cannot be written as an SQLite database: ${error.message}.`);
  }
}

/** A value to bind; `whole`: decimal digits that are to become an INTEGER. */
function sqlValue(value: StoredValue, kind: StorageKind): SqlValue | { readonly whole: string } {
  if (value === null || value instanceof Uint8Array || typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (kind === 'time' && typeof value === 'bigint') return new Timestamp(value).toISOString();
  if (kind === 'address') return `0x${BigInt.asUintN(64, BigInt(value)).toString(16).padStart(16, '0')}`;
  if (typeof value === 'number' && (kind === 'float' || !Number.isInteger(value)))
    return Number.isNaN(value) ? null : value;
  const exact = BigInt(value);
  return fitsSigned(exact)
    ? { whole: exact.toString() }
    : `${exact < 0n ? '-' : ''}0x${(exact < 0n ? -exact : exact).toString(16)}`;
}
