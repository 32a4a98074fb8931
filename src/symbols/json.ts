import { isAscii } from 'node:buffer';
import { printable, ProfileError } from './error.js';

/** A JSON value. Integers of 16 digits and more come as decimal strings: see {@link parseExactJson}. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/**
 * Numbers from 16 digits on may be beyond 2^53. A number follows a bracket, comma or colon, and a bracket or comma follows it: digits in a name, such as
 * `"str:00000000900009000090000900000000": 2049696` of Windows kernels, do not look like one.
 */
const LONG_INTEGER = /([:[,]\s*)(-?\d{16,})(?=\s*[,\]}])/g;
/** A string or a number, as tokens. */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;

/**
 * JSON with 64-bit integers kept exact: an integer of 16 digits or more becomes a string of its digits (read it with
 * {@link bigintOf}). As fast as JSON.parse, which does the work.
 *
 * Quoting the integers with one replacement could hit digits inside a string. That cannot pass unseen: it would end the
 * string early and leave digits right behind it, which no JSON allows. Then the replacement is made again, minding strings.
 *
 * @throws SyntaxError where it is not JSON
 */
export function parseExactJson(text: string): Json {
  const quoted = text.replace(LONG_INTEGER, '$1"$2"');
  try {
    return JSON.parse(quoted) as Json;
  } catch (error) {
    if (!(error instanceof SyntaxError) || quoted === text) throw error;
    return JSON.parse(text.replace(STRING_OR_NUMBER, (token) => (/^-?\d{16,}$/.test(token) ? `"${token}"` : token))) as Json;
  }
}

/** Levels of lists and objects that are written out. */
const MOST_NESTING = 64;

/** The text of what {@link parseExactJson} gave: digits of 16 and more are numbers again. */
export function jsonText(value: Json, nesting = 0): string {
  if (typeof value === 'string') return /^-?\d{16,}$/.test(value) ? value : JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  // Nothing that is read of a profile nests so deep.
  if (nesting > MOST_NESTING) return 'null';
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map((one) => jsonText(one, nesting + 1)).join(', ')}]`;
  return `{${Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${jsonText(one, nesting + 1)}`).join(', ')}}`;
}

/** The JSON object in the bytes of a profile file. `path` is named in the error. */
export function parseJsonObject(bytes: Buffer, path: string): JsonObject {
  const text = isAscii(bytes) ? bytes.toString('latin1') : bytes.toString('utf8').replace(/^\uFEFF/, '');
  let value: Json;
  try {
    value = parseExactJson(text);
  } catch (error) {
    // Nesting of a hundred thousand levels ends in a RangeError.
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
    throw new ProfileError(
      `${path} is not valid JSON: ${printable(error.message)}`,
      'The file may be cut off: fetch or make it again, or leave out --profile to recover the profile from the image.',
      { cause: error },
    );
  }
  const object = objectOf(value);
  if (object) return object;
  throw new ProfileError(
    `${path} is JSON, but not a profile: the outermost value must be an object.`,
    'Give a Rekall profile (with $STRUCTS and $CONSTANTS) or a Volatility 3 symbol file (with user_types and symbols).',
  );
}

/** The value if it is a JSON object. */
export function objectOf(value: Json | undefined): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

/** The object's own value of a key (`constructor` and `__proto__` are names like any other). */
export function own(object: JsonObject | undefined, key: string): Json | undefined {
  return object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined;
}

export function stringOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** An integer that a number holds exactly. */
export function integerOf(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}

/** An integer of any size. */
export function bigintOf(value: Json | undefined): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  return typeof value === 'string' && /^-?\d{1,40}$/.test(value) ? BigInt(value) : undefined;
}
