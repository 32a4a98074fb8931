import { type Cell, compile, type CompileContext, compilePredicate, type Evaluate } from '../run/compile.js';
import { Shared as SharedRows, SharedStep } from '../run/steps/shared.js';
import { GroupStep } from '../run/steps/group.js';
import { HashJoinStep, type JoinNarrowing, type JoinParts } from '../run/steps/join.js';
import { columnNames, ScanStep } from '../run/steps/scan.js';
import { DistinctStep } from '../run/steps/distinct.js';
import { LateralStep, NestedLoopStep } from '../run/steps/nested-loop.js';
import { SetStep } from '../run/steps/sets.js';
import { FilterStep, LimitStep, ListStep, OneRowStep, ProjectStep } from '../run/steps/simple.js';
import { SortStep } from '../run/steps/sort.js';
import { isTree, passesRows, projection, rowProjection, sameRows } from '../run/projection.js';
import type { Step } from '../run/step.js';
import { type RunHolder, SubqueryRunner } from '../run/subquery.js';
import { arrayLayout, joiner, type Layout, type Slot } from '../run/tuple.js';
import type { ValueContext } from '../values/context.js';
import { conjunction, conjuncts, fieldsOf } from './conditions.js';
import { isMissing } from '../values/equality.js';
import type { Field, Filter, Join, Limit, Project, Relation, Scalar, Shared, SharedScan, Sort, SubqueryTerm, TableScan, Variable } from './logical.js';
import { textOf, textOfKeys } from './print.js';
import { type Equality, equality, isOpen } from './equality.js';
import { isSelective, narrowTarget, pushable } from './pushdown.js';
import { contains, needsOf, relationNeeds } from './walk.js';

type Cells = ReadonlyMap<Field | Variable, Cell>;

/** Makes steps of relations: one plan for one run of a query. */
export class PlanBuilder {
  private readonly shared = new Map<Shared, SharedRows>();
  private readonly subqueries = new Map<SubqueryTerm, { readonly cells: Cells; readonly runner: SubqueryRunner }[]>();
  private readonly scans = new Map<TableScan, ScanStep>();
  /** steps of sub-queries that the expressions of the step being built use */
  private inner: Step[] = [];

  readonly holder: RunHolder = { context: undefined };

  constructor(private readonly values: ValueContext) {}

  /**
   * @param wanted fields that somebody will read
   * @param cells fields and variables from around the relation
   */
  build(relation: Relation, wanted: ReadonlySet<Field>, cells: Cells): Step {
    return this.nested(() => this.step(relation, wanted, cells));
  }

  /** A step with the sub-queries that its expressions use. */
  private nested(make: () => Step): Step {
    const outer = this.inner;
    this.inner = [];
    const step = make();
    step.subqueries.push(...this.inner);
    this.inner = outer;
    return step;
  }

  private step(relation: Relation, wanted: ReadonlySet<Field>, cells: Cells): Step {
    switch (relation.kind) {
      case 'one':
        return new OneRowStep();
      case 'table':
        return this.scan(relation, wanted, cells, []);
      case 'list':
        return new ListStep(compile(relation.value, this.context(new Map(), cells)), relation.fields, relation.whole, this.values, textOf(relation.value));
      case 'filter':
        return this.filter(relation, wanted, cells);
      case 'project':
        return this.project(pruned(relation, wanted), cells);
      case 'join':
        return this.join(relation, wanted, cells);
      case 'group': {
        const scalars = [...relation.keys.map(({ value }) => value), ...relation.aggregates.flatMap(({ args }) => args)];
        const input = this.build(relation.input, needed(scalars), cells);
        const context = this.context(input.layout, cells);
        const aggregates = relation.aggregates.map((aggregate) => ({
          aggregate,
          args: aggregate.args.map((arg) => compile(arg, context)),
          keeps: aggregate.field.type.kind === 'list',
          context: { timezone: this.values.timezone, now: this.values.now, types: aggregate.args.map(({ type }) => type) },
        }));
        const keys = relation.keys.map(({ value }) => compile(value, context));
        const detail = [
          relation.keys.map(({ value }) => textOf(value)).join(', '),
          relation.aggregates
            .map((aggregate) => `${aggregate.callee.name}(${aggregate.distinct ? 'distinct ' : ''}${aggregate.args.map((arg) => textOf(arg)).join(', ')})`)
            .join(', '),
        ];
        const waits = scalars.some((scalar) => contains(scalar, ({ kind }) => kind === 'subquery'));
        return new GroupStep(input, keys, aggregates, relation.fields, waits, detail.filter((part) => part !== '').join(': '));
      }
      case 'sort':
        return this.sort(relation, wanted, cells, undefined);
      case 'limit':
        return this.limit(relation, wanted, cells);
      case 'distinct': {
        const input = this.build(relation.input, fieldsOf(relation), cells);
        return new DistinctStep(
          input,
          relation.fields.map((field) => input.slot(field)),
        );
      }
      case 'set': {
        const left = this.build(relation.left, fieldsOf(relation.left), cells);
        const right = this.build(relation.right, fieldsOf(relation.right), cells);
        const slots = (step: Step, side: Relation): Slot[] => side.fields.map((field) => step.slot(field));
        return new SetStep(relation.operator, left, right, slots(left, relation.left), slots(right, relation.right), arrayLayout(relation.fields));
      }
      case 'shared':
        return this.sharedStep(relation, cells);
    }
  }

