import type { Expression, Query } from '../../../grammar/efilter-tree.js';
import type { Relation, Scalar } from '../plan/logical.js';
import { memberTypeOf, type Type } from '../types.js';
import { type Environment, Guard, type Position } from './context.js';
import { analyseExpression } from './expressions.js';
import { analyseQuery } from './queries.js';
import type { Scope } from './scope.js';

/** One query under analysis: what its parts share. */
export class Analysis {
  readonly guard = new Guard();
  private readonly members = new Map<string, Promise<ReadonlyMap<string, Type> | undefined>>();

  constructor(readonly environment: Environment) {}

  /** An expression with names resolved and types checked. */
  expression(node: Expression, position: Position): Promise<Scalar> {
    return analyseExpression(this, node, position);
  }

  /** A query with names resolved and types checked. */
  query(query: Query, scope: Scope): Promise<Relation> {
    return analyseQuery(this, query, scope);
  }

  /** Types of a struct's members, by the profile; undefined where nothing is known of it. */
  membersOf(struct: string): Promise<ReadonlyMap<string, Type> | undefined> {
    let known = this.members.get(struct);
    if (!known) this.members.set(struct, (known = this.askMembers(struct)));
    return known;
  }

  private async askMembers(struct: string): Promise<ReadonlyMap<string, Type> | undefined> {
    const members = await this.environment.catalog.members?.(struct);
    return members && new Map([...members].map(([name, member]) => [name, memberTypeOf(member)]));
  }
}
