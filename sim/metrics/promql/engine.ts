/** Carries out queries over what Prometheus has stored. Mirrors the engine of Prometheus 2.42. */
import { remembered } from '../../kernel/remembered.ts';
import type { Labels } from '../labels.ts';
import type { SeriesGroup } from '../stored.ts';
import { aggregate, compare } from './aggregate.ts';
import { check, typeOf } from './check.ts';
import { Budget, byLabels, type Column, merged, SORTING, type Times, withoutName } from './column.ts';
import {
  type Aggregation,
  type Binary,
  type Call,
  ExecutionError,
  type Expression,
  type Selector,
} from './expression.ts';
import { POINTWISE } from './functions.ts';
import type { Matcher } from './matcher.ts';
import { operation, withScalar, withVector } from './operate.ts';
import { OVER_TIME } from './over-time.ts';
import { parse } from './parse.ts';
import { type Evaluation, instants, overWindows } from './selection.ts';

/** Samples of a series as they are stored. */
interface Row {
  readonly labels: Labels;
  /** Milliseconds. */
  readonly times: readonly number[];
  readonly values: readonly number[];
}

export type Result =
  | { readonly type: 'scalar'; readonly values: Float64Array }
  | { readonly type: 'vector'; readonly columns: readonly Column[] }
  | { readonly type: 'matrix'; readonly rows: readonly Row[] }
  | { readonly type: 'string'; readonly text: string };

/** Stored series that pass all matchers. */
export type Store = (matchers: readonly Matcher[]) => Iterable<SeriesGroup>;

/** Reads a query and checks it; who asks one asks it again. @throws ParseError */
export const prepare: (query: string) => Expression = remembered((query) => {
  const expression = parse(query);
  check(query, expression);
  return expression;
});

/** @throws ExecutionError when it cannot be carried out, or would cost too much */
export function evaluate(expression: Expression, select: Store, times: Times): Result {
  const evaluation: Evaluation = { select, times, budget: new Budget() };
  const inner = unwrapped(expression);
  if (inner.is === 'string') return { type: 'string', text: inner.text };
  if (inner.is === 'selector' && inner.rangeMs !== null) return { type: 'matrix', rows: rowsOf(inner, evaluation) };
  const run = new Run(evaluation);
  if (typeOf(expression) === 'scalar') return { type: 'scalar', values: run.scalar(expression) };
  return { type: 'vector', columns: run.vector(expression) };
}

function unwrapped(expression: Expression): Expression {
  return expression.is === 'paren' ? unwrapped(expression.inner) : expression;
}

/** The samples in a range; it is asked for at one time only. */
function rowsOf(selector: Selector, evaluation: Evaluation): Row[] {
  const rows: Row[] = [];
  overWindows(selector, evaluation, ({ times, values, first, end }, _, labels) => {
    rows.push({ labels, times: times.slice(first, end), values: values.slice(first, end) });
    return undefined;
  });
  return rows.sort(byLabels);
}

/** One query, part by part. */
class Run {
  readonly #evaluation: Evaluation;

  constructor(evaluation: Evaluation) {
    this.#evaluation = evaluation;
  }

