/** Instant vectors at many evaluation times at once: for each series, a value at each time, or none. */
import { compareLabels, type Labels } from '../labels.ts';
import { ExecutionError } from './expression.ts';

/** A series of a vector. Where it is not present, its value means nothing. */
export interface Column {
  readonly labels: Labels;
  readonly values: Float64Array;
  readonly present: Uint8Array;
}

/** Evaluation times, in milliseconds. */
export interface Times {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

const MOST_SAMPLES = 10_000_000;
const MOST_LOOKS = 600_000_000;

const SERIES = 8;

/** What is sorted is looked at about so often. */
export const SORTING = 30;

/** What a query may still cost, so that each ends in bounded time and memory. */
export class Budget {
  #samples = MOST_SAMPLES;
  #looks = MOST_LOOKS;

  /** Samples that are taken up. @throws ExecutionError */
  spend(samples: number): void {
    this.#samples -= samples;
    if (this.#samples < 0) refuse();
  }

  /** Samples that are looked at once more. @throws ExecutionError */
  look(samples: number): void {
    this.#looks -= samples;
    if (this.#looks < 0) refuse();
  }

  /** Series that are selected: each costs as much as some samples. @throws ExecutionError */
  take(series: number): void {
    this.spend(SERIES * series);
  }

  column(labels: Labels, count: number): Column {
    this.spend(count);
    return { labels, values: new Float64Array(count), present: new Uint8Array(count) };
  }
}

function refuse(): never {
  throw new ExecutionError('query processing would load too many samples into memory in query execution');
}

/** Equal for equal label sets. */
export const keyOf = (labels: Labels): string => JSON.stringify(labels);

export const withoutName = (labels: Labels): Labels => without(labels, ['__name__']);

export const without = (labels: Labels, names: readonly string[]): Labels =>
  labels.filter(([name]) => !names.includes(name));

export const only = (labels: Labels, names: readonly string[]): Labels =>
  labels.filter(([name]) => names.includes(name));

/** As Prometheus writes a label set in its messages. */
export const written = (labels: Labels): string =>
  `{${labels.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', ')}}`;

export const byLabels = (a: { readonly labels: Labels }, b: { readonly labels: Labels }): number =>
  compareLabels(a.labels, b.labels);

/**
 * Makes one of the columns that have come to have the same labels.
 * @throws ExecutionError when two of them have a value at the same time
 */
export function merged(
  columns: readonly Column[],
  message = 'vector cannot contain metrics with the same labelset',
): Column[] {
  const byKey = new Map<string, Column>();
  for (const column of columns) {
    const key = keyOf(column.labels);
    const first = byKey.get(key);
    if (first === undefined) {
      byKey.set(key, column);
      continue;
    }
    for (let i = 0; i < column.present.length; i++) {
      if (column.present[i] === 0) continue;
      if (first.present[i] === 1) throw new ExecutionError(message);
      first.present[i] = 1;
      first.values[i] = column.values[i] ?? 0;
    }
  }
  return [...byKey.values()];
}
