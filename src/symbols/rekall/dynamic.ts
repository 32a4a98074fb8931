import { type Alternative, type CodePattern, type DynamicRules, type InstructionRule, OPERAND_PROPERTIES, type OperandProperty, type StructPattern, type Wanted } from '../dynamic.js';
import { bigintOf, integerOf, type Json, type JsonObject, objectOf, own, stringOf } from '../json.js';
import type { TypeDescriptor } from '../types.js';

/** Bounds of what a section may state: published rules have 3 alternatives of 7 instructions. */
const MOST_ALTERNATIVES = 32;
const MOST_RULES = 64;
const MOST_OPERANDS = 8;
const MOST_FIELDS = 256;
const MOST_CAPTURES = 16;
const LONGEST_TEXT = 256;
/** instructions between two that are found, at most; and where a rule says nothing */
const FARTHEST = 1000;
const SEPARATION = 10;

/** What a rule of an instruction may state, besides operands. */
const PARTS: ReadonlySet<string> = new Set(['mnemonic', 'comment', 'operands']);

/** What an alternative cannot be followed for. */
class Problem extends Error {}

/**
 * The sections $DYNAMIC_CONSTANTS and $DYNAMIC_STRUCTS: `{name: [{type, args}, …]}`, alternatives in their order. The type is
 * `DisassembleConstantMatcher` or `DisassembleStructMatcher`; args are `start`, `rules`, `max_separation`, `comment`, of a struct `fields`
 * ({member: vtype}). A rule states properties of an instruction; a text beginning with `$` captures, one with `~` is a regular expression.
 * An alternative is read when its name is asked for; what is wrong with one is told instead of it.
 */
export class RekallRules implements DynamicRules {
  constructor(
    private readonly constants: JsonObject,
    private readonly structs: JsonObject,
    private readonly describe: (vtype: Json) => TypeDescriptor,
  ) {}

  constantNames(): readonly string[] {
    return Object.keys(this.constants);
  }

  structNames(): readonly string[] {
    return Object.keys(this.structs);
  }

  constant(name: string): readonly Alternative<CodePattern>[] | undefined {
    return alternatives(own(this.constants, name), 'DisassembleConstantMatcher', pattern);
  }

  struct(name: string): readonly Alternative<StructPattern>[] | undefined {
    return alternatives(own(this.structs, name), 'DisassembleStructMatcher', (args) => ({ ...pattern(args), fields: this.fields(args) }));
  }

  sections(): readonly (readonly [string, JsonObject])[] {
    return ([['$DYNAMIC_CONSTANTS', this.constants], ['$DYNAMIC_STRUCTS', this.structs]] as const).filter(([, section]) => Object.keys(section).length > 0);
  }

  private fields(args: JsonObject): ReadonlyMap<string, TypeDescriptor> {
    const stated = Object.entries(objectOf(own(args, 'fields')) ?? {});
    if (stated.length === 0 || stated.length > MOST_FIELDS) throw new Problem(`fields: ${stated.length} members stated`);
    return new Map(stated.map(([field, vtype]) => [field, this.describe(vtype)]));
  }
}

function alternatives<T>(stated: Json | undefined, type: string, read: (args: JsonObject) => T): readonly Alternative<T>[] | undefined {
  if (stated === undefined) return undefined;
  if (!Array.isArray(stated)) return [{ problem: 'its rules are no list' }];
  const all = stated as readonly Json[];
  const found = all.slice(0, MOST_ALTERNATIVES).map((one): Alternative<T> => {
    try {
      const matcher = own(objectOf(one), 'type');
      if (matcher !== type) throw new Problem(`${shown(matcher)} is no way to find it here: ${type} is`);
      const args = objectOf(own(objectOf(one), 'args'));
      if (!args) throw new Problem('args: expected an object');
      return read(args);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return { problem: error.message };
    }
  });
  if (all.length > MOST_ALTERNATIVES) found.push({ problem: `${all.length - MOST_ALTERNATIVES} more alternatives are not looked at` });
  return found;
}

