/**
 * What faults do to series: gaps, frozen and absurd values, counters that start again, clocks that are wrong, series that
 * come twice. A pure function of time and of when each fault acted, so that every reader of a series sees the same, and
 * what was broken in the past stays so after the fault has gone.
 */
import type { Attempt, Fault } from '../faults/fault.ts';
import { selects } from '../faults/judge.ts';
import { hash } from '../kernel/random.ts';
import type { Model } from './catalog.ts';
import type { Guest, Push } from './guest.ts';
import type { Series } from './series.ts';

type MetricFault = Fault<'metrics'>;

/** Where faults, the time, and what a selector may ask of a VM come from. */
export interface Disturbances {
  /** Whether any fault has acted yet: otherwise nothing needs to be asked. */
  readonly any: boolean;
  faults(): Iterable<MetricFault>;
  readonly nowMs: number;
  factsOf(vmId: number): Pick<Attempt<'metrics'>, 'name' | 'host' | 'user' | 'service'>;
}

export const UNDISTURBED: Disturbances = { any: false, faults: () => [], nowMs: 0, factsOf: () => ({}) };

/** The series of a metric and a guest, as faults leave them. */
export function disturbed(
  disturbances: Disturbances,
  metric: string,
  guest: Guest,
  series: readonly Series[],
): readonly Series[] {
  const thing: Attempt<'metrics'> = {
    layer: 'metrics',
    metric,
    vm: guest.vm.id,
    ...disturbances.factsOf(guest.vm.id),
    label: (key) => guest.vm.userTemplate.get(key),
  };
  let result = series;
  for (const fault of disturbances.faults()) {
    if (!selects(fault, thing)) continue;
    const copy = 2 + new Set(result.flatMap(({ labels }) => labels.filter(isReplica).map(([, n]) => n))).size;
    result = result.flatMap((one) => suffering(disturbances, fault, metric, one, copy));
  }
  return result;
}

const isReplica = ([name]: readonly [string, string]): boolean => name === 'replica';

/** @param copy the number of the copy that it may make */
function suffering(
  disturbances: Disturbances,
  fault: MetricFault,
  metric: string,
  series: Series,
  copy: number,
): Series[] {
  const { guest, labels, model } = series;
  const touches = touchOf(fault, metric, series);
  /** Another model while the fault acts. */
  const instead = (otherwise: (push: Push, sinceMs: number) => number | undefined): Series => ({
    ...series,
    model: (push) => {
      const since = touches(push.at);
      return since === undefined ? model(push) : otherwise(push, since);
    },
  });
  const { effect } = fault;
  switch (effect.do) {
    case 'gap':
      return [instead(() => undefined)];
    case 'nan':
      return [instead((push) => (model(push) === undefined ? undefined : Number.NaN))];
    case 'spike':
      return [instead((push) => scaled(model(push), effect.factor))];
    case 'stale':
      return [instead((_push, since) => before(guest, model, since))];
    case 'counter-reset':
      return [
        instead((push, since) => {
          const value = model(push);
          return value === undefined ? undefined : Math.max(0, value - (before(guest, model, since) ?? 0));
        }),
      ];
    case 'clock-skew': {
      const { ms } = effect;
      const measured: Model = (push) => {
        const truly = guest.pushBefore(push.at - ms);
        const isThere = truly !== null && truly.at <= disturbances.nowMs && touches(truly.at) !== undefined;
        if (isThere) return model(truly);
        return touches(push.at) === undefined ? model(push) : undefined;
      };
      const shift = (push: Push): number => (series.shift?.(push) ?? 0) + (touches(push.at) === undefined ? 0 : ms);
      return [{ ...series, model: measured, last: series.last ?? model, shift }];
    }
    case 'duplicate': {
      // Of a copy there is no copy: each label set has one series.
      if (labels.some(isReplica)) return [series];
      const twin = labels.concat([['replica', `${copy}`]]).sort(byName);
      return [
        series,
        { ...series, labels: twin, model: (push) => (touches(push.at) === undefined ? undefined : model(push)) },
      ];
    }
    default:
      return effect satisfies never;
  }
}

const scaled = (value: number | undefined, factor: number): number | undefined =>
  value === undefined ? undefined : value * factor;

/** What the series was before a time. */
function before(guest: Guest, model: Model, timeMs: number): number | undefined {
  const push = guest.pushBefore(timeMs - 1);
  return push === null ? undefined : model(push);
}

/** Since when the fault had acted at a time; `undefined` when it did not, or when chance spared this sample. */
function touchOf(fault: MetricFault, metric: string, { guest, labels }: Series): (atMs: number) => number | undefined {
  const { probability = 1 } = fault.trigger ?? {};
  const name = `${fault.id} ${metric} ${labels.map(([, value]) => value).join(' ')}`;
  return (atMs) => {
    const stretch = fault.active.find(({ from, to }) => atMs >= from && (to === null || atMs < to));
    if (stretch === undefined) return undefined;
    if (probability < 1 && guest.chance.trait(guest.entity, hash(`${name} ${atMs}`)) >= probability) return undefined;
    return stretch.from;
  };
}

const byName = (a: readonly [string, string], b: readonly [string, string]): number => (a[0] < b[0] ? -1 : 1);
