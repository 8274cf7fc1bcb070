/** What guests pushed, as Prometheus has stored it: one metric of one guest is a group of series. */
import type { Metric } from './catalog.ts';
import type { Guest, Push } from './guest.ts';
import type { Labels } from './labels.ts';
import { labelOf, type Matcher, passesAll } from './promql/matcher.ts';
import { SCRAPE_MS, type Series, scrapedAt, seriesOf, storedLabels } from './series.ts';
import type { Sampling, SeriesGroup } from './stored.ts';

/** Labels that faults may add. */
const ADDED = ['replica'];

/** The series of a metric and a guest that pass; undefined when there are none. */
export function pushedGroup(
  metric: Metric,
  guest: Guest,
  matchers: readonly Matcher[],
  nowMs: number,
): SeriesGroup | undefined {
  const common = commonLabels(guest);
  const own = ['__name__', metric.dimension?.label, ...ADDED];
  // Most guests are out of the question before their models are made.
  if (!matchers.every(({ label, passes }) => own.includes(label) || passes(labelOf(common, label)))) return undefined;
  const series = seriesOf(metric, guest)
    .map((one) => ({ one, labels: storedLabels(metric.name, one.labels) }))
    .filter(({ labels }) => passesAll(labels, matchers));
  if (series.length === 0) return undefined;
  return new Pushed(
    guest,
    series.map(({ one }) => one),
    series.map(({ labels }) => labels),
    nowMs,
  );
}

const known = new WeakMap<Guest, Labels>();

/** The labels that all series of a guest have in common. */
function commonLabels(guest: Guest): Labels {
  const before = known.get(guest);
  if (before !== undefined) return before;
  const labels = storedLabels('', guest.labels);
  known.set(guest, labels);
  return labels;
}

class Pushed implements SeriesGroup {
  readonly labels: SeriesGroup['labels'];
  /** A push has a timestamp of its own, and so no marker ends its series. */
  readonly marksEnds = false;
  readonly #guest: Guest;
  readonly #series: readonly Series[];
  /** Nothing has been scraped after this. */
  readonly #nowMs: number;
  #latest: Push | null = null;
  #sampling: Sampling | null = null;

  constructor(guest: Guest, series: readonly Series[], labels: SeriesGroup['labels'], nowMs: number) {
    this.#guest = guest;
    this.#series = series;
    this.labels = labels;
    this.#nowMs = nowMs;
  }

  newest(atMs: number, sinceMs: number): Sampling | null {
    const push = scrapedAt(this.#guest, atMs, this.#nowMs, Number.POSITIVE_INFINITY, sinceMs);
    return push === null ? null : this.#samplingOf(push);
  }

  *between(fromMs: number, toMs: number): Generator<Sampling> {
    const last = SCRAPE_MS * Math.floor(this.#nowMs / SCRAPE_MS);
    let before = Number.NEGATIVE_INFINITY;
    for (let scrape = this.#firstScrape(fromMs); scrape <= last; scrape += SCRAPE_MS) {
      const push = this.#guest.pushBefore(scrape);
      if (push !== null && push.at > toMs) return;
      if (push !== null && push.at >= fromMs && push.at !== before) {
        before = push.at;
        yield this.#samplingOf(push);
      }
      if (scrape >= toMs || !this.#guest.ranAfter(scrape)) return;
    }
  }

  /** The first scrape that can find a push from this time on: none does before the guest's first stretch. */
  #firstScrape(fromMs: number): number {
    const { stretches } = this.#guest;
    return SCRAPE_MS * Math.ceil(Math.max(fromMs, stretches[0]?.from ?? this.#nowMs) / SCRAPE_MS);
  }

  #samplingOf(push: Push): Sampling {
    if (this.#sampling !== null && this.#latest?.at === push.at && this.#latest.stretch === push.stretch) {
      return this.#sampling;
    }
    this.#latest = push;
    this.#sampling = { at: push.at, value: (series) => this.#series[series]?.model(push) };
    return this.#sampling;
  }
}
