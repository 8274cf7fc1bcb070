/** A series: one metric of one guest for one value of its dimension, and the samples of it that Prometheus has. */
import type { Metric, Model } from './catalog.ts';
import { disturbed } from './disturbance.ts';
import type { Guest, Push } from './guest.ts';

export type Labels = readonly (readonly [name: string, value: string])[];

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
  const own = guestLabels(guest);
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

/** As pushed: what all series of a guest have in common. */
export function guestLabels(guest: Guest): Labels {
  const { container } = guest.vm;
  const own = [['id', guest.id] as const, ['instance', guest.instance] as const, ['job', guest.job] as const];
  if (container === undefined) return own;
  const { image, imageName, name } = container;
  return [...own, ['image', image] as const, ['image_name', imageName] as const, ['name', name] as const].sort(byName);
}

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

/** For labels. */
export const byName = (a: readonly [string, string], b: readonly [string, string]): number => (a[0] < b[0] ? -1 : 1);

/** Order of label sets: name by name, then value by value. */
export function compareLabels(a: Labels, b: Labels): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const [nameA = '', valueA = ''] = a[i] ?? [];
    const [nameB = '', valueB = ''] = b[i] ?? [];
    if (nameA !== nameB) return nameA < nameB ? -1 : 1;
    if (valueA !== valueB) return valueA < valueB ? -1 : 1;
  }
  return a.length - b.length;
}
