import type { Scalar, SortKey } from './logical.js';

/** An expression as a query would write it, for `explain`. At most so many characters. */
export function textOf(scalar: Scalar, most = 200): string {
  const text = print(scalar);
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

export function textOfKeys(keys: readonly SortKey[]): string {
  return keys
    .map(
      ({ value, descending, nullsFirst }) =>
        `${textOf(value)}${descending ? ' desc' : ''}${nullsFirst === descending ? (nullsFirst ? ' nulls first' : ' nulls last') : ''}`,
    )
    .join(', ');
}

function print(scalar: Scalar): string {
  switch (scalar.kind) {
    case 'constant':
      return constant(scalar.value);
    case 'field':
      return scalar.field.name;
    case 'variable':
      return scalar.variable.name;
    case 'row':
      return `row(${scalar.fields.map(({ name }) => name).join(', ')})`;
    case 'member':
      return `${inner(scalar.object)}.${scalar.name}`;
    case 'index':
      return `${inner(scalar.object)}[${print(scalar.key)}]`;
    case 'unary':
      return scalar.operator === 'not' ? `not ${inner(scalar.operand)}` : `${scalar.operator}${inner(scalar.operand)}`;
    case 'logical':
      return scalar.terms.map(inner).join(` ${scalar.operator} `);
    case 'binary':
      return `${inner(scalar.left)} ${scalar.operator} ${inner(scalar.right)}`;
    case 'between':
      return `${inner(scalar.operand)} ${scalar.negated ? 'not ' : ''}between ${inner(scalar.low)} and ${inner(scalar.high)}`;
    case 'is-null':
      return `${inner(scalar.operand)} is ${scalar.negated ? 'not ' : ''}null`;
    case 'case': {
      const branches = scalar.branches.map(({ when, then }) => `when ${print(when)} then ${print(then)}`).join(' ');
      return `case ${scalar.operand ? `${print(scalar.operand)} ` : ''}${branches}${scalar.otherwise ? ` else ${print(scalar.otherwise)}` : ''} end`;
    }
    case 'list':
      return `(${scalar.items.map(print).join(', ')})`;
    case 'tuple':
      return `[${scalar.items.map(print).join(', ')}]`;
    case 'call':
      return `${scalar.callee.name}(${scalar.args.map(print).join(', ')})`;
    case 'aggregate':
      return `${scalar.callee.name}(${scalar.distinct ? 'distinct ' : ''}${scalar.args.length === 0 ? '*' : scalar.args.map(print).join(', ')})`;
    case 'per-element':
      return print(scalar.body);
    case 'pair':
      return `${scalar.key.kind === 'constant' ? String(scalar.key.value) : print(scalar.key)}: ${print(scalar.value)}`;
    case 'let':
      return `let ${scalar.variable.name} = ${print(scalar.value)} ${print(scalar.body)}`;
    case 'subquery':
      return scalar.as === 'exists' ? 'exists (select …)' : '(select …)';
  }
}

function inner(scalar: Scalar): string {
  const compound =
    scalar.kind === 'logical' ||
    scalar.kind === 'binary' ||
    scalar.kind === 'between' ||
    scalar.kind === 'is-null' ||
    (scalar.kind === 'unary' && scalar.operator === 'not');
  return compound ? `(${print(scalar)})` : print(scalar);
}

function constant(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return value > 0xffffffffn ? `0x${value.toString(16)}` : value.toString();
  if (Array.isArray(value)) return `(${value.slice(0, 8).map(constant).join(', ')}${value.length > 8 ? ', …' : ''})`;
  return value === undefined ? 'null' : String(value);
}
