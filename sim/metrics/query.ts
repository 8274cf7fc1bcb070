/** Range queries as Prometheus 0.17 answers them: evaluation times from `since` in steps, and a matrix of strings. */
import type { Guest } from './guest.ts';
import { LOOKBACK_MS, type Series, scrapedAt, valueAt } from './series.ts';
import type { SeriesGroup } from './stored.ts';
import { BadData, parseDuration, parseTime } from './time.ts';

/** Both ends are part of it; all in milliseconds. */
export interface Range {
  readonly since: number;
  readonly until: number;
  readonly step: number;
}

/** An evaluation time in seconds, and a value as plain decimal. */
export type Point = readonly [time: number, value: string];

/** A row of a matrix. */
export interface MatrixSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly Point[];
}

const MOST_STEPS = 11_000;

/** @throws BadData in Prometheus' words, for the first of since, until, step that cannot be read, or for too many points */
export function parseRange(since: string, until: string, step: string): Range {
  const range = { since: parseTime(since), until: parseTime(until), step: parseDuration(step) };
  if (range.step <= 0) {
    throw new BadData('zero or negative query resolution step widths are not accepted. Try a positive integer');
  }
  if (Math.floor((range.until - range.since) / range.step) > MOST_STEPS) {
    throw new BadData(
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    );
  }
  return range;
}

/** The values of some series of one guest in a range, for each series in turn. */
export function valuesOf(guest: Guest, series: readonly Series[], range: Range, nowMs: number): Point[][] {
  const columns = series.map((one) => ({ one, points: [] as Point[], shown: '' as string | undefined }));
  let shownAt = Number.NaN;
  for (let at = range.since; at <= range.until; at += range.step) {
    const push = scrapedAt(guest, at, nowMs);
    if (push === null) continue;
    const isNew = push.at !== shownAt;
    shownAt = push.at;
    for (const column of columns) {
      if (isNew) column.shown = shown(column.one.model(push));
      // What the newest push does not carry, an older one may.
      const value = column.shown ?? shown(valueAt(column.one, at, nowMs));
      if (value !== undefined) column.points.push([at / 1000, value]);
    }
  }
  return columns.map(({ points }) => points);
}

/** The values of the series of a group in a range, for each of them in turn; a series ends where a scrape lacks it. */
export function groupValues(group: SeriesGroup, range: Range): Point[][] {
  const rows = group.labels.map((): Point[] => []);
  for (let at = range.since; at <= range.until; at += range.step) {
    const sampling = group.newest(at, at - LOOKBACK_MS);
    for (const [i, points] of rows.entries()) {
      const value = sampling?.value(i);
      if (value !== undefined) points.push([at / 1000, decimal(value)]);
    }
  }
  return rows;
}

const shown = (value: number | undefined): string | undefined => (value === undefined ? undefined : decimal(value));

/** The shortest text that reads back as the value, and never with an exponent: as Prometheus 0.17 writes it. */
export function decimal(value: number): string {
  const text = `${value}`;
  // The text of what is infinite has no e.
  if (!text.includes('e')) return Number.isFinite(value) || Number.isNaN(value) ? text : value > 0 ? '+Inf' : '-Inf';
  const [, sign = '', whole = '', fraction = '', exponent] = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text) ?? [];
  const digits = whole + fraction;
  const point = 1 + Number(exponent);
  return point > 0 ? `${sign}${digits.padEnd(point, '0')}` : `${sign}0.${'0'.repeat(-point)}${digits}`;
}
