import { conjunction, conjuncts, fieldsOf, isPure, readsOnly } from './conditions.js';
import type { Field, Filter, Join, Project, Relation, Scalar, Shared } from './logical.js';
import { needsOf, rewrite } from './walk.js';

/**
 * Moves conditions to where they drop rows earliest: through projections and sorts, to the sides of joins, from where a comma join is
 * filtered into the join. The rows stay the same.
 */
export class Optimiser {
  private readonly shared = new Map<Shared, Shared>();

  optimise(relation: Relation): Relation {
    return this.push(relation, []);
  }

  /** The relation with conditions on its fields applied as far down as they go. */
  private push(relation: Relation, conditions: readonly Scalar[]): Relation {
    switch (relation.kind) {
      case 'filter':
        return this.push(relation.input, [...conjuncts(this.inside(relation.predicate)), ...conditions]);
      case 'project':
        return this.throughProject(relation, conditions);
      case 'join':
        return this.throughJoin(relation, conditions);
      case 'sort': {
        const [down, here] = split(conditions, isPure);
        const input = this.push(relation.input, down);
        return filtered({ ...relation, input, keys: relation.keys.map((key) => ({ ...key, value: this.inside(key.value) })), fields: relation.fields }, here);
      }
      case 'distinct': {
        const [down, here] = split(conditions, isPure);
        return filtered({ ...relation, input: this.push(relation.input, down) }, here);
      }
      case 'group': {
        // What looks at keys alone drops whole groups, whose rows need not be read.
        const keys = new Map<Field, Scalar>(relation.keys.map(({ field, value }) => [field, value]));
        const [down, here] = split(
          conditions,
          (term) => keys.size > 0 && isPure(term) && [...needsOf(term).fields].every((field) => keys.has(field) || !relation.fields.includes(field)),
        );
        const input = this.push(
          relation.input,
          down.map((term) => substituted(term, keys)),
        );
        return filtered(
          {
            ...relation,
            input,
            keys: relation.keys.map(({ field, value }) => ({ field, value: this.inside(value) })),
            aggregates: relation.aggregates.map((aggregate) => ({ ...aggregate, args: aggregate.args.map((arg) => this.inside(arg)) })),
          },
          here,
        );
      }
      case 'set': {
        const [down, here] = split(conditions, isPure);
        const side = (input: Relation): Relation => {
          const map = new Map<Field, Scalar>(relation.fields.map((field, index) => [field, reference(input.fields[index] as Field)]));
          return this.push(
            input,
            down.map((term) => substituted(term, map)),
          );
        };
        return filtered({ ...relation, left: side(relation.left), right: side(relation.right) }, here);
      }
      case 'limit':
        return filtered({ ...relation, input: this.push(relation.input, []) }, conditions);
      case 'shared':
        return filtered({ ...relation, shared: this.sharedOf(relation.shared) }, conditions);
      case 'table':
        return filtered({ ...relation, args: new Map([...relation.args].map(([name, value]) => [name, this.inside(value)])) }, conditions);
      case 'list':
        return filtered({ ...relation, value: this.inside(relation.value) }, conditions);
      case 'one':
        return filtered(relation, conditions);
    }
  }

  /** Sub-queries inside of an expression. The same one stays the same: it is computed once. */
  private readonly subqueries = new Map<Scalar, Scalar>();

  private inside(scalar: Scalar): Scalar {
    return rewrite(scalar, (part) => {
      if (part.kind !== 'subquery') return undefined;
      let known = this.subqueries.get(part);
      if (!known) this.subqueries.set(part, (known = { ...part, relation: this.push(part.relation, []) }));
      return known;
    });
  }

  private sharedOf(shared: Shared): Shared {
    let known = this.shared.get(shared);
    if (!known) this.shared.set(shared, (known = { ...shared, relation: this.push(shared.relation, []) }));
    return known;
  }

  private throughProject(relation: Project, conditions: readonly Scalar[]): Relation {
    const items = relation.items.map((item) => this.inside(item));
    const map = new Map<Field, Scalar>(relation.fields.map((field, index) => [field, items[index] as Scalar]));
    // An item that is costly or not the same twice is computed once, above.
    const [down, here] = split(conditions, (term) => isPure(term) && [...needsOf(term).fields].every((field) => isPure(map.get(field) ?? term)));
    const input = this.push(
      relation.input,
      down.map((term) => substituted(term, map)),
    );
    return filtered({ ...relation, input, items }, here);
  }

  private throughJoin(relation: Join, conditions: readonly Scalar[]): Relation {
    const left = fieldsOf(relation.left);
    const right = fieldsOf(relation.right);
    const own = relation.condition ? conjuncts(this.inside(relation.condition)) : [];
    const onLeft: Scalar[] = [];
    const onRight: Scalar[] = [];
    const both: Scalar[] = [];
    const above: Scalar[] = [];
    for (const term of conditions) {
      if (!isPure(term)) above.push(term);
      else if (readsOnly(term, left, right)) onLeft.push(term);
      // Rows of the left side without a partner have nulls on the right, which the condition still has to see.
      else if (relation.type === 'left') above.push(term);
      else if (readsOnly(term, right, left)) onRight.push(term);
      else both.push(term);
    }
    for (const term of own) {
      if (!isPure(term)) both.push(term);
      else if (readsOnly(term, right, left)) onRight.push(term);
      else if (relation.type === 'inner' && readsOnly(term, left, right)) onLeft.push(term);
      else both.push(term);
    }
    const { condition: _condition, ...join } = relation;
    const condition = conjunction(both);
    return filtered({ ...join, left: this.push(relation.left, onLeft), right: this.push(relation.right, onRight), ...(condition ? { condition } : {}) }, above);
  }
}

function split(terms: readonly Scalar[], test: (term: Scalar) => boolean): [Scalar[], Scalar[]] {
  return [terms.filter(test), terms.filter((term) => !test(term))];
}

function substituted(term: Scalar, map: ReadonlyMap<Field, Scalar>): Scalar {
  return rewrite(term, (part) => (part.kind === 'field' ? map.get(part.field) : undefined));
}

function reference(field: Field): Scalar {
  return { kind: 'field', field, type: field.type, start: 0, end: 0 };
}

function filtered(relation: Relation, conditions: readonly Scalar[]): Relation {
  const predicate = conjunction(conditions);
  return predicate ? ({ kind: 'filter', input: relation, predicate, fields: relation.fields } satisfies Filter) : relation;
}
