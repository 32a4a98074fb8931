/** From trees back to text: canonical spelling, one line, no parentheses but those that are needed. `parseQuery` gives the same tree. */
import { quoteText } from './efilter-literals.js';
import { BETWEEN_BOUND, COMPARISON, LEVELS, PREFIX_LEVELS } from './efilter-precedence.js';
import type { Binding, Call, Case, Expression, Order, Query, QueryStatement, Select, SelectItem, SetOperation, Source, Tail } from './efilter-tree.js';
import { isKeyword, isPlainName } from './efilter-words.js';

/** How tightly a node holds together, beyond the levels of operators. */
const GREEDY = 0;
const ATOM = 10;
/** where nothing stands before or behind a value, not even parentheses */
const BARE = -1;

/** A statement, as one would type it. */
export function formatStatement(statement: QueryStatement): string {
  switch (statement.kind) {
    case 'evaluate':
      return format(statement.value, BARE);
    case 'explain':
      return `explain ${statement.analyze ? 'analyze ' : ''}${afterWord(format(statement.value, BARE))}`;
    case 'create-view': {
      const { name, columns, replace, query } = statement;
      return `create ${replace ? 'or replace ' : ''}view ${formatName(name)}${columns ? ` ${names(columns)}` : ''} as ${formatQuery(query)}`;
    }
    case 'drop-view':
      return `drop view ${statement.ifExists ? 'if exists ' : ''}${formatName(statement.name)}`;
    case 'define':
      return `let ${bindings(statement.bindings)}`;
  }
}

/** A value, as it would stand alone. */
export function formatExpression(value: Expression): string {
  return format(value, BARE);
}

/** A name where a value is expected: in backticks where it has to be. */
export function formatName(name: string): string {
  return isPlainName(name) ? name : quoteName(name);
}

/** A query without parentheses around it. */
export function formatQuery(query: Query): string {
  switch (query.kind) {
    case 'select':
      return select(query) + tail(query);
    case 'set':
      return `${setSide(query.left, setLevel(query))} ${query.operator} ${setSide(query.right, setLevel(query) + 1)}${tail(query)}`;
    case 'with': {
      const tables = query.tables.map(({ name, columns, query: inner }) => `${formatName(name)}${columns ? ` ${names(columns)}` : ''} as (${formatQuery(inner)})`);
      return `with ${tables.join(', ')} ${formatQuery(query.body)}`;
    }
  }
}

/** In parentheses where it holds together less tightly than what it stands in. */
function format(value: Expression, least: number): string {
  if (value.kind === 'subquery' && value.any !== true) return least === BARE ? formatQuery(value.query) : `(${formatQuery(value.query)})`;
  return levelOf(value) < least ? `(${text(value)})` : text(value);
}

function levelOf(value: Expression): number {
  switch (value.kind) {
    case 'binary':
      return LEVELS[value.operator];
    case 'between':
    case 'is-null':
      return COMPARISON;
    case 'unary':
      return PREFIX_LEVELS[value.operator];
    case 'literal':
      return typeof value.value === 'number' || typeof value.value === 'bigint' ? (value.value < 0 ? PREFIX_LEVELS['-'] : ATOM) : ATOM;
    case 'let':
      return GREEDY;
    case 'case':
      return value.style === 'if' ? GREEDY : ATOM;
    default:
      return ATOM;
  }
}

function text(value: Expression): string {
  switch (value.kind) {
    case 'literal':
      return literal(value.value);
    case 'parameter':
      return `{${value.name}}`;
    case 'name':
      return formatName(value.name);
    case 'member':
      return `${format(value.object, ATOM)}.${bareName(value.name)}`;
    case 'index':
      return `${format(value.object, ATOM)}[${format(value.key, GREEDY)}]`;
    case 'call':
      return call(value);
    case 'unary': {
      const operand = format(value.operand, PREFIX_LEVELS[value.operator]);
      // Two signs side by side would begin a comment.
      return value.operator === 'not' || operand.startsWith('-') ? `${value.operator} ${operand}` : value.operator + operand;
    }
    case 'binary': {
      const level = LEVELS[value.operator];
      return `${format(value.left, level)} ${value.operator} ${format(value.right, level + 1)}`;
    }
    case 'between':
      return `${format(value.operand, COMPARISON)}${value.negated ? ' not' : ''} between ${format(value.low, BETWEEN_BOUND)} and ${format(value.high, BETWEEN_BOUND)}`;
    case 'is-null':
      return `${format(value.operand, COMPARISON)} is ${value.negated ? 'not ' : ''}null`;
    case 'case':
      return conditional(value);
    case 'list':
      return `(${value.items.map((item) => format(item, GREEDY)).join(', ')})`;
    case 'tuple':
      return `[${value.items.map((item) => format(item, GREEDY)).join(', ')}]`;
    case 'pair':
      return `${format(value.key, GREEDY)}: ${format(value.value, GREEDY)}`;
    case 'let': {
      const body = format(value.body, BARE);
      if (startsPlainly(body)) return `let ${bindings(value.bindings)} ${body}`;
      // What begins with a sign, a bracket or a word such as `limit` would go on with the last binding.
      return `let (${bindings(value.bindings)}) ${/^[([]/.test(body) ? body : `(${body})`}`;
    }
    case 'subquery':
      return `exists (${formatQuery(value.query)})`;
  }
}

