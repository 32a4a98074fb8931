/** Text with attributes of the terminal, or as it is. */
export interface Paint {
  readonly colors: boolean;
  bold(text: string): string;
  dim(text: string): string;
  /** addresses, names of things that can be typed */
  cyan(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  /** what is wrong */
  red(text: string): string;
}

const plain = (text: string): string => text;
const attribute =
  (on: number, off: number) =>
  (text: string): string =>
    text === '' ? '' : `\x1b[${on}m${text}\x1b[${off}m`;

const COLORED: Paint = { colors: true, bold: attribute(1, 22), dim: attribute(2, 22), cyan: attribute(36, 39), green: attribute(32, 39), yellow: attribute(33, 39), red: attribute(31, 39) };
const PLAIN: Paint = { colors: false, bold: plain, dim: plain, cyan: plain, green: plain, yellow: plain, red: plain };

/** Colours of the terminal's own palette, so that they fit its background. */
export function paintFor(colors: boolean): Paint {
  return colors ? COLORED : PLAIN;
}

/** Whether what goes to a stream is coloured. @param wanted the parameter `colors`: `auto` means on a terminal */
export function colorsOn(wanted: string, stream: { readonly isTTY?: boolean }): boolean {
  return wanted === 'yes' || (wanted === 'auto' && stream.isTTY === true);
}

/** Paints each line on its own: attributes end with the line, for a pager shows some lines of many. */
export function eachLine(text: string, paint: (line: string) => string): string {
  return text.split('\n').map(paint).join('\n');
}
