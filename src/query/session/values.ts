import type { QueryParameters } from '../engine.js';

/**
 * Values for a query's parameters from words of a command line: `4` and `0x1f` are numbers, `true` and `false` truth values, all else is
 * text; so is what stands in quotes of its own (`'"4"'`). They are bound as values and never become text of the query.
 */
export function typedValue(word: string): unknown {
  const quoted = /^"(.*)"$|^'(.*)'$/s.exec(word);
  if (quoted) return quoted[1] ?? quoted[2];
  if (/^(?:true|false)$/i.test(word)) return word.toLowerCase() === 'true';
  if (/^-?(?:0x[0-9a-f]+|0|[1-9]\d*)$/i.test(word)) {
    const negative = word.startsWith('-');
    const whole = BigInt(negative ? word.slice(1) : word) * (negative ? -1n : 1n);
    const number = Number(whole);
    return Number.isSafeInteger(number) ? number : whole;
  }
  return /^-?\d+\.\d+$/.test(word) ? Number(word) : word;
}

/** Words in order, or `name=value` where all are written so and the query's parameters have names. */
export function parametersOf(words: readonly string[], names: readonly (string | number)[]): QueryParameters {
  const pairs = words.map((word) => /^([A-Za-z_]\w*)=(.*)$/s.exec(word));
  const named = names.some((name) => typeof name === 'string') && pairs.length > 0 && pairs.every((pair) => pair !== null && names.includes(pair[1] ?? ''));
  return named ? Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', typedValue(pair?.[2] ?? '')])) : words.map(typedValue);
}

/** The parameters of a query, each once, in the order in which they stand. */
export async function parameterNames(text: string): Promise<(string | number)[]> {
  const { parseQuery } = await import('../../../grammar/efilter.js');
  const found = new Set<string | number>();
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('kind' in node && node.kind === 'parameter' && 'name' in node) found.add(node.name as string | number);
    Object.values(node).forEach(visit);
  };
  visit(parseQuery(text));
  return [...found];
}
