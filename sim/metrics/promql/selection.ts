/** What selectors select: values at evaluation times, and windows of samples. Mirrors Prometheus 2.42. */
import type { Labels } from '../labels.ts';
import { LOOKBACK_MS } from '../series.ts';
import type { SeriesGroup } from '../stored.ts';
import { type Budget, byLabels, type Column, type Times } from './column.ts';
import type { Selector } from './expression.ts';
import type { Matcher } from './matcher.ts';

/** A query in progress. */
export interface Evaluation {
  readonly select: (matchers: readonly Matcher[]) => Iterable<SeriesGroup>;
  readonly times: Times;
  readonly budget: Budget;
}

/** Samples of one series, those of a window from `first` to before `end`. */
export interface Window {
  readonly times: readonly number[];
  readonly values: readonly number[];
  readonly first: number;
  readonly end: number;
  /** The bounds of the window; both belong to it. */
  readonly from: number;
  readonly to: number;
}

/** Where a selector looks, at an evaluation time. */
function timeOf({ fixed, offsetMs }: Selector, { start, step, count }: Times, i: number): number {
  const at = fixed === null ? i : 0;
  const base = typeof fixed === 'number' ? fixed : fixed === 'end' ? start + step * (count - 1) : start + step * at;
  return base - offsetMs;
}

/** With `@`, one look is enough for all evaluation times. */
const looksOf = ({ fixed }: Selector, { count }: Times): number => (fixed === null ? count : 1);

function spread(selector: Selector, columns: readonly Column[]): void {
  if (selector.fixed === null) return;
  for (const { values, present } of columns) {
    values.fill(values[0] ?? 0);
    present.fill(present[0] ?? 0);
  }
}

/** @param timestamps whether the values are to be the samples' times, in seconds */
export function instants(selector: Selector, evaluation: Evaluation, timestamps = false): Column[] {
  const columns: Column[] = [];
  for (const group of evaluation.select(selector.matchers)) {
    evaluation.budget.take(group.labels.length);
    fill(group, selector, evaluation, timestamps, columns);
  }
  spread(selector, columns);
  return columns.sort(byLabels);
}

function fill(group: SeriesGroup, selector: Selector, evaluation: Evaluation, timestamps: boolean, into: Column[]) {
  const { times, budget } = evaluation;
  const { labels, marksEnds } = group;
  const columns: (Column | undefined)[] = labels.map(() => undefined);
  const shown: (number | undefined)[] = labels.map(() => undefined);
  const looks = looksOf(selector, times);
  let shownAt = Number.NaN;
  budget.look(looks);
  for (let i = 0; i < looks; i++) {
    const at = timeOf(selector, times, i);
    const sampling = group.newest(at, at - LOOKBACK_MS);
    if (sampling === null) continue;
    if (sampling.at !== shownAt) {
      shownAt = sampling.at;
      for (let n = 0; n < labels.length; n++) shown[n] = sampling.value(n);
    }
    for (let n = 0; n < labels.length; n++) {
      let value = shown[n];
      let sampledAt = shownAt;
      if (value === undefined) {
        if (marksEnds) continue;
        const older = olderOf(group, n, shownAt, at - LOOKBACK_MS);
        if (older === undefined) continue;
        [sampledAt, value] = older;
      }
      const column = columns[n] ?? budget.column(labels[n] ?? [], times.count);
      columns[n] = column;
      column.values[i] = timestamps ? sampledAt / 1000 : value;
      column.present[i] = 1;
    }
  }
  for (const column of columns) if (column !== undefined) into.push(column);
}

/** What a scrape does not bring, an older one may have. */
function olderOf(group: SeriesGroup, series: number, beforeMs: number, sinceMs: number): [number, number] | undefined {
  for (let sampling = group.newest(beforeMs - 1, sinceMs); sampling !== null; ) {
    const value = sampling.value(series);
    if (value !== undefined) return [sampling.at, value];
    sampling = group.newest(sampling.at - 1, sinceMs);
  }
  return undefined;
}

/** What a function makes of each series' window at each evaluation time. */
export function overWindows(
  selector: Selector,
  evaluation: Evaluation,
  measure: (window: Window, i: number, labels: Labels) => number | undefined,
): Column[] {
  const { times, budget } = evaluation;
  const columns: Column[] = [];
  for (const group of evaluation.select(selector.matchers)) {
    const own: (Column | undefined)[] = group.labels.map(() => undefined);
    budget.take(own.length);
    slide(group, selector, evaluation, (n, window, i) => {
      const labels = group.labels[n] ?? [];
      const value = measure(window, i, labels);
      if (value === undefined) return;
      const column = own[n] ?? budget.column(labels, times.count);
      own[n] = column;
      column.values[i] = value;
      column.present[i] = 1;
    });
    for (const column of own) if (column !== undefined) columns.push(column);
  }
  spread(selector, columns);
  return columns.sort(byLabels);
}

/** Moves the window over the samples of a group; each is fetched once. Empty windows are not shown. */
function slide(
  group: SeriesGroup,
  selector: Selector,
  { times, budget }: Evaluation,
  show: (series: number, window: Window, i: number) => void,
): void {
  const range = selector.rangeMs ?? 0;
  const looks = looksOf(selector, times);
  const kept = group.labels.map(() => ({ times: [] as number[], values: [] as number[], first: 0 }));
  let fetchedTo = Number.NEGATIVE_INFINITY;
  budget.look(looks);
  for (let i = 0; i < looks; i++) {
    const to = timeOf(selector, times, i);
    const from = to - range;
    for (const sampling of group.between(Math.max(from, fetchedTo + 1), to)) {
      budget.spend(kept.length);
      for (const [n, one] of kept.entries()) {
        const value = sampling.value(n);
        if (value === undefined) continue;
        one.times.push(sampling.at);
        one.values.push(value);
      }
    }
    fetchedTo = to;
    for (const [n, one] of kept.entries()) {
      while (one.first < one.times.length && (one.times[one.first] ?? 0) < from) one.first++;
      forgetPast(one);
      const end = one.times.length;
      if (end === one.first) continue;
      budget.look(end - one.first);
      show(n, { times: one.times, values: one.values, first: one.first, end, from, to }, i);
    }
  }
}

const MANY = 4096;

function forgetPast(kept: { times: number[]; values: number[]; first: number }): void {
  if (kept.first < MANY || kept.first < kept.times.length / 2) return;
  kept.times.splice(0, kept.first);
  kept.values.splice(0, kept.first);
  kept.first = 0;
}