  get #count(): number {
    return this.#evaluation.times.count;
  }

  #constant(value: number): Float64Array {
    this.#evaluation.budget.spend(this.#count);
    return new Float64Array(this.#count).fill(value);
  }

  #timesInSeconds(): Float64Array {
    const { start, step } = this.#evaluation.times;
    return this.#constant(0).map((_, i) => (start + i * step) / 1000);
  }

  /** Of an expression that is a scalar. */
  scalar(expression: Expression): Float64Array {
    switch (expression.is) {
      case 'number':
        return this.#constant(expression.value);
      case 'paren':
        return this.scalar(expression.inner);
      case 'negation': {
        const operand = this.scalar(expression.operand);
        return expression.sign === '-' ? operand.map((value) => -value) : operand;
      }
      case 'binary': {
        const [left, right] = [this.scalar(expression.left), this.scalar(expression.right)];
        const operate = operation(expression.operator, expression.bool);
        return left.map((value, i) => operate(value, right[i] ?? 0) ?? Number.NaN);
      }
      case 'call':
        return expression.name === 'time' ? this.#timesInSeconds() : this.#onlyValue(this.#argument(expression, 0));
      default:
        throw new Error(`A scalar was expected, and not ${expression.is}`);
    }
  }

  /** `scalar()`: the value of the only series, if there is one and no more. */
  #onlyValue(vector: readonly Column[]): Float64Array {
    return this.#constant(Number.NaN).map((none, i) => {
      const there = vector.filter(({ present }) => present[i] === 1);
      return there.length === 1 ? (there[0]?.values[i] ?? none) : none;
    });
  }

  /** Of an expression that is an instant vector. */
  vector(expression: Expression): readonly Column[] {
    switch (expression.is) {
      case 'paren':
        return this.vector(expression.inner);
      case 'selector':
        return instants(expression, this.#evaluation);
      case 'negation': {
        const operand = this.vector(expression.operand);
        return expression.sign === '-' ? this.#each(operand, (value) => -value) : operand;
      }
      case 'binary':
        return this.#binary(expression);
      case 'aggregation':
        return this.#aggregation(expression);
      case 'call':
        return this.#call(expression);
      default:
        throw new Error(`A vector was expected, and not ${expression.is}`);
    }
  }

  #each(vector: readonly Column[], of: (value: number, i: number) => number): Column[] {
    return merged(
      vector.map(({ labels, values, present }) => {
        this.#evaluation.budget.spend(values.length);
        return { labels: withoutName(labels), values: values.map(of), present: present.slice() };
      }),
    );
  }

  #binary({ operator, bool, matching, left, right }: Binary): Column[] {
    const { budget } = this.#evaluation;
    if (typeOf(left) === 'scalar') {
      return withScalar(operator, bool, this.vector(right), this.scalar(left), true, budget);
    }
    if (typeOf(right) === 'scalar') {
      return withScalar(operator, bool, this.vector(left), this.scalar(right), false, budget);
    }
    return withVector(operator, bool, matching, this.vector(left), this.vector(right), budget);
  }

  #aggregation(expression: Aggregation): Column[] {
    const [first, second] = expression.args;
    const parameter = second === undefined || first === undefined ? null : this.scalar(first);
    const vector = second ?? first;
    const columns = vector === undefined ? [] : this.vector(vector);
    const { budget } = this.#evaluation;
    return aggregate(expression.operator, expression, columns, parameter, budget);
  }

  #argument({ args }: Call, i: number): readonly Column[] {
    const argument = args[i];
    return argument === undefined ? [] : this.vector(argument);
  }

  #scalarArgument({ args }: Call, i: number, missing: number): Float64Array {
    const argument = args[i];
    return argument === undefined ? this.#constant(missing) : this.scalar(argument);
  }

  #call(call: Call): readonly Column[] {
    const { name } = call;
    const pointwise = POINTWISE[name];
    if (pointwise !== undefined) {
      const [a, b] = [this.#scalarArgument(call, 1, 1), this.#scalarArgument(call, 2, 0)];
      const clampsToNothing = name === 'clamp' ? a.map((low, i) => Number(low > (b[i] ?? 0))) : undefined;
      const made = this.#each(this.#argument(call, 0), (value, i) => pointwise.of(value, a[i] ?? 0, b[i] ?? 0));
      return clampsToNothing === undefined ? made : withoutTimes(made, clampsToNothing);
    }
    if (Object.hasOwn(OVER_TIME, name)) return this.#overTime(call);
    switch (name) {
      case 'vector': {
        const values = this.#scalarArgument(call, 0, 0);
        return [{ labels: [], values, present: new Uint8Array(values.length).fill(1) }];
      }
      case 'absent':
        return this.#absence(call, this.#argument(call, 0));
      case 'absent_over_time':
        return this.#absence(
          call,
          overWindows(selectorOf(call, 0), this.#evaluation, () => 1),
        );
      case 'timestamp':
        return this.#timestamps(call);
      case 'sort':
        return this.#sorted(call, false);
      case 'sort_desc':
        return this.#sorted(call, true);
      default:
        throw new ExecutionError(`the function ${name} is not supported`);
    }
  }

  #overTime(call: Call): Column[] {
    const { name, args } = call;
    const of = OVER_TIME[name];
    const windowAt = args.findIndex((argument) => typeOf(argument) === 'range vector');
    const parameter = args.length < 2 ? null : this.#scalarArgument(call, 1 - windowAt, 0);
    const looks = name === 'quantile_over_time' ? SORTING : 0;
    const columns = overWindows(selectorOf(call, windowAt), this.#evaluation, (window, i) => {
      this.#evaluation.budget.look(looks * (window.end - window.first));
      return of?.(window, parameter?.[i] ?? Number.NaN);
    });
    if (name === 'last_over_time') return columns;
    return merged(columns.map((column) => ({ ...column, labels: withoutName(column.labels) })));
  }

  /** 1 at the times at which a vector is empty, with the labels that it would surely have. */
  #absence(call: Call, vector: readonly Column[]): Column[] {
    const column = this.#evaluation.budget.column(absentLabels(call.args[0]), this.#count);
    for (let i = 0; i < this.#count; i++) {
      if (vector.some(({ present }) => present[i] === 1)) continue;
      column.present[i] = 1;
      column.values[i] = 1;
    }
    return column.present.includes(1) ? [column] : [];
  }

  #timestamps(call: Call): Column[] {
    const [argument] = call.args;
    if (argument?.is === 'selector') {
      const columns = instants(argument, this.#evaluation, true);
      return merged(columns.map((column) => ({ ...column, labels: withoutName(column.labels) })));
    }
    const times = this.#timesInSeconds();
    return this.#each(this.#argument(call, 0), (_, i) => times[i] ?? 0);
  }

  /** Shows in an instant query only: the rows of a matrix are in the order of their labels. */
  #sorted(call: Call, descending: boolean): readonly Column[] {
    return this.#argument(call, 0).toSorted((a, b) => compare(a.values[0] ?? 0, b.values[0] ?? 0, descending));
  }
}

function selectorOf({ args }: Call, i: number): Selector {
  const argument = args[i] === undefined ? undefined : unwrapped(args[i]);
  if (argument?.is !== 'selector') throw new Error('A range is that of a selector: subqueries are refused');
  return argument;
}

/** Of the labels that a selector says, those that it says once. */
function absentLabels(argument: Expression | undefined): Labels {
  const inner = argument === undefined ? undefined : unwrapped(argument);
  if (inner?.is !== 'selector') return [];
  const said = inner.matchers.filter(({ label }) => label !== '__name__');
  return said
    .filter(({ label, operator }) => operator === '=' && said.filter((other) => other.label === label).length === 1)
    .map(({ label, value }) => [label, value] as const)
    .filter(([, value]) => value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function withoutTimes(columns: readonly Column[], left: Float64Array): Column[] {
  for (const { present } of columns) for (let i = 0; i < present.length; i++) if (left[i] === 1) present[i] = 0;
  return columns.filter(({ present }) => present.includes(1));
}
