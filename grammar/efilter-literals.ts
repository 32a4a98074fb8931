import type { IToken } from 'chevrotain';
import { endOf } from './efilter-precedence.js';
import { type Literal, type Parameter, QuerySyntaxError } from './efilter-tree.js';

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', "'": "'", '"': '"', '\\': '\\' };

/** What a text in quotes says. What is no escape stays as it is: `"c:\windows\*.exe"`, `"\d+"`. */
export function textOf(image: string): string {
  const inner = image.slice(1, -1);
  return inner.includes('\\') ? inner.replace(/\\([^])/g, (whole, character: string) => ESCAPES[character] ?? whole) : inner;
}

/** A text in double quotes that `textOf` reads back. */
export function quoteText(text: string): string {
  // A backslash is doubled only where it would be read as part of an escape: "\d+" stays as people write it.
  const inner = text.replace(/\\(?=[ntrb'"\\\n\t\r\b]|$)|["\n\t\r\b]/g, (character) => UNESCAPES[character] ?? character);
  return `"${inner}"`;
}

const UNESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\t': '\\t', '\r': '\\r', '\b': '\\b' };

/** A name as it stands: without backticks. */
export function nameOf(token: IToken): string {
  return token.image.charCodeAt(0) === 96 ? token.image.slice(1, -1).replaceAll('``', '`') : token.image;
}

/** Decimal, hexadecimal (`0x1f`), octal (`0755`, `0o755`) or with a fraction or exponent. Throws QuerySyntaxError. */
export function numberOf(token: IToken): Literal {
  const { image } = token;
  const start = token.startOffset;
  const end = start + image.length;
  return { kind: 'literal', value: value(image, { start, end }), start, end };
}

function value(image: string, place: { start: number; end: number }): number | bigint {
  if (image.length < 16 && /^(?:0|[1-9]\d*)$/.test(image)) return Number(image);
  if (/^0[xX][0-9a-fA-F]+$/.test(image) || /^[1-9]\d*$/.test(image)) return whole(image);
  const octal = /^0[oO]?([0-7]+)$/.exec(image);
  if (octal) return whole(`0o${octal[1] ?? ''}`);
  if (/^\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(image) && !/^0\d+$/.test(image)) {
    const number = Number(image);
    if (Number.isFinite(number)) return number;
    throw new QuerySyntaxError(`${shorten(image)} is larger than any number can be.`, place);
  }
  if (/^0[oO]?\d+$/.test(image)) throw new QuerySyntaxError(`${shorten(image)} begins with 0 and so is octal, which has no digits 8 and 9.`, place);
  throw new QuerySyntaxError(`${shorten(image)} is not a number. Numbers are written 42, 0x2a, 052 (octal) or 1.5.`, place);
}

function whole(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

/** Gives `{}` and `?` their numbers, in order. */
export class Placeholders {
  private next = 0;

  parameter(token: IToken): Parameter {
    const name = token.image === '?' ? '' : token.image.slice(1, -1).trim();
    const number = name === '' ? this.next++ : /^\d+$/.test(name) ? Number(name) : name;
    return { kind: 'parameter', name: number, start: token.startOffset, end: endOf(token) };
  }

  reset(): void {
    this.next = 0;
  }
}

/** The beginning of something long, for a message. */
export function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 37)}…` : text;
}
