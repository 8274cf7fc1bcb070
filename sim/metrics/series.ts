/** A series: one metric of one guest for one value of its dimension, and the samples of it that Prometheus has. */
import type { Metric, Model } from './catalog.ts';
import { disturbed } from './disturbance.ts';
import type { Guest, Push } from './guest.ts';
import { byName, compareLabels, type Labels } from './labels.ts';

export interface Series {
  readonly guest: Guest;
  /** As pushed, sorted by name. */
  readonly labels: Labels;
  readonly model: Model;
  /** The value of the last push of all, where that is not what the model says of its time: the probe's clock is wrong. */
  readonly last?: Model;
  /** How far the clock is ahead then, in milliseconds. */
  readonly shift?: (push: Push) => number;
}

export const SCRAPE_MS = 15_000;
/** Prometheus looks no further back for a sample; one of exactly this age still counts. */
export const LOOKBACK_MS = 300_000;

/** The series of a metric and a guest, sorted by label set. */
export function seriesOf(metric: Metric, guest: Guest): readonly Series[] {
  const series = plainSeriesOf(metric, guest);
  const { disturbances } = guest;
  return disturbances.any ? disturbed(disturbances, metric.name, guest, series) : series;
}

function plainSeriesOf(metric: Metric, guest: Guest): Series[] {
  const { dimension } = metric;
  const own = guest.labels;
  if (dimension === null) return [{ guest, labels: own, model: metric.model(guest, '', 0) }];
  return dimension
    .values(guest)
    .map((value, index) => ({
      guest,
      labels: [[dimension.label, value] as const, ...own].sort(byName),
      model: metric.model(guest, value, index),
    }))
    .sort((a, b) => compareLabels(a.labels, b.labels));
}

/** What the Pushgateway has of a series that was pushed last. */
export const lastValue = ({ last, model }: Series, push: Push): number | undefined => (last ?? model)(push);

/** The timestamp that it has there, in milliseconds. */
export const pushedAt = ({ shift }: Series, push: Push): number => push.at + (shift?.(push) ?? 0);

/** The labels under which Prometheus keeps a series: `job` and `instance` as pushed give way to those of the scrape. */
export const storedLabels = (name: string, labels: Labels): Labels =>
  [
    ['__name__', name] as const,
    ['group', 'development'] as const,
    ['instance', 'pushgateway:9091'] as const,
    ['job', 'sonata'] as const,
    ...labels.map(([label, value]) => [SCRAPED[label] ?? label, value] as const),
  ].sort(byName);

const SCRAPED: Readonly<Record<string, string>> = { job: 'exported_job', instance: 'exported_instance' };

/**
 * The newest push that Prometheus has for a time, if asked at `nowMs`: neither after that time nor scraped after now,
 * unless it is too old. A scrape takes what the probe has pushed last. With `beforeMs`, the newest from before then.
 */
export function scrapedAt(
  guest: Guest,
  atMs: number,
  nowMs: number,
  beforeMs = Number.POSITIVE_INFINITY,
  sinceMs = atMs - LOOKBACK_MS,
): Push | null {
  // The next scrape may find a push that is older than the time asked for. Scrapes are aligned to the epoch.
  let scrape = SCRAPE_MS * Math.min(Math.ceil(Math.min(atMs, beforeMs) / SCRAPE_MS), Math.floor(nowMs / SCRAPE_MS));
  for (; ; scrape -= SCRAPE_MS) {
    const push = guest.pushBefore(scrape);
    if (push === null || push.at < sinceMs) return null;
    if (push.at <= atMs && push.at < beforeMs) return push;
  }
}

/** What Prometheus answers for a series at a time: the value in the newest push that carries the series. */
export function valueAt({ guest, model }: Series, atMs: number, nowMs: number): number | undefined {
  for (let push = scrapedAt(guest, atMs, nowMs); push !== null; push = scrapedAt(guest, atMs, nowMs, push.at)) {
    const value = model(push);
    if (value !== undefined) return value;
  }
  return undefined;
}
