/**
 * What a client of the WebSocket server watches: one metric, through filters. The server reads the Pushgateway and shows
 * the records that pass, as text, every few seconds for as long as the client stays; so what stays the same is kept.
 */
import type { Metric } from './catalog.ts';
import { labelPairs } from './exposition.ts';
import type { Pushers } from './fleet.ts';
import { type Filter, idAskedFor, passes } from './frame.ts';
import type { Guest, Stretch } from './guest.ts';
import type { Labels } from './labels.ts';
import { lastValue, pushedAt, type Series, seriesOf } from './series.ts';

/** A metric, and who pushes it. */
export interface PushedMetric {
  readonly metric: Metric;
  readonly pushers: Pushers;
}

/** The labels of a record, of those that were pushed. */
type Shown = (metric: string, pushed: Labels) => Labels;

/** A series that passes, and its record up to the value. */
interface Passing {
  readonly series: Series;
  readonly head: string;
}

/** What passes of a guest, as long as its life has these stretches. */
interface Watched {
  readonly guest: Guest;
  stretches: readonly Stretch[];
  passing: readonly Passing[];
}

/** More guests than these are looked up anew for every frame: what is kept of them would be a copy of the fleet for each client. */
const MOST_KEPT = 16;

export class Watch {
  readonly #pushed: PushedMetric;
  readonly #filters: readonly Filter[];
  readonly #shown: Shown;
  /** Part of the id of every record that passes. */
  readonly #id: string | undefined;
  #kept: readonly Watched[] | null = null;
  #version = -1;

  constructor(pushed: PushedMetric, filters: readonly Filter[], shown: Shown) {
    this.#pushed = pushed;
    this.#filters = filters;
    this.#shown = shown;
    this.#id = idAskedFor(filters);
  }

  /** Makes beforehand what frames need, where it is kept: all clients have the first of theirs at the same instant. */
  prepare(atMs: number): void {
    this.#watched();
    if (this.#kept !== null) this.frame(atMs);
  }

  /**
   * The data frame at a time: the last push of every series that passes, however old. A value that is no number is
   * written as Python does, `NaN`, which is not JSON. null when nothing has pushed the metric yet: then there is none.
   */
  frame(atMs: number): string | null {
    let records = '';
    for (const watched of this.#watched()) {
      const push = watched.guest.pushBefore(atMs);
      if (push === null) continue;
      for (const { series, head } of this.#passing(watched)) {
        const value = lastValue(series, push);
        if (value === undefined) continue;
        records += `${records === '' ? '' : ','}${head}${value},"time":${pushedAt(series, push)}}`;
      }
    }
    if (records === '' && !this.#isPushed(atMs)) return null;
    return `{${JSON.stringify(this.#pushed.metric.name)}:[${records}]}`;
  }

  #watched(): Iterable<Watched> {
    const { pushers } = this.#pushed;
    if (this.#id === undefined) return anew(pushers);
    const { version } = pushers;
    if (version !== this.#version) {
      const candidates = [...pushers.withIdLike(this.#id)];
      this.#kept = candidates.length > MOST_KEPT ? null : [...anew(candidates)];
      this.#version = version;
    }
    return this.#kept ?? anew(pushers.withIdLike(this.#id));
  }

  /** Faults may act on a series at any time, and stop. */
  #passing(watched: Watched): readonly Passing[] {
    const { guest } = watched;
    if (guest.disturbances.any) {
      watched.stretches = UNKNOWN;
      return this.#passingNow(guest);
    }
    if (watched.stretches !== guest.stretches) {
      watched.passing = this.#passingNow(guest);
      watched.stretches = guest.stretches;
    }
    return watched.passing;
  }

  #passingNow(guest: Guest): Passing[] {
    const { metric } = this.#pushed;
    return seriesOf(metric, guest)
      .filter((series) => passes(series, this.#filters))
      .map((series) => {
        const labels = labelPairs(this.#shown(metric.name, series.labels));
        return { series, head: `{"labels":${JSON.stringify(labels)},"value":` };
      });
  }

  #isPushed(atMs: number): boolean {
    const { metric, pushers } = this.#pushed;
    for (const guest of pushers) {
      const push = guest.pushBefore(atMs);
      if (push !== null && seriesOf(metric, guest).some((series) => series.model(push) !== undefined)) return true;
    }
    return false;
  }
}

const UNKNOWN: readonly Stretch[] = [];

function* anew(guests: Iterable<Guest>): Generator<Watched> {
  for (const guest of guests) yield { guest, stretches: UNKNOWN, passing: [] };
}
