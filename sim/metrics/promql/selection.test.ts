import { expect, test } from 'vitest';
import type { Sampling, SeriesGroup } from '../stored.ts';
import { evaluate, prepare } from './engine.ts';

const MINUTE = 60_000;

/** Two series that are sampled every minute; after the second minute, only the first of them. */
function group(marksEnds: boolean): SeriesGroup {
  const samplings = Array.from({ length: 10 }, (_, minute): Sampling => {
    const at = minute * MINUTE;
    return { at, value: (series) => (series === 0 || minute < 2 ? minute : undefined) };
  });
  return {
    labels: [
      [['__name__', 'a']],
      [
        ['__name__', 'a'],
        ['b', 'c'],
      ],
    ],
    marksEnds,
    newest: (at, since) => samplings.findLast((one) => one.at <= at && one.at >= since) ?? null,
    between: (from, to) => samplings.filter(({ at }) => at >= from && at <= to),
  };
}

/** What the second series shows, minute by minute. */
function second(query: string, marksEnds: boolean): (number | null)[] {
  const result = evaluate(prepare(query), () => [group(marksEnds)], { start: 0, step: MINUTE, count: 10 });
  const column = result.type === 'vector' ? result.columns.find(({ labels }) => labels.length === 2) : undefined;
  return Array.from(column?.values ?? [], (value, i) => (column?.present[i] === 1 ? value : null));
}

test('a series that a scrape does not find ends at once', () => {
  expect(second('a', true)).toEqual([0, 1, null, null, null, null, null, null, null, null]);
});

test('a sample with a timestamp of its own counts for five minutes', () => {
  expect(second('a', false)).toEqual([0, 1, 1, 1, 1, 1, 1, null, null, null]);
});

test('a range has the samples that there are, however the series ended', () => {
  for (const marksEnds of [true, false]) {
    expect(second('last_over_time(a[3m])', marksEnds)).toEqual([0, 1, 1, 1, 1, null, null, null, null, null]);
  }
});
