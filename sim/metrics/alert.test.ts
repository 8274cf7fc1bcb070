/** Alerts, held against what one gets who evaluates a rule every 15 s and remembers. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../kernel/random.ts';
import type { Span } from '../one/vm/span.ts';
import { EVALUATION_MS } from './alert.ts';
import { type AlertRule, queryOf } from './alert-rule.ts';
import type { Labels } from './labels.ts';
import { Metrics } from './metrics.ts';
import { evaluate, prepare, type Result } from './promql/engine.ts';
import { ExecutionError } from './promql/expression.ts';

const BOOT = Date.parse('2017-08-28T15:23:31Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ID = 'fa8869e3-cc5f-4a5e-8520-932226d804e1';

const RULE: AlertRule = {
  name: 'busy',
  group: 'service-1',
  metric: 'vm_cpu_perc',
  id: ID,
  operator: '>',
  threshold: 30,
  forMs: 60_000,
  labels: [['serviceID', 'service-1']],
  annotations: { description: 'It works hard.', notification: 'email' },
  since: BOOT,
};

function span(from: number, to: number | null, profile: string, boot = 1): Span {
  const shape = { vcpu: 2, memoryMiB: 512, disks: [], nics: [0], profile };
  return { from, to, boot, hostId: 0, shape };
}

/** Metrics of one machine that rules watch. */
function watched(rules: readonly AlertRule[], spans: Span[], seed = 1): Metrics {
  const userTemplate = new Map(Object.entries({ VC_ID: ID, VNF_NAME: 'vnf' }));
  const vm = { id: 0, uuid: '00000000-0000-4000-8000-000000000000', spans, userTemplate };
  const metrics = new Metrics(new Random(seed), { vms: { nextId: 1, find: () => vm }, observe: () => {} });
  metrics.rules = () => rules;
  return metrics;
}

const shown = (labels: Labels): string => labels.map(([name, value]) => `${name}=${value}`).join();

/** Times at which each series has a value. */
function times(result: Result, start: number, step: number): Map<string, number[]> {
  if (result.type !== 'vector') throw new Error('no vector');
  return new Map(
    result.columns.map(({ labels, present }) => [
      shown(labels),
      [...present].flatMap((is, i) => (is === 1 ? [start + i * step] : [])),
    ]),
  );
}

const range = (
  metrics: Metrics,
  query: string,
  start: number,
  step: number,
  count: number,
  now = start + step * count,
) =>
  times(
    evaluate(prepare(query), (matchers) => metrics.select(matchers, now), { start, step, count }),
    start,
    step,
  );

const GRID = EVALUATION_MS * Math.ceil(BOOT / EVALUATION_MS);

/** What a Prometheus has in ALERTS that began at the first evaluation and forgets nothing. */
function remembered(metrics: Metrics, rule: AlertRule, count: number): Map<string, number[]> {
  const holding = new Map<string, Set<number>>();
  for (const [labels, at] of range(metrics, queryOf(rule), GRID, EVALUATION_MS, count))
    holding.set(labels, new Set(at));
  const found = new Map<string, number[]>();
  for (const [labels, at] of holding) {
    let since: number | undefined;
    for (let i = 0; i < count; i++) {
      const now = GRID + i * EVALUATION_MS;
      since = at.has(now) ? (since ?? now) : undefined;
      if (since === undefined) continue;
      const state = now - since >= rule.forMs ? 'firing' : 'pending';
      const pairs = [
        ...labels.split(',').filter((pair) => !pair.startsWith('__name__=')),
        '__name__=ALERTS',
        `alertname=${rule.name}`,
        `alertstate=${state}`,
        ...rule.labels.map(([name, value]) => `${name}=${value}`),
      ].sort();
      found.set(pairs.join(), [...(found.get(pairs.join()) ?? []), now]);
    }
  }
  return found;
}

const sorted = (series: Map<string, number[]>): [string, number[]][] =>
  [...series].sort(([a], [b]) => (a < b ? -1 : 1));

const aRule = fc
  .record({
    operator: fc.constantFrom('>', '<'),
    threshold: fc.integer({ min: 0, max: 60 }),
    forMs: fc.constantFrom(0, 10_000, 15_000, 60_000, 100_000, 10 * MINUTE),
  })
  .map((part): AlertRule => ({ ...RULE, ...part }));