  private sort(relation: Sort, wanted: ReadonlySet<Field>, cells: Cells, most: Evaluate | undefined): Step {
    const values = relation.keys.map(({ value }) => value);
    const input = this.build(relation.input, needed(values, wanted), cells);
    const context = this.context(input.layout, cells);
    const keys = relation.keys.map((key) => ({ ...key, value: compile(key.value, context) }));
    return new SortStep(input, keys, most, textOfKeys(relation.keys));
  }

  private limit(relation: Limit, wanted: ReadonlySet<Field>, cells: Cells): Step {
    const context = this.context(new Map(), cells);
    const limit = relation.limit && compile(relation.limit, context);
    const offset = relation.offset && compile(relation.offset, context);
    const { input } = relation;
    const count = (value: unknown): number => (typeof value === 'number' || typeof value === 'bigint' ? Math.max(0, Math.floor(Number(value))) : 0);
    // Only the first rows of a sort are kept where no others are wanted.
    const most: Evaluate | undefined = limit && ((tuple) => (isMissing(limit(tuple)) ? Infinity : count(limit(tuple)) + count(offset?.(tuple))));
    const step = input.kind === 'sort' ? this.nested(() => this.sort(input, wanted, cells, most)) : this.build(input, wanted, cells);
    const detail = [relation.limit ? textOf(relation.limit) : 'all', ...(relation.offset ? [`offset ${textOf(relation.offset)}`] : [])].join(' ');
    return new LimitStep(step, limit, offset, detail);
  }

  /** Steps and expressions of one place see the same fields. */
  context(layout: Layout, cells: Cells): CompileContext {
    return { layout, cells, values: this.values, subquery: (term, context) => this.subquery(term, context) };
  }

  /** A projection whose tuples are rows, keyed by the names of its columns. */
  rows(relation: Relation): Step {
    const cells: Cells = new Map();
    const fields = relation.fields;
    const layout = new Map<Field, Slot>(fields.map((field) => [field, field.name]));
    if (relation.kind === 'project') return this.project(relation, cells, layout);
    const items = fields.map((field): Scalar => ({ kind: 'field', field, type: field.type, start: 0, end: 0 }));
    return this.project({ kind: 'project', input: relation, items, fields }, cells, layout);
  }

  private scan(relation: TableScan, wanted: ReadonlySet<Field>, cells: Cells, conditions: readonly Scalar[]): ScanStep {
    const fields = relation.fields.filter((field) => wanted.has(field));
    const context = this.context(new Map(), cells);
    const args = [...relation.args].map(([name, value]) => ({
      name,
      arg: relation.table.args[name] as TableScan['table']['args'][string],
      value: compile(value, context),
    }));
    const pushed = pushable(relation, conditions).map(({ name, arg, value, text }) => ({ name, arg, value: compile(value, context), pushed: text }));
    const layout = new Map<Field, Slot>(fields.map((field) => [field, field.name]));
    const detail = [...relation.args].map(([name, value]) => `${name}: ${textOf(value)}`).join(', ');
    const step = new ScanStep(relation, [...args, ...pushed], layout, columnNames(fields), detail);
    this.scans.set(relation, step);
    return step;
  }

