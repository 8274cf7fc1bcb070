/**
 * What Prometheus 2.42 (Debian's package) answered over samples that were given to it with `promtool tsdb
 * create-blocks-from openmetrics`, and what the engine makes of the same samples.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Labels } from '../labels.ts';
import type { Sampling, SeriesGroup } from '../stored.ts';
import { evaluate, prepare, type Result, type Store } from './engine.ts';
import { ParseError } from './expression.ts';
import { passesAll } from './matcher.ts';

interface Stored {
  readonly labels: Readonly<Record<string, string>>;
  readonly times: readonly number[];
  readonly values: readonly string[];
}

type Metric = Readonly<Record<string, string>>;
type Point = readonly [number, string];

interface Answered {
  readonly resultType: 'vector' | 'matrix' | 'scalar' | 'string';
  readonly result: Point | readonly { metric: Metric; value?: Point; values?: readonly Point[] }[];
}

interface Recorded {
  readonly query: string;
  readonly answer: { readonly data?: Answered; readonly error?: string };
}

interface Golden {
  readonly samples: readonly Stored[];
  readonly instant: readonly (Recorded & { readonly time: number })[];
  readonly range: readonly (Recorded & { readonly start: number; readonly end: number; readonly step: number })[];
  readonly refused: readonly Recorded[];
}

const file = new URL('../../../fixtures/golden/prometheus/promql-2.42.json', import.meta.url);
const golden: Golden = JSON.parse(readFileSync(file, 'utf8'));

const numberOf = (text: string): number => Number(text.replace('Inf', 'Infinity'));

/** One series, kept as it was given. */
function stored({ labels, times, values }: Stored): SeriesGroup {
  const samplings: Sampling[] = times.map((at, i) => {
    const value = numberOf(values[i] ?? '');
    return { at: at * 1000, value: () => value };
  });
  const sorted: Labels = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    labels: [sorted],
    marksEnds: false,
    newest: (at, since) => samplings.findLast((one) => one.at <= at && one.at >= since) ?? null,
    between: (from, to) => samplings.filter(({ at }) => at >= from && at <= to),
  };
}

const groups = golden.samples.map(stored);
const store: Store = (matchers) => groups.filter(({ labels: [labels = []] }) => passesAll(labels, matchers));

type Shown = Map<string, readonly (readonly [number, number])[]>;

const keyOf = (metric: Metric): string => JSON.stringify(Object.entries(metric).sort(([a], [b]) => (a < b ? -1 : 1)));

function recorded({ resultType, result }: Answered): Shown {
  const points = (given: readonly Point[]) => given.map(([at, value]) => [at, numberOf(value)] as const);
  if (resultType === 'scalar') return new Map([['', points([result as Point])]]);
  const rows = result as readonly { metric: Metric; value?: Point; values?: readonly Point[] }[];
  return new Map(rows.map(({ metric, value, values = [] }) => [keyOf(metric), points(value ? [value] : values)]));
}

function ours(result: Result, times: { start: number; step: number }): Shown {
  const at = (i: number): number => (times.start + i * times.step) / 1000;
  switch (result.type) {
    case 'scalar':
      return new Map([['', [...result.values].map((value, i) => [at(i), value] as const)]]);
    case 'vector':
      return new Map(
        result.columns.map(({ labels, values, present }) => [
          keyOf(Object.fromEntries(labels)),
          [...values].flatMap((value, i) => (present[i] === 1 ? [[at(i), value] as const] : [])),
        ]),
      );
    case 'matrix':
      return new Map(
        result.rows.map(({ labels, times: own, values }) => [
          keyOf(Object.fromEntries(labels)),
          own.map((time, i) => [time / 1000, values[i] ?? Number.NaN] as const),
        ]),
      );
    default:
      return new Map([[result.text, []]]);
  }
}

/** Equal but for the order of additions. */
function same(a: number, b: number): boolean {
  return Object.is(a, b) || a === b || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b), 1e-6);
}

function compare(seen: Shown, expected: Shown): void {
  expect([...seen.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [key, points] of expected) {
    const own = seen.get(key) ?? [];
    expect(own.map(([at]) => at)).toEqual(points.map(([at]) => at));
    for (const [i, [at, value]] of points.entries()) {
      const [, mine = Number.NaN] = own[i] ?? [];
      if (!same(mine, value)) expect({ key, at, value: mine }).toEqual({ key, at, value });
    }
  }
}

/** Which of two series is named first depends on where Prometheus has stored them. */
const untilSeries = (message: string): string => message.replace(/ \[\{.*\}\];/, ' [];');

function play({ query, answer }: Recorded, times: { start: number; step: number; count: number }): void {
  const run = (): Result => evaluate(prepare(query), store, times);
  if (answer.data === undefined) {
    try {
      run();
    } catch (error) {
      expect(untilSeries((error as Error).message)).toBe(untilSeries(answer.error ?? ''));
      return;
    }
    expect.fail(`not refused: ${answer.error}`);
  }
  const result = run();
  if (answer.data.resultType === 'string') expect(result).toEqual({ type: 'string', text: 'text' });
  // A scalar is a series without labels in a matrix.
  else if (answer.data.resultType === 'matrix' && result.type === 'scalar')
    compare(new Map([['[]', ours(result, times).get('') ?? []]]), recorded(answer.data));
  else compare(ours(result, times), recorded(answer.data));
}

/** Prometheus fails on a string in parentheses, and says so in words of its programmers. */
const isTheirs = ({ answer }: Recorded): boolean => /^unexpected result in/.test(answer.error ?? '');
/** The engine makes one value at each time of whatever it is given; the API refuses these. */
const isOfTheApi = ({ answer }: Recorded): boolean => /^invalid expression type/.test(answer.error ?? '');

describe('instant queries', () => {
  test.each(golden.instant.filter((each) => !isTheirs(each)))('$query at $time', (each) => {
    play(each, { start: Math.round(each.time * 1000), step: 1, count: 1 });
  });
});

describe('range queries', () => {
  test.each(golden.range.filter((each) => !isOfTheApi(each)))('$query', (each) => {
    const { start, end, step } = each;
    play(each, { start: start * 1000, step: step * 1000, count: Math.floor((end - start) / step) + 1 });
  });
});

describe('refusals', () => {
  const supported = ({ query }: Recorded): boolean => !/^(label_replace|count_values|foo\($|up\[-5m])/.test(query);
  test.each(golden.refused.filter(supported))('$query', ({ query, answer }) => {
    let seen: unknown;
    try {
      seen = prepare(query);
    } catch (error) {
      seen = error;
    }
    expect(seen).toBeInstanceOf(ParseError);
    expect(`invalid parameter "query": ${(seen as ParseError).message}`).toBe(answer.error);
  });
});
