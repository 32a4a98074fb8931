import { createRequire } from 'node:module';
import type * as re2js from 're2js';
import type { CodePattern, InstructionRule, Wanted } from '../../symbols/dynamic.js';
import type { Instruction } from '../instruction.js';
import { type CodeSurroundings, mnemonicKey, type Property, RuledInstruction } from './properties.js';

/** Attempts to fit instructions together, at most: where many fit each rule their number is a power. */
const MOST_ATTEMPTS = 20_000;
/** Milliseconds of the processor that a pattern may take: published ones take one or two. */
const LONGEST = 1000;

/** A captured property, and the instruction that has it. */
export interface Capture extends Property {
  readonly at: Instruction;
}

/** `tooLong`: nobody knows whether it is there. */
export type RuleMatch = { readonly captured: ReadonlyMap<string, Capture> } | { readonly missed: string; readonly tooLong?: true };

/** An instruction that fits a rule, by its place in the code. */
interface Hit {
  readonly index: number;
  readonly captures: Captures;
  /** what is captured by variable, which several captures may share */
  readonly variables: Variables;
}

type Captures = readonly (readonly [name: string, capture: Capture])[];
type Variables = ReadonlyMap<string, Property['value']>;

/**
 * The first instructions, in the order of the code, that fit the rules of a pattern one after the other: no two further apart than the pattern allows, each captured variable
 * with one value everywhere, different ones of a rule with different values. One instruction may fit several rules.
 */
export function matchRules(code: readonly Instruction[], { rules, maxSeparation }: CodePattern, around: CodeSurroundings): RuleMatch {
  const before = process.cpuUsage();
  const tests = rules.map((rule) => testOf(rule));
  const hits: Hit[][] = rules.map(() => []);
  for (const [index, instruction] of code.entries()) {
    const ruled = new RuledInstruction(instruction, around);
    for (const [rule, test] of tests.entries()) {
      const captures = test(ruled);
      const variables = captures && variablesOf(captures);
      if (variables) hits[rule]?.push({ index, captures, variables });
    }
    if (milliseconds(process.cpuUsage(before)) > LONGEST) return { missed: `its rules take longer than ${LONGEST} ms`, tooLong: true };
  }
  const lacking = hits.findIndex((found) => found.length === 0);
  if (lacking >= 0) return { missed: `no instruction fits rule ${lacking + 1} of ${rules.length}${describe(rules[lacking])}` };
  return fit(hits, maxSeparation);
}

