/** When a figure counts as reached. */
import { expect, it } from 'vitest';
import { type Bar, meetsBar, ratio } from './benchmark.ts';

it.each<[Bar | null, number, boolean, number | null]>([
  [{ atLeast: 100 }, 150, true, 1.5],
  [{ atLeast: 100 }, 100, true, 1],
  [{ atLeast: 100 }, 50, false, 0.5],
  [{ atMost: 20 }, 10, true, 0.5],
  [{ atMost: 20 }, 20, true, 1],
  [{ atMost: 20 }, 30, false, 1.5],
  [{ atLeast: 100 }, Number.NaN, false, Number.NaN],
  [{ atMost: 100 }, Number.NaN, false, Number.NaN],
  [null, 5, true, null],
])('bar %j, measured %d: %s', (bar, measured, met, times) => {
  const result = { figure: 'f', measured, unit: '×', bar };
  expect(meetsBar(result)).toBe(met);
  expect(ratio(result)).toBe(times);
});
