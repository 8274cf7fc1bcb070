/** Aggregations: many series of a vector become few. Mirrors Prometheus 2.42. */
import type { Labels } from '../labels.ts';
import { type Budget, type Column, keyOf, only, SORTING, without } from './column.ts';
import { ExecutionError } from './expression.ts';
import { quantile } from './over-time.ts';

/** What the values of a group at one time become; those are in the order of the series. */
type Summary = (values: readonly number[], parameter: number) => number;

function extreme(values: readonly number[], better: (a: number, b: number) => boolean): number {
  let best = values[0] ?? Number.NaN;
  for (const value of values) if (Number.isNaN(best) || better(value, best)) best = value;
  return best;
}

function variance(values: readonly number[]): number {
  let mean = 0;
  let sum = 0;
  for (const [i, value] of values.entries()) {
    const distance = value - mean;
    mean += distance / (i + 1);
    sum += distance * (value - mean);
  }
  return sum / values.length;
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

const SUMMARIES: Readonly<Record<string, Summary>> = {
  sum: total,
  avg: (values) => total(values) / values.length,
  min: (values) => extreme(values, (a, b) => a < b),
  max: (values) => extreme(values, (a, b) => a > b),
  count: (values) => values.length,
  group: () => 1,
  stdvar: variance,
  stddev: (values) => Math.sqrt(variance(values)),
  quantile: (values, share) => quantile(share, values),
};

/** Which labels an aggregation keeps. */
export interface Grouping {
  readonly labels: readonly string[];
  readonly without: boolean;
}

/** @param parameter at each time, of those aggregations that have one */
export function aggregate(
  operator: string,
  grouping: Grouping,
  columns: readonly Column[],
  parameter: Float64Array | null,
  budget: Budget,
): Column[] {
  const groups = new Map<string, { readonly labels: Labels; readonly members: Column[] }>();
  for (const column of columns) {
    const labels = groupLabels(column.labels, grouping);
    const key = keyOf(labels);
    const group = groups.get(key) ?? { labels, members: [] };
    group.members.push(column);
    groups.set(key, group);
  }
  const sorts = parameter === null ? 1 : SORTING;
  budget.look(sorts * columns.length * (columns[0]?.values.length ?? 0));
  const summary = SUMMARIES[operator];
  if (summary === undefined) {
    return [...groups.values()].flatMap(({ members }) => best(members, parameter, operator === 'topk', budget));
  }
  return [...groups.values()].map(({ labels, members }) => {
    const into = budget.column(labels, members[0]?.values.length ?? 0);
    for (let i = 0; i < into.values.length; i++) {
      const values: number[] = [];
      for (const member of members) if (member.present[i] === 1) values.push(member.values[i] ?? 0);
      if (values.length === 0) continue;
      into.values[i] = summary(values, parameter?.[i] ?? Number.NaN);
      into.present[i] = 1;
    }
    return into;
  });
}

const groupLabels = (labels: Labels, grouping: Grouping): Labels =>
  grouping.without ? without(labels, ['__name__', ...grouping.labels]) : only(labels, grouping.labels);

/** The k series with the most, or the least; what is no number comes last. */
function best(members: readonly Column[], parameter: Float64Array | null, most: boolean, budget: Budget): Column[] {
  const count = members[0]?.values.length ?? 0;
  const kept = new Map<Column, Column>();
  for (let i = 0; i < count; i++) {
    const k = parameter?.[i] ?? Number.NaN;
    if (!(Math.abs(k) < 2 ** 63)) throw new ExecutionError(`Scalar value ${goText(k)} overflows int64`);
    const there = members.filter(({ present }) => present[i] === 1);
    for (const member of there
      .sort((a, b) => compare(a.values[i] ?? 0, b.values[i] ?? 0, most))
      .slice(0, Math.max(0, Math.trunc(k)))) {
      const into = kept.get(member) ?? budget.column(member.labels, count);
      kept.set(member, into);
      into.values[i] = member.values[i] ?? 0;
      into.present[i] = 1;
    }
  }
  return [...kept.values()];
}

/** An order in which what is no number comes last. */
export function compare(a: number, b: number, descending: boolean): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return descending ? b - a || 0 : a - b || 0;
}

const goText = (value: number): string =>
  Number.isNaN(value) ? 'NaN' : value === Number.POSITIVE_INFINITY ? '+Inf' : `${value}`.replace('Infinity', 'Inf');
