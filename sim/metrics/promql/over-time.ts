/** Functions over the samples of a window. Mirrors those of Prometheus 2.42, its extrapolation included. */
import type { Window } from './selection.ts';

/** undefined: the series is not part of the result. `parameter` is the scalar argument of those that have one. */
type OverTime = (window: Window, parameter: number) => number | undefined;

const at = (values: readonly number[], i: number): number => values[i] ?? Number.NaN;

/** A sum that does not lose what is small beside what is large: Neumaier's. */
function exactSum({ values, first, end }: Window): number {
  let sum = 0;
  let lost = 0;
  for (let i = first; i < end; i++) {
    const value = at(values, i);
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return Number.isFinite(sum) ? sum + lost : sum;
}

const countOf = ({ first, end }: Window): number => end - first;

/** The first of two values that is preferred to all others; what is no number gives way. */
function chosen({ values, first, end }: Window, better: (a: number, b: number) => boolean): number {
  let best = at(values, first);
  for (let i = first + 1; i < end; i++) {
    const value = at(values, i);
    if (Number.isNaN(best) || better(value, best)) best = value;
  }
  return best;
}

/**
 * By how much the samples rose, stretched to the whole window: as far as its edges when samples come close to them, else
 * by half the usual distance of two samples, and for a counter not to before it was 0.
 */
function extrapolated(window: Window, counter: boolean): number | undefined {
  const { times, values, first, end, from, to } = window;
  if (end - first < 2) return undefined;
  const firstValue = at(values, first);
  let rise = at(values, end - 1) - firstValue;
  if (counter) {
    for (let i = first + 1; i < end; i++) if (at(values, i) < at(values, i - 1)) rise += at(values, i - 1);
  }
  const sampled = (at(times, end - 1) - at(times, first)) / 1000;
  const distance = sampled / (end - first - 1);
  let toStart = (at(times, first) - from) / 1000;
  const toEnd = (to - at(times, end - 1)) / 1000;
  if (counter && rise > 0 && firstValue >= 0) toStart = Math.min(toStart, sampled * (firstValue / rise));
  const near = distance * 1.1;
  const stretched = sampled + (toStart < near ? toStart : distance / 2) + (toEnd < near ? toEnd : distance / 2);
  return rise * (stretched / sampled);
}

function lastChange({ times, values, first, end }: Window, counter: boolean): readonly [number, number] | undefined {
  if (end - first < 2) return undefined;
  const seconds = (at(times, end - 1) - at(times, end - 2)) / 1000;
  const last = at(values, end - 1);
  const before = at(values, end - 2);
  return [counter && last < before ? last : last - before, seconds];
}

function changes({ values, first, end }: Window, counts: (value: number, before: number) => boolean): number {
  let count = 0;
  for (let i = first + 1; i < end; i++) if (counts(at(values, i), at(values, i - 1))) count++;
  return count;
}

function variance({ values, first, end }: Window): number {
  let mean = 0;
  let sum = 0;
  for (let i = first; i < end; i++) {
    const distance = at(values, i) - mean;
    mean += distance / (i - first + 1);
    sum += distance * (at(values, i) - mean);
  }
  return sum / (end - first);
}

/** Of values in any order; between two of them, in proportion. */
export function quantile(share: number, given: readonly number[]): number {
  if (given.length === 0 || Number.isNaN(share)) return Number.NaN;
  if (share < 0) return Number.NEGATIVE_INFINITY;
  if (share > 1) return Number.POSITIVE_INFINITY;
  const sorted = Float64Array.from(given).sort();
  // What is no number comes first.
  const numbers = sorted.filter((value) => !Number.isNaN(value));
  const values = [...new Array<number>(sorted.length - numbers.length).fill(Number.NaN), ...numbers];
  const rank = share * (values.length - 1);
  const lower = Math.max(0, Math.floor(rank));
  const weight = rank - Math.floor(rank);
  return at(values, lower) * (1 - weight) + at(values, Math.min(values.length - 1, lower + 1)) * weight;
}

/** The straight line through the samples: its slope in a second, and its height at a time. */
function line({ times, values, first, end }: Window, zeroMs: number): readonly [slope: number, height: number] {
  const count = end - first;
  const height = at(values, first);
  if (Number.isFinite(height) && values.slice(first, end).every((value) => value === height)) return [0, height];
  let [sumX, sumY, sumXY, sumXX] = [0, 0, 0, 0];
  for (let i = first; i < end; i++) {
    const x = (at(times, i) - zeroMs) / 1000;
    const y = at(values, i);
    sumX += x;
    sumY += y;
    sumXY += x * y;
    sumXX += x * x;
  }
  const slope = (sumXY - (sumX * sumY) / count) / (sumXX - (sumX * sumX) / count);
  return [slope, sumY / count - (slope * sumX) / count];
}

const seconds = ({ from, to }: Window): number => (to - from) / 1000;

export const OVER_TIME: Readonly<Record<string, OverTime>> = {
  rate: (window) => {
    const rise = extrapolated(window, true);
    return rise === undefined ? undefined : rise / seconds(window);
  },
  increase: (window) => extrapolated(window, true),
  delta: (window) => extrapolated(window, false),
  irate: (window) => {
    const change = lastChange(window, true);
    return change === undefined ? undefined : change[0] / change[1];
  },
  idelta: (window) => lastChange(window, false)?.[0],
  avg_over_time: (window) => exactSum(window) / countOf(window),
  min_over_time: (window) => chosen(window, (a, b) => a < b),
  max_over_time: (window) => chosen(window, (a, b) => a > b),
  sum_over_time: exactSum,
  count_over_time: countOf,
  last_over_time: ({ values, end }) => at(values, end - 1),
  present_over_time: () => 1,
  stdvar_over_time: variance,
  stddev_over_time: (window) => Math.sqrt(variance(window)),
  quantile_over_time: ({ values, first, end }, share) => quantile(share, values.slice(first, end)),
  changes: (window) =>
    changes(window, (value, before) => value !== before && !(Number.isNaN(value) && Number.isNaN(before))),
  resets: (window) => changes(window, (value, before) => value < before),
  deriv: (window) => (countOf(window) < 2 ? undefined : line(window, at(window.times, window.first))[0]),
  predict_linear: (window, ahead) => {
    if (countOf(window) < 2) return undefined;
    const [slope, height] = line(window, window.to);
    return slope * ahead + height;
  },
};