  private filter(relation: Filter, wanted: ReadonlySet<Field>, cells: Cells): Step {
    const below = needed([relation.predicate], wanted);
    const { input: source } = relation;
    const input = source.kind === 'table' ? this.scan(source, below, cells, conjuncts(relation.predicate)) : this.build(source, below, cells);
    return new FilterStep(input, compilePredicate(relation.predicate, this.context(input.layout, cells)), textOf(relation.predicate));
  }

  private project(relation: Project, cells: Cells, layout: Layout = arrayLayout(relation.fields)): Step {
    const input = this.build(relation.input, needed(relation.items), cells);
    const context = this.context(input.layout, cells);
    const items = relation.items.map((item) => compile(item, context));
    const slots = relation.fields.map((field) => layout.get(field) as Slot);
    const detail = relation.items
      .map((item, index) => {
        const name = relation.fields[index]?.name ?? '';
        const text = textOf(item, 60);
        return text === name ? name : `${text} as ${name}`;
      })
      .join(', ');
    const names = slots.filter((slot) => typeof slot === 'string');
    const fault = (): void => this.holder.context?.fault();
    const same = names.length > 0 && passesRows(relation, input);
    if (same && input instanceof ScanStep) {
      // The table's own rows are those of the query, and it has counted what could not be read.
      input.isWhole = true;
      return input;
    }
    const project = same ? sameRows(names, fault) : names.length > 0 ? rowProjection(items, names, isTree(relation), fault) : projection(items);
    return new ProjectStep(input, project, layout, detail);
  }

  private join(relation: Join, wanted: ReadonlySet<Field>, cells: Cells): Step {
    const leftFields = fieldsOf(relation.left);
    const rightFields = fieldsOf(relation.right);
    const outerNeeds = relationNeeds(relation.right);
    const captured = [...outerNeeds.fields].filter((field) => leftFields.has(field));
    const terms = conjuncts(relation.condition);
    const below = needed(terms, wanted);
    for (const field of captured) below.add(field);
    const left = this.build(relation.left, below, cells);
    const keys = captured.length > 0 ? [] : terms.flatMap((term) => equality(term, leftFields, rightFields));
    const own = new Map<Field, Cell>(captured.map((field) => [field, { value: null }]));
    const right = this.build(relation.right, below, own.size === 0 ? cells : new Map([...cells, ...own]));
    const fields = relation.fields.filter((field) => below.has(field));
    const layout = arrayLayout([...fields.filter((field) => leftFields.has(field)), ...fields.filter((field) => rightFields.has(field))]);
    const slots = (step: Step, side: ReadonlySet<Field>): Slot[] => fields.filter((field) => side.has(field)).map((field) => step.slot(field));
    const combine = joiner(slots(left, leftFields), slots(right, rightFields));
    const used = new Set(keys.map(({ term }) => term));
    const residual = conjunction(terms.filter((term) => !used.has(term)));
    const combined = this.context(layout, cells);
    const loose = keys.some((key) => isOpen(key.left.type) || isOpen(key.right.type)) && relation.condition;
    const parts: JoinParts = {
      type: relation.type,
      combine,
      residual: residual && compilePredicate(residual, combined),
      ...(loose ? { whole: compilePredicate(loose, combined) } : {}),
    };
    const leftContext = this.context(left.layout, cells);
    const detail = terms.map((term) => textOf(term)).join(' and ');
    if (keys.length === 0) {
      const captures = [...own].map(([field, cell]) => ({ cell, value: compile({ kind: 'field', field, type: field.type, start: 0, end: 0 }, leftContext) }));
      return captures.length > 0 ? new LateralStep(left, right, parts, layout, captures, detail) : new NestedLoopStep(left, right, parts, layout, detail);
    }
    const rightContext = this.context(right.layout, cells);
    const narrowing = this.narrowing(relation, keys);
    return new HashJoinStep(
      left,
      right,
      keys.map((key) => compile(key.left, leftContext)),
      keys.map((key) => compile(key.right, rightContext)),
      parts,
      layout,
      narrowing,
      detail,
    );
  }