function literal(value: string | number | bigint | boolean | null): string {
  if (typeof value === 'string') return quoteText(value);
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) return value.toExponential();
  return String(value);
}

function call({ name, args, star, distinct }: Call): string {
  const inner = args.map(({ name: argument, value, equals }) => {
    if (argument !== undefined) return `${bareName(argument)}${equals ? ' = ' : ': '}${format(value, 1)}`;
    // A bare name before a colon would be the argument's name.
    return value.kind === 'pair' && value.key.kind === 'name' ? `(${formatName(value.key.name)}): ${format(value.value, 1)}` : format(value, 1);
  });
  return `${formatName(name)}(${distinct ? 'distinct ' : ''}${star ? '*' : inner.join(', ')})`;
}

function conditional({ style, operand, branches, otherwise }: Case): string {
  if (style === 'if') {
    const parts = branches.map(({ when, then }) => `if ${format(when, 1)} then ${format(then, 1)}`);
    return parts.join(' else ') + (otherwise ? ` else ${format(otherwise, 1)}` : '');
  }
  const parts = branches.map(({ when, then }) => ` when ${format(when, 1)} then ${format(then, 1)}`);
  return `case${operand ? ` ${afterWord(format(operand, 1))}` : ''}${parts.join('')}${otherwise ? ` else ${format(otherwise, 1)}` : ''} end`;
}

function bindings(all: readonly Binding[]): string {
  return all.map(({ name, parameters, value }) => `${formatName(name)}${parameters ? names(parameters) : ''} = ${format(value, 1)}`).join(', ');
}

function select({ distinct, items, from, where, groupBy, having }: Select): string {
  const columns = items.map(item).join(', ');
  const sources = from.map(source).join('');
  return [
    `select ${distinct ? 'distinct ' : ''}${columns}`,
    sources === '' ? '' : ` from ${sources}`,
    where ? ` where ${format(where, 1)}` : '',
    groupBy.length > 0 ? ` group by ${groupBy.map((key) => format(key, 1)).join(', ')}` : '',
    having ? ` having ${format(having, 1)}` : '',
  ].join('');
}

function item(one: SelectItem): string {
  if (one.kind === 'star') return one.table === undefined ? '*' : `${formatName(one.table)}.*`;
  return `${format(one.value, 1)}${one.as === undefined ? '' : ` as ${behindAs(one.as)}`}`;
}

function source({ value, alias, join }: Source): string {
  const how = !join ? '' : join.kind === 'inner' ? ' join ' : join.kind === 'left' ? ' left join ' : join.on || join.using ? ' cross join ' : ', ';
  const condition = `${join?.on ? ` on ${format(join.on, 1)}` : ''}${join?.using ? ` using ${names(join.using)}` : ''}`;
  // Behind a source, a name that is no keyword needs no `as`.
  const named = alias === undefined ? '' : /^[A-Za-z_$][\w$]*$/.test(alias) && !isKeyword(alias) && !JOIN_WORDS.has(alias.toLowerCase()) ? ` ${alias}` : ` as ${behindAs(alias)}`;
  return `${how}${format(value, ATOM)}${named}${condition}`;
}

const JOIN_WORDS = new Set(['right', 'full', 'natural']);

function tail({ orderBy, limit, offset }: Tail): string {
  const keys = orderBy.map(order).join(', ');
  return `${keys === '' ? '' : ` order by ${keys}`}${limit ? ` limit ${format(limit, 1)}` : ''}${offset ? ` offset ${format(offset, 1)}` : ''}`;
}

function order({ value, descending, nulls }: Order): string {
  return `${format(value, 1)}${descending ? ' desc' : ''}${nulls ? ` nulls ${nulls}` : ''}`;
}

function setLevel({ operator }: SetOperation): number {
  return operator === 'intersect' ? 2 : 1;
}

/** One side of a set operation: in parentheses where it has a tail of its own, or binds less tightly. */
function setSide(query: Query, least: number): string {
  const closed = query.kind === 'with' || query.orderBy.length > 0 || query.limit !== undefined || query.offset !== undefined;
  return closed || (query.kind === 'set' && setLevel(query) < least) ? `(${formatQuery(query)})` : formatQuery(query);
}

function names(all: readonly string[]): string {
  return `(${all.map(formatName).join(', ')})`;
}

/** Behind a dot or before a colon every word is a name. */
function bareName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoteName(name);
}

function behindAs(name: string): string {
  return /^(?:select|with)$/i.test(name) ? quoteName(name) : bareName(name);
}

function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** Behind `explain` and `case`, a sign or a word of the language would make a name of them. */
function afterWord(written: string): string {
  return startsPlainly(written) || written.startsWith('(') ? written : `(${written})`;
}

/** Whether a text behind a value can only be the beginning of another. */
function startsPlainly(written: string): boolean {
  const word = /^[A-Za-z_$][\w$]*/.exec(written)?.[0];
  if (word === undefined) return /^[\d"`{]/.test(written);
  return !isKeyword(word) || /^(?:select|with|if|case|exists|let|true|false|null)$/i.test(word);
}