function pattern(args: JsonObject): CodePattern {
  const start = own(args, 'start');
  if (typeof start !== 'string' || start === '' || start.length > LONGEST_TEXT) throw new Problem(`start: ${shown(start)} names no function`);
  const stated = own(args, 'rules');
  const rules = Array.isArray(stated) ? (stated as readonly Json[]) : [];
  if (rules.length === 0 || rules.length > MOST_RULES) throw new Problem(`rules of ${start}: expected a list of 1 to ${MOST_RULES} instructions`);
  const separation = own(args, 'max_separation');
  const maxSeparation = separation === undefined ? SEPARATION : integerOf(separation);
  if (maxSeparation === undefined || maxSeparation < 0 || maxSeparation > FARTHEST) throw new Problem(`max_separation of ${start}: ${shown(separation)} is no number up to ${FARTHEST}`);
  return { start, maxSeparation, rules: rules.map((rule, index) => instructionRule(rule, `rule ${index + 1} of ${start}`)) };
}

function instructionRule(stated: Json, which: string): InstructionRule {
  const rule = objectOf(stated);
  if (!rule) throw new Problem(`${which}: expected an object`);
  const strange = Object.keys(rule).find((part) => !PARTS.has(part));
  if (strange !== undefined) throw new Problem(`${which}: an instruction has no ${shown(strange)}`);
  const [mnemonic, comment, operands] = ['mnemonic', 'comment', 'operands'].map((part) => own(rule, part));
  if (operands !== undefined && (!Array.isArray(operands) || operands.length > MOST_OPERANDS)) throw new Problem(`${which}: operands are a list of up to ${MOST_OPERANDS}`);
  const read: InstructionRule = {
    ...(mnemonic !== undefined && { mnemonic: wanted(mnemonic, `mnemonic of ${which}`) }),
    ...(comment !== undefined && { comment: wanted(comment, `comment of ${which}`) }),
    operands: ((operands ?? []) as readonly Json[]).map((operand) => operandRule(operand, which)),
  };
  const captures = read.operands.flatMap((operand) => [...(operand?.values() ?? [])]).filter(({ kind }) => kind === 'capture');
  if (captures.length > MOST_CAPTURES) throw new Problem(`${which}: it captures more than ${MOST_CAPTURES} values`);
  return read;
}

function operandRule(stated: Json, which: string): ReadonlyMap<OperandProperty, Wanted> | undefined {
  if (stated === null) return undefined;
  const operand = objectOf(stated);
  if (!operand) throw new Problem(`${which}: an operand is an object, or null for any`);
  return new Map(
    Object.entries(operand).map(([key, value]) => {
      const property = OPERAND_PROPERTIES.find((one) => one === key);
      if (!property) throw new Problem(`${which}: an operand has no ${shown(key)}`);
      return [property, wanted(value, `${property} of ${which}`)];
    }),
  );
}

function wanted(stated: Json, which: string): Wanted {
  if (stated === null) return { kind: 'is', value: null };
  const number = bigintOf(stated);
  if (number !== undefined) return { kind: 'is', value: number };
  const text = stringOf(stated);
  if (text === undefined || text === '' || text.length > LONGEST_TEXT) throw new Problem(`${which}: ${shown(stated)} is neither a number nor a text of up to ${LONGEST_TEXT} characters`);
  if (text.startsWith('$')) return { kind: 'capture', name: text };
  if (!text.startsWith('~')) return { kind: 'is', value: text };
  // What they stand for is written out before it is looked for, and may be millions.
  if (/\{\d/.test(text)) throw new Problem(`${which}: counted repetitions are not looked for`);
  return { kind: 'like', expression: text.slice(1) };
}

/** A value of the file in a message, not longer than a message may be. */
function shown(value: Json | undefined): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  const text = value === undefined ? 'nothing' : String(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
