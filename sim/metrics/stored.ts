/**
 * The one door to what Prometheus has stored: series by their labels, in groups that are sampled together. Whatever is
 * in the catalogue comes through here, and whoever asks need not know what it is a metric of.
 */
import type { Labels } from './labels.ts';

/** What one scrape brought of a group. */
export interface Sampling {
  /** Timestamp of the samples, in milliseconds: that of the push, or of the scrape. */
  readonly at: number;
  /** Of the series at an index of {@link SeriesGroup.labels}; undefined when the scrape did not bring it. */
  value(series: number): number | undefined;
}

export interface SeriesGroup {
  /** For each series, sorted by name, and with `__name__`. */
  readonly labels: readonly Labels[];
  /**
   * Whether a series that is missing in a scrape ends there, with a stale marker. Samples with timestamps of their own
   * get no such marker: there, an older sample still counts.
   */
  readonly marksEnds: boolean;
  /** The newest sampling at or before a time, and not before another. */
  newest(atMs: number, sinceMs: number): Sampling | null;
  /** The samplings from a time to another, both of them included, the oldest first. */
  between(fromMs: number, toMs: number): Iterable<Sampling>;
}
