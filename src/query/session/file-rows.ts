/** Rows of files, as they are read: JSON, JSON lines, CSV, text. No file is held as a whole. */
import { createReadStream } from 'node:fs';
import { PluginError } from '../../plugin/error.js';

/** A record as the file has it: names and values. */
export type Record_ = Readonly<Record<string, unknown>>;

/** A single value of a file may be so long, in characters: an element of a JSON array, a line, a field. */
const LONGEST = 64 << 20;

/** The text of a file in pieces. Throws PluginError where it cannot be read. */
async function* pieces(path: string): AsyncGenerator<string, void, undefined> {
  const stream = createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 18 });
  try {
    let first = true;
    for await (const piece of stream as AsyncIterable<string>) {
      // Windows programs put a byte order mark in front.
      yield first && piece.startsWith('\uFEFF') ? piece.slice(1) : piece;
      first = false;
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new PluginError(`${path} cannot be read: ${code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : message}.`);
  } finally {
    stream.destroy();
  }
}

export async function* linesOf(path: string): AsyncGenerator<string, void, undefined> {
  let held = '';
  for await (const piece of pieces(path)) {
    const lines = (held + piece).split('\n');
    held = lines.pop() ?? '';
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
    if (held.length > LONGEST) throw new PluginError(`${path} has a line of more than ${LONGEST >> 20} MiB.`);
  }
  if (held !== '') yield held;
}

/** A JSON array's elements, the values of JSON lines (with or without commas and line breaks), or one object. */
export async function* jsonOf(path: string): AsyncGenerator<unknown, void, undefined> {
  let held = '';
  let depth = 0;
  let start = -1;
  let text = false;
  let escaped = false;
  let outer: boolean | undefined;
  let count = 0;
  const value = (json: string): unknown => {
    count++;
    try {
      return parseExactly(json);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new PluginError(`${path}: value ${count} is no JSON: ${error.message.replace(/ in JSON at position.*/, '')}.`);
    }
  };
  for await (const piece of pieces(path)) {
    let from = 0;
    for (let index = 0; index < piece.length; index++) {
      const character = piece.charCodeAt(index);
      if (text) {
        if (escaped) escaped = false;
        else if (character === 0x5c) escaped = true;
        else if (character === 0x22) {
          text = false;
          if (depth === 0) {
            yield value(held + piece.slice(from, index + 1));
            held = '';
            start = -1;
          }
        }
        continue;
      }
      if (depth === 0 && start === -1) {
        // Between values: an array around all of them is left open.
        if (character <= 0x20 || character === 0x2c) continue;
        if (outer === undefined && character === 0x5b) {
          outer = true;
          continue;
        }
        outer ??= false;
        if (character === 0x5d && outer) continue;
        start = 0;
        from = index;
        held = '';
      } else if (depth === 0 && (character <= 0x20 || character === 0x2c || character === 0x5d)) {
        // A number, true, false or null ends where something else begins.
        yield value(held + piece.slice(from, index));
        held = '';
        start = -1;
        continue;
      }
      if (character === 0x22) text = true;
      else if (character === 0x7b || character === 0x5b) depth++;
      else if ((character === 0x7d || character === 0x5d) && --depth <= 0) {
        yield value(held + piece.slice(from, index + 1));
        depth = 0;
        held = '';
        start = -1;
      }
    }
    if (start !== -1) {
      held += piece.slice(from);
      if (held.length > LONGEST) throw new PluginError(`${path} has a value of more than ${LONGEST >> 20} MiB.`);
    }
  }
  if (start !== -1) yield value(held);
}

/** Whole numbers that a JavaScript number would not hold exactly are bigint. */
function parseExactly(json: string): unknown {
  if (!/\d{16}/.test(json)) return JSON.parse(json);
  const marked = json.replace(/"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g, (part) => (part.startsWith('"') ? part : `{"$whole":"${part}"}`));
  return JSON.parse(marked, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || !('$whole' in value) || typeof value.$whole !== 'string') return value;
    const number = Number(value.$whole);
    return Number.isSafeInteger(number) ? number : BigInt(value.$whole);
  });
}

/** Fields of CSV as RFC 4180 has it: quotes double, and may hold line breaks. */
export async function* csvOf(path: string, delimiter: string): AsyncGenerator<string[], void, undefined> {
  let fields: string[] = [];
  let field = '';
  let state: 'start' | 'bare' | 'quoted' | 'quote' = 'start';
  let after = 0;
  for await (const piece of pieces(path)) {
    for (let index = 0; index < piece.length; index++) {
      const character = piece[index] ?? '';
      if (state === 'quoted') {
        if (character === '"') state = 'quote';
        else field += character;
        if (field.length > LONGEST) throw new PluginError(`${path} has a field of more than ${LONGEST >> 20} MiB: is a quote never closed?`);
        continue;
      }
      if (state === 'quote' && character === '"') {
        field += '"';
        state = 'quoted';
      } else if (state === 'start' && character === '"') state = 'quoted';
      else if (character === delimiter) {
        fields.push(field);
        field = '';
        state = 'start';
      } else if (character === '\n') {
        if (fields.length > 0 || field !== '' || state !== 'start') yield [...fields, field];
        fields = [];
        field = '';
        state = 'start';
        after++;
      } else if (character !== '\r') {
        field += character;
        state = 'bare';
      }
    }
  }
  if (state === 'quoted') throw new PluginError(`${path}: a quote is never closed, in the record after line ${after}.`);
  if (fields.length > 0 || field !== '') yield [...fields, field];
}
