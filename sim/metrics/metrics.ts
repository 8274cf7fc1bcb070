/**
 * Metrics: what the probes in all guests measured, at any time in the past, as a pure function of the seed, the label
 * set, the time and the VMs' recorded histories. Range queries, WebSocket frames and text exposition ask the same models.
 */
import type { Holders } from '../kernel/held.ts';
import type { Random } from '../kernel/random.ts';
import { ALERTS, type Alert, alertSeries, alertsOf, Patience } from './alert.ts';
import type { AlertRule } from './alert-rule.ts';
import { catalog, type Described, type Metric } from './catalog.ts';
import type { Chronicle } from './chronicle.ts';
import { type Disturbances, UNDISTURBED } from './disturbance.ts';
import { type ExportedMetric, exported } from './exporter.ts';
import { exposition, type LastPush, labelsText, pushedFamily } from './exposition.ts';
import { Fleet, joined, type Pushers, type VmSource } from './fleet.ts';
import type { Filter } from './frame.ts';
import type { Guest } from './guest.ts';
import { compareLabels, type Labels } from './labels.ts';
import { chanceOf } from './load.ts';
import { MONITORED, SAMPLES_KEPT_MS, type VmSample, vmSamples } from './monitoring.ts';
import { CONTAINER_CATALOG, type Platform, pushersOf } from './platform.ts';
import type { Store } from './promql/engine.ts';
import { ExecutionError } from './promql/expression.ts';
import { type Matcher, matcher } from './promql/matcher.ts';
import { pushedGroup } from './pushed.ts';
import { groupValues, type MatrixSeries, type Range, valuesOf } from './query.ts';
import { LOOKBACK_MS, seriesOf, storedLabels } from './series.ts';
import type { SeriesGroup } from './stored.ts';
import { type PushedMetric, Watch } from './watch.ts';

/** Labels as stored, with the value that each must have; a label that a series lacks has the value ''. */
export type Matchers = Readonly<Record<string, string>>;

/** After this, Prometheus no longer shows what a dead guest pushed last. */
const STALE_MS = 300_000;

/** More than this in one answer would stop everything else for seconds. */
const MOST_POINTS = 2_000_000;

/** Where SONATA's metrics are not what their names and the history promise. */
export const METRIC_DEVIATIONS = ['memory-free-in-kb', 'stream-labels-unprefixed'] as const;
export type MetricDeviation = (typeof METRIC_DEVIATIONS)[number];

/** All metrics that there are. */
interface Known {
  readonly pushed: ReadonlyMap<string, PushedMetric>;
  readonly exported: readonly ExportedMetric[];
}

export class Metrics {
  readonly #fleet: Fleet;
  readonly #make: () => Known;
  /** Not before somebody asks: most worlds are asked for something else. */
  #made: Known | undefined;
  readonly #chronicle: Chronicle | null;
  readonly #prefixed: boolean;

