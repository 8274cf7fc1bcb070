/** The laws of range queries, T1 to T4 and T6, on histories that chance made. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decimal, type MatrixSeries, parseRange } from './query.ts';
import {
  aRange,
  aWorld,
  BOOT,
  everyRow,
  exposed,
  framed,
  HOUR,
  MINUTE,
  monitor,
  OTHER_VC_ID,
  span,
  VC_ID,
  vnf,
} from './testing.ts';

const pointsOf = (rows: MatrixSeries[]): Map<string, Map<number, string>> =>
  new Map(rows.map(({ metric, values }) => [JSON.stringify(metric), new Map(values)]));

describe('a value', () => {
  test.each([
    [0, '0'],
    [-0, '0'],
    [5.94, '5.94'],
    [1e21, '1000000000000000000000'],
    [-1.25e22, '-12500000000000000000000'],
    [1e-7, '0.0000001'],
    [-2.5e-8, '-0.000000025'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
  ])('%d is written %s', (value, text) => {
    expect(decimal(value)).toBe(text);
  });

  test('is written without an exponent, and reads back as itself', () => {
    fc.assert(
      fc.property(fc.double({ noDefaultInfinity: true, noNaN: true }), (value) => {
        const text = decimal(value);
        expect(text).toMatch(/^-?\d+(\.\d+)?$/);
        expect(Number(text)).toBe(value === 0 ? 0 : value);
      }),
      { seed: 1, numRuns: 1000 },
    );
  });
});

describe('a range query', () => {
  const { metrics } = monitor([vnf([span(BOOT, null)])]);
  const count = (since: number, until: number, step: number): number | undefined =>
    metrics.range('vm_up', { id: VC_ID }, { since, until, step }, until)[0]?.values.length;

  test('has one point when it begins where it ends, and none when it ends before', () => {
    expect(count(BOOT + HOUR, BOOT + HOUR, 1000)).toBe(1);
    expect(count(BOOT + HOUR, BOOT + HOUR - 1, 1000)).toBeUndefined();
  });

  test('may have 11,001 points', () => {
    expect(parseRange('0', '11000', '1')).toEqual({ since: 0, until: 11_000_000, step: 1000 });
    expect(() => parseRange('0', '11001', '1')).toThrow(
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    );
    expect(count(BOOT + HOUR, BOOT + HOUR + 11_000_000, 1000)).toBe(11_001);
  });

  test.each(['0', '-1', '0.0001', '0s'])('is refused with step %s', (step) => {
    expect(() => parseRange('0', '1', step)).toThrow(
      'zero or negative query resolution step widths are not accepted. Try a positive integer',
    );
  });

  test('names the first of its parts that is wrong', () => {
    expect(() => parseRange('x', 'y', 'z')).toThrow('cannot parse "x" to a valid timestamp');
    expect(() => parseRange('0', 'y', 'z')).toThrow('cannot parse "y" to a valid timestamp');
    expect(() => parseRange('0', '1', 'z')).toThrow('cannot parse "z" to a valid duration');
  });

  test('matches labels as stored, and a label that is not there as empty', () => {
    const range = { since: BOOT + HOUR, until: BOOT + HOUR, step: 1 };
    const found = (matchers: Record<string, string>): number =>
      metrics.range('vm_cpu_perc', matchers, range, range.until).length;
    expect(found({})).toBe(2);
    expect(found({ core: 'cpu0', exported_job: 'vnf' })).toBe(1);
    expect(found({ inf: '' })).toBe(2);
    expect(found({ exported_job: 'vm' })).toBe(0);
    expect(found({ id: OTHER_VC_ID })).toBe(0);
    expect(metrics.range('cpu', {}, range, range.until)).toEqual([]);
  });

  test('has points on the grid from since, only while there is something to show (T1)', () => {
    fc.assert(
      fc.property(aWorld, aRange, ({ metrics, spans }, range) => {
        for (const { values } of everyRow(metrics, range, range.until + HOUR)) {
          let last = Number.NEGATIVE_INFINITY;
          for (const [time] of values) {
            const at = Math.round(time * 1000);
            const onGrid = (at - range.since) % range.step === 0;
            const shown = spans.some(({ from, to }) => from <= at && at < (to ?? at) + 5 * MINUTE);
            if (!(onGrid && shown && at > last && at <= range.until)) throw new Error(`a point at ${at}`);
            last = at;
          }
        }
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  test('has all points while the VM runs (T2)', () => {
    fc.assert(
      fc.property(fc.nat(), aRange, (seed, range) => {
        const { metrics } = monitor([vnf([span(range.since - MINUTE, null)])], seed);
        const count = Math.floor((range.until - range.since) / range.step) + 1;
        for (const { values } of everyRow(metrics, range, range.until)) expect(values).toHaveLength(count);
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  test('with twice the step has every other point (T3)', () => {
    fc.assert(
      fc.property(aWorld, aRange, ({ metrics, end }, range) => {
        const fine = pointsOf(everyRow(metrics, range, end));
        for (const [series, points] of pointsOf(everyRow(metrics, { ...range, step: 2 * range.step }, end))) {
          for (const [at, value] of points) {
            if (fine.get(series)?.get(at) !== value) throw new Error(`${value} at ${at} in ${series}`);
          }
        }
      }),
      { seed: 1, numRuns: 40 },
    );
  });

  test('is the union of its parts (T4)', () => {
    fc.assert(
      fc.property(aWorld, aRange, fc.nat(100), ({ metrics, end }, range, cut) => {
        const middle = range.since + range.step * Math.min(cut, Math.floor((range.until - range.since) / range.step));
        const whole = pointsOf(everyRow(metrics, range, end));
        const parts = pointsOf(everyRow(metrics, { ...range, until: middle }, end));
        for (const [series, points] of pointsOf(everyRow(metrics, { ...range, since: middle }, end))) {
          parts.set(series, new Map([...(parts.get(series) ?? []), ...points]));
        }
        expect(parts).toEqual(whole);
      }),
      { seed: 1, numRuns: 40 },
    );
  });

  test('gives what a Prometheus has that scraped the exposition every 15 s (T6)', () => {
    let compared = 0;
    fc.assert(
      fc.property(aWorld, aRange, fc.nat(40_000), ({ metrics }, asked, later) => {
        const range = { ...asked, until: Math.min(asked.until, asked.since + 12 * MINUTE) };
        const now = range.until + later;
        const stored = new Map<string, { at: number; value: string }[]>();
        const first = Math.ceil((range.since - 6 * MINUTE) / 15_000) * 15_000;
        for (let scrape = first; scrape <= now; scrape += 15_000) {
          for (const { name, labels, value, time } of exposed(metrics, scrape)) {
            const { job, instance, ...own } = labels;
            const key = JSON.stringify([name, job, instance, Object.entries(own).sort()]);
            const samples = stored.get(key) ?? [];
            samples.push({ at: time, value: String(value) });
            stored.set(key, samples);
          }
        }
        const answers = new Map<string, [number, string][]>();
        for (const [key, samples] of stored) {
          for (let at = range.since; at <= range.until; at += range.step) {
            const newest = samples.findLast((sample) => sample.at <= at);
            if (newest === undefined || at - newest.at > 5 * MINUTE) continue;
            const points = answers.get(key) ?? [];
            points.push([at / 1000, newest.value]);
            answers.set(key, points);
          }
        }
        const given = new Map(
          everyRow(metrics, range, now).map(({ metric, values }) => {
            const { __name__, exported_job, exported_instance, group, job, instance, ...own } = metric;
            expect([group, job, instance]).toEqual(['development', 'sonata', 'pushgateway:9091']);
            return [JSON.stringify([__name__, exported_job, exported_instance, Object.entries(own).sort()]), values];
          }),
        );
        expect(given).toEqual(answers);
        compared += given.size;
      }),
      { seed: 1, numRuns: 50 },
    );
    expect(compared).toBeGreaterThan(500);
  });

  test('shows a sample for exactly 5 minutes', () => {
    const { metrics } = monitor([vnf([span(BOOT, BOOT + HOUR)])]);
    const now = BOOT + 2 * HOUR;
    const last = framed(metrics, 'vm_up', [], now)?.[0]?.time ?? 0;
    const has = (at: number): boolean =>
      metrics.range('vm_up', { id: VC_ID }, { since: at, until: at, step: 1000 }, now).length === 1;
    expect(has(last + 5 * MINUTE)).toBe(true);
    expect(has(last + 5 * MINUTE + 1)).toBe(false);
  });

  test('of the future has what was scraped last, for 5 minutes', () => {
    const now = BOOT + HOUR;
    const [row] = metrics.range('vm_up', { id: VC_ID }, { since: now, until: now + HOUR, step: 1000 }, now);
    expect(new Set(row?.values.map(([, value]) => value)).size).toBe(1);
    expect(row?.values.length).toBeGreaterThan(280);
    expect(row?.values.length).toBeLessThanOrEqual(301);
  });
});
