/**
 * Alerts: what alerting rules find, at every evaluation since they are there. Nothing is kept of an evaluation: since when
 * something holds is found by looking back, so any past can be asked for. Mirrors the rule manager of Prometheus 2.42.
 */
import { type AlertRule, holds } from './alert-rule.ts';
import { byName, type Labels } from './labels.ts';
import type { Store } from './promql/engine.ts';
import { ExecutionError } from './promql/expression.ts';
import { labelOf, type Matcher, matcher, passesAll } from './promql/matcher.ts';
import { LOOKBACK_MS } from './series.ts';
import type { Sampling, SeriesGroup } from './stored.ts';

/** Rules are evaluated as often as targets are scraped, and at the same instants. */
export const EVALUATION_MS = 15_000;

/** No alert is shown to be older than this, or than the time after which it fires. */
const LOOK_MS = 86_400_000;

/** So many evaluations of rules one question may cost. */
const MOST_EVALUATIONS = 300_000;

type AlertState = 'pending' | 'firing';

/** Of a rule that holds. */
export interface Alert {
  /** Those of the series, of the rule, and `alertname`. */
  readonly labels: Labels;
  readonly state: AlertState;
  /** Since when it has held without a break, in milliseconds since the Unix epoch. */
  readonly activeAt: number;
  readonly value: number;
}

/** What one question may still cost. */
export class Patience {
  #left = MOST_EVALUATIONS;

  /** @throws ExecutionError */
  spend(): void {
    this.#left--;
    if (this.#left < 0) throw new ExecutionError('too many evaluations of alerting rules: ask for a shorter time');
  }
}

/** The last evaluation at or before a time. */
export const evaluationAt = (atMs: number): number => EVALUATION_MS * Math.floor(atMs / EVALUATION_MS);

/** A rule with the series that it is about. */
class Watch {
  readonly rule: AlertRule;
  /** Of the alerts: one for each series that the expression could ever show. */
  readonly labels: readonly Labels[];
  readonly #groups: readonly SeriesGroup[];
  readonly #patience: Patience;
  /** What the last evaluation that was asked for has found, for the next one is often not far. */
  #at = Number.NaN;
  #since: readonly (number | undefined)[] = [];
  #values: readonly (number | undefined)[] = [];

  constructor(rule: AlertRule, select: Store, patience: Patience) {
    this.rule = rule;
    this.#patience = patience;
    this.#groups = [...select([matcher('__name__', '=', rule.metric), matcher('id', '=', rule.id)])];
    const shown = this.#groups.flatMap(({ labels }) => labels);
    this.labels = shown.map((labels) => alertLabels(rule, labels));
  }

  /** Since when the rule has held of each series at an evaluation; undefined where it does not. No longer than `lookMs`. */
  sinceAt(evaluation: number, lookMs: number): readonly (number | undefined)[] {
    if (evaluation === this.#at + EVALUATION_MS) this.#step(evaluation);
    else if (evaluation !== this.#at) this.#lookBack(evaluation, lookMs);
    return this.#since;
  }

  /** Values at the evaluation that was asked for last. */
  get values(): readonly (number | undefined)[] {
    return this.#values;
  }

  #step(evaluation: number): void {
    const values = this.#evaluate(evaluation);
    this.#since = values.map((value, i) => (value === undefined ? undefined : (this.#since[i] ?? evaluation)));
    this.#values = values;
    this.#at = evaluation;
  }

  #lookBack(evaluation: number, lookMs: number): void {
    const values = this.#evaluate(evaluation);
    const since = values.map((value) => (value === undefined ? undefined : evaluation));
    let open = since.flatMap((each, i) => (each === undefined ? [] : [i]));
    const first = Math.max(this.rule.since, evaluation - lookMs);
    for (let at = evaluation - EVALUATION_MS; at >= first && open.length > 0; at -= EVALUATION_MS) {
      const earlier = this.#evaluate(at);
      open = open.filter((i) => earlier[i] !== undefined);
      for (const i of open) since[i] = at;
    }
    this.#since = since;
    this.#values = values;
    this.#at = evaluation;
  }

  /** The value of each series of which the rule holds. */
  #evaluate(at: number): (number | undefined)[] {
    this.#patience.spend();
    return this.#groups
      .flatMap((group) => valuesAt(group, at))
      .map((value) => {
        return value !== undefined && holds(this.rule, value) ? value : undefined;
      });
  }
}

