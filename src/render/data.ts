import { Absent } from '../memory/absent.js';
import { describeStruct } from '../object/describe.js';
import { Pointer } from '../object/pointer.js';
import { Struct } from '../object/struct.js';
import { Timestamp } from '../object/time.js';
import type { Column, Row } from '../plugin/columns.js';
import { version } from '../session/version.js';
import { jsonString } from './escape.js';
import { jsonValue } from './json-value.js';
import { headingLabel, type Renderer, type Sink, type Table } from './renderer.js';
import { lineText } from './value.js';

const STRUCT_MRO = 'Struct:BaseAddressComparisonMixIn:BaseObject:object';
const TIME_MRO = 'UnixTimeStamp:NativeType:NumericProxyMixIn:BaseObject:object';
const NONE_MRO = 'NoneObject:object';
const POINTER_MRO = 'Pointer:NativeType:NumericProxyMixIn:BaseObject:object';

/**
 * Rekall's `data`, as Rekall 1.4 printed it: one JSON array of statements, each an array that begins with its kind: `m` metadata, `s` section, `f` formatted
 * text, `t` table header, `r` row, `L` log, `x` end. Values are self-contained: objects state their `mro` (classes, from the most
 * special), strings their text, an absent one its reason. A divider opens a section.
 */
export class DataRenderer implements Renderer {
  readonly shown: readonly string[];
  private readonly columns: readonly [string, Column][];
  private readonly dividers: readonly [string, Column][];
  private heading: string | undefined;
  private ids = 0;

  constructor(
    private readonly table: Table,
    private readonly sink: Sink,
  ) {
    const all = Object.entries(table.columns);
    this.shown = all.map(([name]) => name);
    this.dividers = all.filter(([, column]) => column.divider === true);
    this.columns = all.filter(([, column]) => column.divider !== true);
  }

  async begin(): Promise<void> {
    const session = object([['state', object(Object.entries(this.table.session ?? {}).map(([key, value]) => [key, jsonValue(value)]))]]);
    const metadata = object([
      ['session', session],
      ['tool_name', '"rekall"'],
      ['plugin_name', jsonString(this.table.name)],
      ['tool_version', jsonString(version())],
    ]);
    await this.sink.write(`[["m",${metadata}]${this.dividers.length === 0 ? this.header() : ''}`);
  }

  async rows(batch: readonly Row[]): Promise<void> {
    let text = '';
    for (const row of batch) {
      if (this.dividers.length > 0) text += this.section(row);
      text += `,\n["r",${object(this.columns.map(([name, column]) => [name, this.value(row[name], column)]))}]`;
    }
    await this.sink.write(text);
  }

  async end(notes: readonly string[]): Promise<void> {
    const logs = notes.map((note) => `,\n["L",${jsonString(note)}]`).join('');
    await this.sink.write(`${logs},\n["x"]]\n`);
  }

  private section(row: Row): string {
    const style = { timezone: 'UTC' };
    const texts = this.dividers.map(([name, column]) => lineText(row[name], column.type, style));
    const heading = texts.join('\n');
    if (heading === this.heading) return '';
    this.heading = heading;
    const form = this.dividers.map(([name, column], index) => `${headingLabel(name, column)}{${index}}`).join(' ');
    return `,\n["s",{"name":null}],\n["f",${[`${form}\n`, ...texts].map(jsonString).join(',')}]${this.header()}`;
  }

  private header(): string {
    const heads = this.columns.map(([name, column]) =>
      object([
        ...(column.struct === undefined ? [] : [['type', jsonString(column.struct)] as const]),
        ...(column.width === undefined ? [] : [['width', String(column.width)] as const]),
        ...(column.type === 'address' || column.type === 'physical' ? [['formatstring', '"[addrpad]"'] as const] : []),
        ['cname', jsonString(name)],
        ['name', jsonString(column.title ?? name)],
      ]),
    );
    return `,\n["t",[${heads.join(',')}],{}]`;
  }

  private value(value: unknown, column: Column): string {
    if (value instanceof Absent) {
      return object([['reason', jsonString(value.reason)], ['mro', jsonString(NONE_MRO)], this.id()]);
    }
    if (value instanceof Timestamp) {
      return object([
        ['epoch', (value.ns / 1_000_000_000n).toString()],
        ['mro', jsonString(TIME_MRO)],
        ['string_value', jsonString(`${value.toISOString().slice(0, 19).replace('T', ' ')}+0000`)],
        this.id(),
      ]);
    }
    if (value instanceof Struct) return this.struct(value, column);
    if (value instanceof Pointer) {
      return object([['target', value.address.toString()], ['name', '"Pointer"'], ['mro', jsonString(POINTER_MRO)], this.id()]);
    }
    return jsonValue(value ?? null);
  }

  private struct(struct: Struct, column: Column): string {
    const { type, offset, name, pid } = describeStruct(struct);
    const cybox = object([
      ['Name', jsonValue(name ?? null)],
      ['PID', jsonValue(pid ?? null)],
      ['type', '"ProcessObj:ProcessObjectType"'],
    ]);
    return object([
      ['name', jsonString(column.struct ?? type)],
      ['type_name', jsonString(type)],
      ['vm', jsonString(struct.$space.name)],
      ['mro', jsonString(`${type}:${STRUCT_MRO}`)],
      ...(name === undefined && pid === undefined ? [] : [['Cybox', cybox] as const]),
      ['offset', offset.toString()],
      this.id(),
    ]);
  }

  private id(): readonly [string, string] {
    return ['id', String(++this.ids)];
  }
}

/** A JSON object of members that are JSON already. */
function object(members: readonly (readonly [string, string])[]): string {
  return `{${members.map(([name, json]) => `${jsonString(name)}:${json}`).join(',')}}`;
}
