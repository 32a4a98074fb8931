import { parseBoolean, parseNumber } from '../plugin/convert.js';
import { UsageError } from '../plugin/error.js';
import { didYouMean } from '../plugin/similar.js';
import { type Parameter, parameterNamed, type ParameterName, parameters, type ParameterValues } from './parameters.js';

const all = Object.entries(parameters) as [ParameterName, Parameter][];

export function parameterOf(name: ParameterName): Parameter {
  return parameters[name];
}

/** The parameter with a one-letter flag. */
export function shortParameter(letter: string): ParameterName | undefined {
  return all.find(([, parameter]) => parameter.short === letter)?.[0];
}

/** Parameters whose name (or older name) begins with what was typed; one alone where it is a whole name. */
export function parametersMatching(typed: string): ParameterName[] {
  const wanted = typed.replaceAll('-', '_').toLowerCase();
  const exact = all.find(([name, parameter]) => name === wanted || parameter.aliases?.includes(wanted) === true);
  if (exact) return [exact[0]];
  return all
    .filter(([name, parameter]) => name.startsWith(wanted) || parameter.aliases?.some((alias) => alias.startsWith(wanted)) === true)
    .map(([name]) => name);
}

/** Every name that a parameter answers to: for suggestions. */
export function parameterNames(): string[] {
  return all.flatMap(([name, parameter]) => [name, ...(parameter.aliases ?? [])]);
}

/**
 * A parameter's value from the texts given for it. A text of a list may hold several, separated by commas.
 * @param fail throws for a text that is no such value
 */
export function parameterValue(
  name: ParameterName,
  texts: readonly string[],
  fail: (message: string) => never = (message) => {
    throw new UsageError(message);
  },
): ParameterValues[ParameterName] {
  const parameter: Parameter = parameters[name];
  const text = texts.at(-1) ?? '';
  switch (parameter.type) {
    case 'bool':
      return parseBoolean(text) ?? fail(`${name} is yes or no, not '${text}'.`);
    case 'int': {
      const number = parseNumber(text);
      if (number === undefined) return fail(`${name} needs a whole number (12, 0x1f, 4k), not '${text}'.`);
      // Slides and page-table roots are 64-bit and 52-bit; what does not fit a number is refused, not rounded.
      if (number > BigInt(Number.MAX_SAFE_INTEGER) || number < BigInt(Number.MIN_SAFE_INTEGER)) return fail(`${name} is out of range: ${text}.`);
      return inRange(name, Number(number), fail);
    }
    case 'choice': {
      const choices = parameter.choices ?? [];
      const found = choices.find((known) => known === text.toLowerCase());
      return found ?? fail(`${name} is one of ${choices.join(', ')}, not '${text}'.${didYouMean(text, choices)}`);
    }
    case 'list':
      return texts.flatMap((one) => one.split(',')).filter((one) => one !== '');
    case 'string':
      if (text === '') return fail(`${name} needs a value.`);
      if (name === 'timezone' && !isTimeZone(text)) return fail(`This machine knows no time zone ${text}; examples: UTC, Europe/Berlin, +02:00.`);
      return text;
  }
}

function inRange(name: ParameterName, value: number, fail: (message: string) => never): number {
  const { least } = parameterOf(name);
  return least !== undefined && value < least ? fail(`${name} is out of range: ${value} is less than ${least}.`) : value;
}

/**
 * Parameters as code gives them: values of the types that are declared, or texts as the command line has them. `undefined` counts as
 * not given. Throws UsageError: unknown names (with the nearest), wrong types, values out of range.
 */
export function checkedParameters(given: Readonly<Record<string, unknown>>): Partial<ParameterValues> {
  const values: Partial<ParameterValues> = {};
  for (const [key, value] of Object.entries(given)) {
    const name = parameterNamed(key);
    if (name === undefined) throw new UsageError(`${key} is no parameter of a session.${didYouMean(key, parameterNames())}`);
    if (value !== undefined && value !== null) assign(values, name, checkedParameter(name, value));
  }
  return values;
}

function checkedParameter(name: ParameterName, value: unknown): ParameterValues[ParameterName] {
  const { type } = parameterOf(name);
  if (type === 'list' && Array.isArray(value) && value.every((one) => typeof one === 'string')) return value as string[];
  const isText = typeof value === 'string';
  const fitting = { int: typeof value === 'number' || typeof value === 'bigint', bool: typeof value === 'boolean', string: false, choice: false, list: false }[type];
  if (isText) return parameterValue(name, [value]);
  if (fitting) return type === 'bool' ? (value as boolean) : parameterValue(name, [String(value)]);
  const expected = { int: 'a whole number', bool: 'true or false', string: 'a text', choice: 'a text', list: 'a list of texts' }[type];
  throw new UsageError(`${name} needs ${expected}, not ${Array.isArray(value) ? 'a list' : `${typeof value} ${String(value)}`}.`);
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Sets a parameter whose name is known at run time only. */
export function assign(values: Partial<ParameterValues>, name: ParameterName, value: ParameterValues[ParameterName]): void {
  (values as Record<string, unknown>)[name] = value;
}