  /**
   * @param deviations those that are on: all of them, unless said otherwise
   * @param platform what is probed beside the guests
   */
  constructor(
    random: Random,
    cloud: VmSource,
    deviations: { has(name: MetricDeviation): boolean } = new Set(METRIC_DEVIATIONS),
    disturbances: Disturbances = UNDISTURBED,
    chronicle: Chronicle | null = null,
    platform: (() => Platform) | null = null,
  ) {
    const chance = chanceOf(random);
    this.#fleet = new Fleet(chance, cloud, disturbances);
    this.#chronicle = chronicle;
    this.#prefixed = !deviations.has('stream-labels-unprefixed');
    this.#make = () => {
      const others = platform === null ? null : pushersOf(platform(), chance, disturbances);
      const machines = others === null ? this.#fleet : joined(this.#fleet, others.host);
      const pushedBy = (pushers: Pushers, metrics: readonly Metric[]) =>
        metrics.map((metric) => [metric.name, { metric, pushers }] as const);
      const pushed = new Map([
        ...(others === null ? [] : pushedBy(others.containers, CONTAINER_CATALOG)),
        ...pushedBy(machines, catalog(!deviations.has('memory-free-in-kb'))),
      ]);
      return { pushed, exported: chronicle === null ? [] : exported(chronicle) };
    };
  }

  /** What guests push. */
  get #metrics(): ReadonlyMap<string, PushedMetric> {
    this.#made ??= this.#make();
    return this.#made.pushed;
  }

  /** What OpenNebula's exporter shows. */
  get #exported(): readonly ExportedMetric[] {
    this.#made ??= this.#make();
    return this.#made.exported;
  }

  /** What is to be watched. Who knows the rules sets it when the world is wired. */
  rules: () => readonly AlertRule[] = () => [];

  /** By the name of the part. Everything else follows from the histories of VMs. */
  get held(): Holders {
    return { metrics: this.#fleet, ...(this.#chronicle === null ? {} : { chronicle: this.#chronicle }) };
  }

  /** The names of all metrics, sorted. */
  names(): string[] {
    const names = this.catalog().map(({ name }) => name);
    return this.rules().length === 0 ? names : [ALERTS, ...names];
  }

  /** The names of those that guests push, sorted. */
  pushedNames(): string[] {
    return [...this.#metrics.keys()];
  }

  /** What there is to say of each metric, sorted by name. */
  catalog(): readonly Described[] {
    return [...this.#exported, ...Array.from(this.#metrics.values(), ({ metric }) => metric)].sort(byMetric);
  }

  /** The one door to all that Prometheus has stored by now: the series that pass all matchers. */
  *select(matchers: readonly Matcher[], nowMs: number): Generator<SeriesGroup> {
    yield* this.#scraped(matchers, nowMs);
    if (!matchers.every(({ label, passes }) => label !== '__name__' || passes(ALERTS))) return;
    const patience = new Patience();
    for (const rule of this.rules()) {
      const group = alertSeries(rule, this.#scrapedBy(nowMs), matchers, nowMs, patience);
      if (group !== undefined) yield group;
    }
  }

  /** What rules are evaluated on. */
  #scrapedBy(nowMs: number): Store {
    return (matchers) => this.#scraped(matchers, nowMs);
  }

  *#scraped(matchers: readonly Matcher[], nowMs: number): Generator<SeriesGroup> {
    const names = matchers.filter(({ label }) => label === '__name__');
    const id = matchers.find(({ label, operator }) => label === 'id' && operator === '=')?.value;
    for (const { metric, pushers } of this.#metrics.values()) {
      if (!names.every(({ passes }) => passes(metric.name))) continue;
      for (const guest of id === undefined ? pushers : pushers.withId(id)) {
        const group = pushedGroup(metric, guest, matchers, nowMs);
        if (group !== undefined) yield group;
      }
    }
    for (const metric of this.#exported) {
      if (names.every(({ passes }) => passes(metric.name))) yield* metric.select(matchers, nowMs);
    }
  }

  /** The rules, each with its alerts at a time. @throws ExecutionError when that takes too long */
  alerts(atMs: number): { readonly rule: AlertRule; readonly alerts: readonly Alert[] }[] {
    const patience = new Patience();
    return this.rules().map((rule) => ({
      rule,
      alerts: alertsOf(rule, this.#scrapedBy(atMs), atMs, patience),
    }));
  }

  /**
   * The matrix of a range query, sorted by label set. Empty for a metric that does not exist.
   * @throws ExecutionError when it would have more points than one answer may have
   */
  range(name: string, matchers: Matchers, range: Range, nowMs: number): MatrixSeries[] {
    const pushed = this.#metrics.get(name);
    const found: { readonly stored: Labels; readonly row: MatrixSeries }[] = [];
    const room = roomFor(range);
    if (pushed === undefined) {
      const asked = Object.entries({ ...matchers, __name__: name }).map(([label, value]) => matcher(label, '=', value));
      const groups = [...this.select(asked, nowMs)];
      for (const { labels } of groups) room(labels.length);
      for (const group of groups) {
        for (const [i, values] of groupValues(group, range).entries()) {
          const stored = group.labels[i] ?? [];
          if (values.length > 0) found.push({ stored, row: { metric: Object.fromEntries(stored), values } });
        }
      }
      return sorted(found);
    }
    const { metric, pushers } = pushed;
    const groups = [...(matchers.id === undefined ? pushers : pushers.withId(matchers.id))]
      .filter((guest) => isIn(range, guest))
      .map((guest) => {
        const all = seriesOf(metric, guest).map((series) => ({ series, stored: storedLabels(name, series.labels) }));
        const asked = all.filter(({ stored }) => matches(stored, matchers));
        room(asked.length);
        return { guest, asked };
      });
    for (const { guest, asked } of groups) {
      const series = asked.map((one) => one.series);
      for (const [i, values] of valuesOf(guest, series, range, nowMs).entries()) {
        const stored = asked[i]?.stored ?? [];
        if (values.length > 0) found.push({ stored, row: { metric: Object.fromEntries(stored), values } });
      }
    }
    return sorted(found);
  }

  /** What a WebSocket client watches; null for a metric that does not exist. */
  watch(name: string, filters: readonly Filter[]): Watch | null {
    const pushed = this.#metrics.get(name);
    return pushed === undefined ? null : new Watch(pushed, filters, this.#prefixed ? prefixed : unprefixed);
  }

  /** The text exposition of all guests at a time, in chunks. Guests that died more than 5 minutes before are left out. */
  exposition(atMs: number): Iterable<string> {
    const known = new Map<Pushers, LastPush[]>();
    const lastOf = (pushers: Pushers): LastPush[] => {
      const pushes = known.get(pushers) ?? lastPushes(pushers, atMs);
      known.set(pushers, pushes);
      return pushes;
    };
    const pushed = Array.from(this.#metrics.values(), ({ metric, pushers }) => pushedFamily(metric, lastOf(pushers)));
    return exposition([...this.#exported, ...pushed].sort(byMetric), atMs);
  }

  /** What OpenNebula's own probe on the host has seen of a VM after one time and up to another, the newest first. */
  vmSamples(vmId: number, afterMs: number, upToMs: number): Iterable<VmSample> {
    const guest = this.#fleet.ofVm(vmId);
    return guest === undefined ? [] : vmSamples(guest, afterMs, upToMs);
  }

  /** The newest that oned has of a VM at a time. */
  lastVmSample(vmId: number, atMs: number): VmSample | undefined {
    for (const sample of this.vmSamples(vmId, atMs - SAMPLES_KEPT_MS, atMs)) return sample;
    return undefined;
  }

  /** MONITORING of a VM at a time, by the name that OpenNebula has for what is measured. */
  monitored(vmId: number, name: string, atMs: number): number | undefined {
    if (!Object.hasOwn(MONITORED, name)) return undefined;
    return this.lastVmSample(vmId, atMs)?.[MONITORED[name as keyof typeof MONITORED]];
  }
}

/** The labels of a record in a frame: as in the history, and as pushed. */
const prefixed = (metric: string, labels: Labels): Labels =>
  storedLabels(metric, labels).filter(([label]) => label !== '__name__');
const unprefixed = (_metric: string, labels: Labels): Labels => labels;

/** Takes the series that an answer is to have, one after the other. */
function roomFor({ since, until, step }: Range): (series: number) => void {
  const steps = Math.max(0, Math.floor((until - since) / step) + 1);
  let points = 0;
  return (series) => {
    points += series * steps;
    requireFew(points);
  };
}

/** @throws ExecutionError when one answer is to have more points than one may have */
export function requireFew(points: number): void {
  if (points > MOST_POINTS) throw new ExecutionError(`the answer would have more than ${MOST_POINTS} points`);
}

/** Whether any evaluation of a range can find a push of a guest. */
const isIn = ({ since, until }: Range, guest: Guest): boolean =>
  guest.ranAfter(since - LOOKBACK_MS) && (guest.vm.spans[0]?.from ?? Number.POSITIVE_INFINITY) <= until;

const sorted = (found: { readonly stored: Labels; readonly row: MatrixSeries }[]): MatrixSeries[] =>
  found.sort((a, b) => compareLabels(a.stored, b.stored)).map(({ row }) => row);

/** What those that still count have pushed last. */
function lastPushes(pushers: Pushers, atMs: number): LastPush[] {
  const pushes: LastPush[] = [];
  for (const guest of pushers) {
    const push = guest.ranAfter(atMs - STALE_MS) ? guest.pushBefore(atMs) : null;
    if (push !== null && atMs - push.at <= STALE_MS) pushes.push({ guest, push, labels: labelsText(guest.labels) });
  }
  return pushes;
}

const byMetric = (a: Described, b: Described): number => (a.name < b.name ? -1 : 1);

const matches = (labels: Labels, matchers: Matchers): boolean =>
  Object.entries(matchers).every(([name, value]) => (labels.find(([label]) => label === name)?.[1] ?? '') === value);
