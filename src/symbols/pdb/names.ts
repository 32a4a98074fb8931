/** `?0` to `?9` in the name of a string constant. */
const DIGITS = [',', '/', '\\', ':', '.', ' ', '\n', '\t', "'", '-'];
/** `_name@8` (stdcall), `@name@8` (fastcall), `_name` (cdecl) of 32-bit code. */
const DECORATED = /^[_@]([^@?]+)@\d{1,3}$/;

/**
 * The name of a symbol as people write it: without the decoration of 32-bit calling conventions, and string constants as
 * `str:` with their text (`??_C@_0O@MCJHEAP@IoMapTransfer?$AA@` → `str:IoMapTransfer`), as Rekall's profiles have them. Other C++ names
 * stay as they are.
 */
export function plainName(name: string, bits: 32 | 64): string {
  if (name.startsWith('??_C@_')) return `str:${stringText(name)}`;
  if (bits === 64 || name.startsWith('?')) return name;
  const decorated = DECORATED.exec(name);
  if (decorated) return decorated[1] as string;
  return name.startsWith('_') ? name.slice(1) : name;
}

/** The text of a string constant, as far as its name holds it (the compiler cuts it to 32 bytes); space and control characters are `_`. */
function stringText(name: string): string {
  const wide = name[6] === '1';
  // `??_C@_` kind, length (a digit, or letters and `@`), checksum and `@`, the text.
  const text = /^\?\?_C@_[01](?:\d|[A-P]+@)[A-P]*@(.*?)@?$/s.exec(name)?.[1] ?? '';
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (character !== '?') {
      bytes.push(character.charCodeAt(0));
      continue;
    }
    const next = text[++at] ?? '';
    if (next === '$') {
      bytes.push(((text.charCodeAt(at + 1) - 65) << 4) | (text.charCodeAt(at + 2) - 65));
      at += 2;
    } else if (next >= '0' && next <= '9') bytes.push((DIGITS[Number(next)] as string).charCodeAt(0));
    // `?A` is Á, `?a` is á: the letter with its high bit.
    else bytes.push(next.charCodeAt(0) | 0x80);
  }
  let result = '';
  for (let at = 0; at < bytes.length; at += wide ? 2 : 1) {
    // Wide characters stand with their high byte first.
    const code = wide ? ((bytes[at] as number) << 8) | (bytes[at + 1] ?? 0) : (bytes[at] as number);
    if (code === 0) break;
    result += code <= 0x20 || code === 0x7f ? '_' : String.fromCharCode(code);
  }
  return result;
}
