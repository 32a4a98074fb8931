import { createHash } from 'node:crypto';
import { types } from '../types.js';
import { ValueError } from '../values/error.js';
import { buffer, text } from './arguments.js';
import { param, scalar } from './define.js';
import type { ScalarFunction } from './function.js';

/** Of "abc", from FIPS 180-4 and RFC 1321. */
const OF_ABC: Readonly<Record<string, string>> = {
  md5: '900150983cd24fb0d6963f7d28e17f72',
  sha1: 'a9993e364706816aba3e25717850c26c9cd0d89d',
  sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
};

/** Shannon's entropy of bytes, in bits a byte: 0 (all alike) to 8 (all equally frequent). */
function entropy(bytes: Buffer): number {
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] as number) + 1;
  let bits = 0;
  for (const one of counts) if (one > 0) bits -= (one / bytes.length) * Math.log2(one / bytes.length);
  return bits + 0;
}

function unhex(given: string): Buffer {
  const digits = given.replace(/^0x/i, '').replace(/[\s:]/g, '');
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits))
    throw new ValueError('hex bytes are an even number of digits 0 to 9 and a to f');
  return Buffer.from(digits, 'hex');
}

function unbase64(given: string): Buffer {
  if (!/^[A-Za-z0-9+/_\s-]*={0,2}\s*$/.test(given)) throw new ValueError('base64 has letters, digits, + and /');
  return Buffer.from(given, 'base64');
}

const data = [param('data', ['bytes', 'string'])];

export const byteFunctions: readonly ScalarFunction[] = [
  ...(['md5', 'sha1', 'sha256'] as const).map((name) =>
    scalar({
      name,
      topic: 'bytes',
      doc: `The ${name.toUpperCase().replace('SHA', 'SHA-')} of bytes, or of a text's UTF-8, in hex.`,
      parameters: data,
      result: types.string,
      maps: 0,
      call: ([value]) => createHash(name).update(buffer(value)).digest('hex'),
      examples: [{ query: `${name}("abc")`, value: OF_ABC[name] }],
    }),
  ),
  scalar({
    name: 'entropy',
    topic: 'bytes',
    doc: "Shannon's entropy of bytes (or of text), in bits a byte: 0 all alike, 8 as random; above 7.5 is packed or encrypted.",
    parameters: data,
    result: types.float,
    maps: 0,
    call: ([value]) => entropy(buffer(value)),
    examples: [{ query: 'entropy("abab")', value: 1 }],
  }),
  scalar({
    name: 'unhex',
    topic: 'bytes',
    doc: 'The bytes that hex digits stand for.',
    parameters: [param('digits', 'string')],
    result: types.bytes,
    maps: 0,
    call: ([value]) => unhex(text(value)),
    examples: [{ query: 'str(unhex("4142"))', value: 'AB' }],
  }),
  scalar({
    name: 'base64',
    topic: 'bytes',
    doc: 'Bytes (or text) in base64.',
    parameters: data,
    result: types.string,
    maps: 0,
    call: ([value]) => buffer(value).toString('base64'),
    examples: [{ query: 'base64("AB")', value: 'QUI=' }],
  }),
  scalar({
    name: 'unbase64',
    topic: 'bytes',
    doc: 'The bytes that base64 stands for.',
    parameters: [param('text', 'string')],
    result: types.bytes,
    maps: 0,
    call: ([value]) => unbase64(text(value)),
    examples: [{ query: 'str(unbase64("QUI="))', value: 'AB' }],
  }),
];