/** What an instant query shows of the series of a group. */
function valuesAt(group: SeriesGroup, at: number): (number | undefined)[] {
  const values: (number | undefined)[] = group.labels.map(() => undefined);
  const since = at - LOOKBACK_MS;
  for (let sampling = group.newest(at, since); sampling !== null; sampling = group.newest(sampling.at - 1, since)) {
    for (const i of values.keys()) values[i] ??= sampling.value(i);
    if (group.marksEnds || values.every((value) => value !== undefined)) break;
  }
  return values;
}

function alertLabels(rule: AlertRule, labels: Labels): Labels {
  const added = [['alertname', rule.name] as const, ...rule.labels];
  const names = new Set(added.map(([name]) => name));
  return [...labels.filter(([name]) => name !== '__name__' && !names.has(name)), ...added].sort(byName);
}

/** Looking back so far is enough to know whether an alert fires. */
const enoughFor = ({ forMs }: AlertRule): number => EVALUATION_MS * Math.ceil(forMs / EVALUATION_MS);

const stateOf = (rule: AlertRule, since: number, evaluation: number): AlertState =>
  evaluation - since >= rule.forMs ? 'firing' : 'pending';

/** The alerts of a rule at a time, in the order of the series. */
export function alertsOf(rule: AlertRule, select: Store, atMs: number, patience: Patience): Alert[] {
  const evaluation = evaluationAt(atMs);
  if (evaluation < rule.since) return [];
  const watch = new Watch(rule, select, patience);
  const found = watch.sinceAt(evaluation, Math.max(LOOK_MS, enoughFor(rule)));
  return watch.labels.flatMap((labels, i) => {
    const [activeAt, value] = [found[i], watch.values[i]];
    if (activeAt === undefined || value === undefined) return [];
    return [{ labels, state: stateOf(rule, activeAt, evaluation), activeAt, value }];
  });
}

export const ALERTS = 'ALERTS';

/** The series `ALERTS` that a rule leaves behind, as far as they pass. */
export function alertSeries(
  rule: AlertRule,
  select: Store,
  matchers: readonly Matcher[],
  nowMs: number,
  patience: Patience,
): SeriesGroup | undefined {
  const known = alertLabels(rule, [['id', rule.id]]);
  const own = new Set(known.map(([name]) => name));
  // Most rules are out of the question before their series are looked up.
  if (!matchers.every(({ label, passes }) => !own.has(label) || passes(labelOf(known, label)))) return undefined;
  const group = new AlertSeries(new Watch(rule, select, patience), matchers, nowMs);
  return group.labels.length === 0 ? undefined : group;
}

class AlertSeries implements SeriesGroup {
  readonly labels: readonly Labels[];
  /** An alert that is over, or has another state, ends its series at once. */
  readonly marksEnds = true;
  readonly #watch: Watch;
  readonly #nowMs: number;
  readonly #shown: readonly { readonly series: number; readonly state: AlertState }[];

  constructor(watch: Watch, matchers: readonly Matcher[], nowMs: number) {
    this.#watch = watch;
    this.#nowMs = nowMs;
    const all = watch.labels.flatMap((labels, series) =>
      (['firing', 'pending'] as const).map((state) => ({
        series,
        state,
        labels: [['__name__', ALERTS] as const, ['alertstate', state] as const, ...labels].sort(byName),
      })),
    );
    const asked = all.filter(({ labels }) => passesAll(labels, matchers));
    this.labels = asked.map(({ labels }) => labels);
    this.#shown = asked;
  }

  newest(atMs: number, sinceMs: number): Sampling | null {
    const evaluation = evaluationAt(Math.min(atMs, this.#nowMs));
    return evaluation < sinceMs || evaluation < this.#watch.rule.since ? null : this.#at(evaluation);
  }

  *between(fromMs: number, toMs: number): Generator<Sampling> {
    const last = Math.min(toMs, this.#nowMs);
    let at = EVALUATION_MS * Math.ceil(Math.max(fromMs, this.#watch.rule.since) / EVALUATION_MS);
    for (; at <= last; at += EVALUATION_MS) yield this.#at(at);
  }

  #at(evaluation: number): Sampling {
    const { rule } = this.#watch;
    return {
      at: evaluation,
      value: (index) => {
        const { series, state } = this.#shown[index] ?? { series: -1, state: 'firing' };
        const since = this.#watch.sinceAt(evaluation, enoughFor(rule))[series];
        return since !== undefined && stateOf(rule, since, evaluation) === state ? 1 : undefined;
      },
    };
  }
}