function milliseconds({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1000;
}

/** Depth first, so that what stands first in the code is found first. */
function fit(hits: readonly (readonly Hit[])[], maxSeparation: number): RuleMatch {
  let attempts = 0;
  let furthest = 0;
  const chosen: Hit[] = [];
  const bound = new Map<string, Property['value']>();
  const step = (): boolean => {
    const rule = chosen.length;
    furthest = Math.max(furthest, rule);
    if (rule === hits.length) return true;
    const last = chosen.at(-1)?.index;
    for (const hit of hits[rule] ?? []) {
      if (last !== undefined && hit.index < last) continue;
      if ((last !== undefined && hit.index > last + maxSeparation) || ++attempts > MOST_ATTEMPTS) break;
      if (![...hit.variables].every(([name, value]) => !bound.has(name) || bound.get(name) === value)) continue;
      const added = [...hit.variables].filter(([name]) => !bound.has(name));
      for (const [name, value] of added) bound.set(name, value);
      chosen.push(hit);
      if (step()) return true;
      chosen.pop();
      for (const [name] of added) bound.delete(name);
    }
    return false;
  };
  if (step()) return { captured: new Map(chosen.flatMap(({ captures }) => captures)) };
  if (attempts > MOST_ATTEMPTS) return { missed: `${MOST_ATTEMPTS} attempts to fit its rules together were in vain`, tooLong: true };
  return { missed: `each of its ${hits.length} rules fits some instruction, but no more than ${furthest} fit together` };
}

/** What one instruction has for the variables of a rule; undefined where one has two values, or two have one. */
function variablesOf(captures: Captures): Variables | undefined {
  const variables = new Map<string, Property['value']>();
  for (const [name, { value }] of captures) {
    const variable = variableOf(name);
    if (variables.has(variable) && variables.get(variable) !== value) return undefined;
    variables.set(variable, value);
  }
  return new Set(variables.values()).size === variables.size ? variables : undefined;
}

/** `$var_1` and `$var_2` are one variable in two places of a rule. */
function variableOf(name: string): string {
  return name.replace(/_\d+$/, '');
}

type Test = (ruled: RuledInstruction) => Captures | undefined;

/** What an instruction must have. Where it has all of it the result is what is captured. */
function testOf({ mnemonic, comment, operands }: InstructionRule): Test {
  const isMnemonic = mnemonic && testProperty(mnemonic.kind === 'is' && typeof mnemonic.value === 'string' ? { kind: 'is', value: mnemonicKey(mnemonic.value) } : mnemonic);
  const isComment = comment && testComment(comment);
  const ofOperands = operands.flatMap((operand, position) => [...(operand ?? [])].map(([property, wanted]) => ({ position, property, wanted, test: testProperty(wanted) })));
  return (ruled) => {
    if (isMnemonic?.({ value: ruled.mnemonic, bits: 0 }) === false || operands.length > ruled.instruction.operands.length) return undefined;
    const captures: [string, Capture][] = [];
    const take = (wanted: Wanted, property: Property): void => {
      if (wanted.kind === 'capture') captures.push([wanted.name, { ...property, at: ruled.instruction }]);
    };
    for (const { position, property, wanted, test } of ofOperands) {
      // What is not captured has no value: an instruction without it is another one.
      const found = ruled.property(position, property) ?? (wanted.kind === 'is' && wanted.value === null ? { value: null, bits: 0 } : undefined);
      if (!found || !test(found)) return undefined;
      take(wanted, found);
    }
    if (isComment && !isComment(ruled.comments)) return undefined;
    if (mnemonic) take(mnemonic, { value: ruled.mnemonic, bits: 0 });
    if (comment) take(comment, { value: ruled.comments[0] ?? null, bits: 0 });
    return captures;
  };
}

function testProperty(wanted: Wanted): (property: Property) => boolean {
  if (wanted.kind === 'capture') return () => true;
  if (wanted.kind === 'like') {
    const like = expression(wanted.expression);
    return ({ value }) => typeof value === 'string' && like(value);
  }
  const expected = wanted.value;
  if (typeof expected !== 'bigint') return ({ value }) => value === expected;
  // -1 and 0xffffffff are the same 32 bits.
  return ({ value, bits }) => typeof value === 'bigint' && expected < 1n << BigInt(bits) && expected >= -(1n << BigInt(bits - 1)) && BigInt.asIntN(bits, expected) === value;
}

function testComment(wanted: Wanted): (comments: readonly string[]) => boolean {
  if (wanted.kind === 'capture') return (comments) => comments.length > 0;
  if (wanted.kind === 'like') {
    const like = expression(wanted.expression);
    return ([whole]) => whole !== undefined && like(whole);
  }
  const expected = typeof wanted.value === 'string' ? folded(wanted.value) : '';
  return (comments) => (expected === '' ? comments.length === 0 : comments.some((comment) => folded(comment) === expected));
}

/** The module's name has no case. */
function folded(comment: string): string {
  return comment.replace(/^[^!]*!/, (module) => module.toLowerCase());
}

/** A regular expression of a profile, which nobody vouches for: its time is linear in the text. One that cannot be read fits nothing. */
function expression(source: string): (text: string) => boolean {
  // Few rules have one, and those are met in the middle of reading a name: hence not an import.
  const { RE2JS } = createRequire(import.meta.url)('re2js') as typeof re2js;
  try {
    const compiled = RE2JS.compile(RE2JS.translateRegExp(source));
    return (text) => compiled.matcher(text).lookingAt();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return () => false;
  }
}

/** ` (CALL nt!memset)` */
function describe(rule: InstructionRule | undefined): string {
  const parts = [rule?.mnemonic, rule?.comment].flatMap((wanted) => (wanted?.kind === 'is' ? [String(wanted.value)] : wanted?.kind === 'like' ? [`~${wanted.expression}`] : []));
  return parts.length === 0 ? '' : ` (${parts.join(' ')})`;
}