  /** A side of a join that can be told which keys the other side has, where that is likely to save work. */
  private narrowing(relation: Join, keys: readonly Equality[]): JoinNarrowing | undefined {
    const find = (side: 'left' | 'right'): JoinNarrowing | undefined => {
      for (const [index, key] of keys.entries()) {
        const target = narrowTarget(relation[side], key[side]);
        const scan = target && this.scans.get(target.scan);
        if (target && scan && !scan.hasArgument(target.name)) return { side, key: index, scan, name: target.name, arg: target.arg };
      }
      return undefined;
    };
    const right = isSelective(relation.left) ? find('right') : undefined;
    const found = right ?? (relation.type === 'inner' && isSelective(relation.right) ? find('left') : undefined);
    found?.scan.expectNarrowing(found.name, textOf(keys[found.key]?.[found.side === 'left' ? 'right' : 'left'] as Scalar));
    return found;
  }

  private sharedStep(relation: SharedScan, cells: Cells): Step {
    const { shared } = relation;
    const needs = relationNeeds(shared.relation);
    if (needs.fields.size + needs.variables.size > 0) {
      // It reads columns of a query around it, and is another table for each of its rows.
      const step = this.build(shared.relation, fieldsOf(shared.relation), cells);
      return new SharedStep(
        new SharedRows(
          shared.name,
          step,
          shared.relation.fields.map((field) => step.slot(field)),
        ),
        arrayLayout(relation.fields),
      );
    }
    let rows = this.shared.get(shared);
    if (!rows) {
      const step = this.build(shared.relation, fieldsOf(shared.relation), new Map());
      rows = new SharedRows(
        shared.name,
        step,
        shared.relation.fields.map((field) => step.slot(field)),
      );
      this.shared.set(shared, rows);
    }
    return new SharedStep(rows, arrayLayout(relation.fields));
  }

  private subquery(term: SubqueryTerm, context: CompileContext): Evaluate {
    const needs = relationNeeds(term.relation);
    const outside: (Field | Variable)[] = [...needs.fields, ...needs.variables];
    if (outside.length === 0) {
      const known = this.subqueries.get(term)?.[0];
      if (known) return known.runner.evaluate([]);
    }
    const cells = new Map(context.cells);
    const captures = outside.map((what) => {
      const cell: Cell = { value: null };
      cells.set(what, cell);
      const scalar: Scalar =
        'column' in what
          ? { kind: 'field', field: what, type: what.type, start: 0, end: 0 }
          : { kind: 'variable', variable: what, type: what.type, start: 0, end: 0 };
      return { cell, value: compile(scalar, context) };
    });
    const outer = this.inner;
    this.inner = [];
    const step = this.build(term.relation, fieldsOf(term.relation), cells);
    this.inner = outer;
    this.inner.push(step);
    const runner = new SubqueryRunner(
      term,
      step,
      captures.map(({ cell }) => cell),
      this.holder,
    );
    if (outside.length === 0) this.subqueries.set(term, [{ cells, runner }]);
    return runner.evaluate(captures.map(({ value }) => value));
  }
}

/** A projection to what is wanted of it. */
function pruned(relation: Project, wanted: ReadonlySet<Field>): Project {
  if (relation.fields.every((field) => wanted.has(field))) return relation;
  const kept = relation.fields.flatMap((field, index) => (wanted.has(field) ? [{ field, item: relation.items[index] as Scalar }] : []));
  return { ...relation, items: kept.map(({ item }) => item), fields: kept.map(({ field }) => field) };
}

/** Fields that these expressions read, and others that are wanted anyway. */
function needed(scalars: readonly Scalar[], wanted: Iterable<Field> = []): Set<Field> {
  const fields = new Set(wanted);
  for (const scalar of scalars) for (const field of needsOf(scalar).fields) fields.add(field);
  return fields;
}