const aLife = fc
  .array(
    fc.record({
      profile: fc.constantFrom('noisy', 'bursty', 'steady', 'saturating'),
      runMs: fc.integer({ min: MINUTE, max: 20 * MINUTE }),
      pauseMs: fc.constantFrom(0, 20_000, 7 * MINUTE),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((parts) => {
    let from = BOOT;
    return parts.map(({ profile, runMs, pauseMs }, i) => {
      const one = span(from, from + runMs, profile, i);
      from += runMs + pauseMs;
      return one;
    });
  });

describe('ALERTS', () => {
  test('are what an evaluation every 15 s leaves behind', () => {
    let compared = 0;
    fc.assert(
      fc.property(aRule, aLife, fc.nat(), (rule, life, seed) => {
        const metrics = watched([rule], life, seed);
        const count = 200;
        const found = range(metrics, 'ALERTS', GRID, EVALUATION_MS, count);
        expect(sorted(found)).toEqual(sorted(remembered(metrics, rule, count)));
        compared += found.size;
      }),
      { seed: 1, numRuns: 60 },
    );
    expect(compared).toBeGreaterThan(100);
  });

  test('do not depend on what has been asked before, nor on the step (T3, T4)', () => {
    fc.assert(
      fc.property(aRule, aLife, fc.integer({ min: 1, max: 40 }), fc.nat(100), (rule, life, every, skip) => {
        const metrics = watched([rule], life);
        const all = range(metrics, 'ALERTS', GRID, EVALUATION_MS, 240);
        const start = GRID + skip * EVALUATION_MS;
        const some = range(metrics, 'ALERTS', start, every * EVALUATION_MS, 5);
        const isAsked = (at: number): boolean =>
          at >= start && (at - start) % (every * EVALUATION_MS) === 0 && at < start + 5 * every * EVALUATION_MS;
        const expected = [...all].map(([labels, at]) => [labels, at.filter(isAsked)] as [string, number[]]);
        const within = [...some].map(([labels, at]) => [labels, at.filter((t) => t < GRID + 240 * EVALUATION_MS)]);
        const kept = (series: (string | number[])[][]): unknown =>
          series.filter(([, at]) => (at as number[]).length > 0).sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
        expect(kept(within)).toEqual(kept(expected));
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  test('end at once when the rule does not hold any more, and five minutes after the last sample of a dead machine', () => {
    const end = GRID + 10 * MINUTE;
    const metrics = watched([{ ...RULE, threshold: -1 }], [span(BOOT, end, 'steady')]);
    const [[, at] = ['', []]] = range(metrics, 'ALERTS{alertstate="firing",core="cpu"}', GRID, 1000, 1200);
    const last = at.at(-1) ?? 0;
    // The last push is at most 3 s old at the end, and an evaluation is shown until the next one.
    expect(last).toBeGreaterThan(end + 5 * MINUTE - 3000 - EVALUATION_MS);
    expect(last).toBeLessThan(end + 5 * MINUTE + EVALUATION_MS);
  });

  test('are found by their labels', () => {
    const quiet = { ...RULE, name: 'quiet', operator: '<', threshold: 101, forMs: 0 } as const;
    const metrics = watched([{ ...RULE, threshold: -1 }, quiet], [span(BOOT, null, 'steady')]);
    const names = (query: string): number => range(metrics, query, GRID + HOUR, 1, 1, GRID + HOUR + 1).size;
    expect(names('ALERTS')).toBe(6);
    expect(names('ALERTS{alertname="quiet"}')).toBe(3);
    expect(names('ALERTS{alertname="quiet",alertstate="pending"}')).toBe(0);
    expect(names('ALERTS{core="cpu1"}')).toBe(2);
    expect(names('ALERTS{id="other"}')).toBe(0);
    expect(names('ALERTS{serviceID=~"service-.*"}')).toBe(6);
    expect(names('count by (alertstate) (ALERTS)')).toBe(1);
    expect(metrics.names()[0]).toBe('ALERTS');
  });

  test('of ALERTS there are none', () => {
    const metrics = watched([{ ...RULE, metric: 'ALERTS', threshold: 0 }], [span(BOOT, null, 'steady')]);
    expect(range(metrics, 'ALERTS', GRID, 15_000, 10).size).toBe(0);
  });

  test('cannot be asked for without end', () => {
    const rules = Array.from({ length: 300 }, (_, i) => ({ ...RULE, name: `r${i}`, threshold: -1, forMs: 90_000_000 }));
    const metrics = watched(rules, [span(BOOT, null, 'steady')]);
    expect(() => range(metrics, 'ALERTS', GRID + 48 * HOUR, 5 * HOUR, 100)).toThrow(ExecutionError);
  });
});

test('an alert says since when, and what the value is', () => {
  const metrics = watched([{ ...RULE, threshold: -1 }], [span(BOOT, null, 'steady')]);
  const alertsAt = (at: number) => metrics.alerts(at).flatMap(({ alerts }) => alerts);
  expect(alertsAt(GRID - 1)).toEqual([]);
  const [first] = alertsAt(GRID + 30_000);
  expect(first?.state).toBe('pending');
  const [later] = alertsAt(GRID + HOUR + 7000);
  expect(later).toMatchObject({ state: 'firing', activeAt: first?.activeAt });
  expect(later?.value).toBe(
    Number(
      metrics.range('vm_cpu_perc', { core: 'cpu' }, { since: GRID + HOUR, until: GRID + HOUR, step: 1 }, GRID + HOUR)[0]
        ?.values[0]?.[1],
    ),
  );
  expect(shown(later?.labels ?? [])).toBe(
    `alertname=busy,core=cpu,exported_instance=vnf,exported_job=vnf,group=development,id=${ID},instance=pushgateway:9091,job=sonata,serviceID=service-1`,
  );
});
