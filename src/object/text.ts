const utf8 = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });

/** Text from memory: UTF-8 where it is, U+FFFD where it is not. What a terminal must not see is escaped by the renderers. */
export function decodeText(bytes: Buffer): string {
  // The common case by far is short ASCII, for which latin1 is several times faster than a decoder.
  for (let i = 0; i < bytes.length; i++) {
    if ((bytes[i] as number) > 0x7f) return utf8.decode(bytes);
  }
  return bytes.toString('latin1');
}

/** Text up to the first NUL. */
export function decodeCString(bytes: Buffer): string {
  const nul = bytes.indexOf(0);
  return decodeText(nul < 0 ? bytes : bytes.subarray(0, nul));
}
