/** The laws of what is monitored, T5 to T7, on histories that chance made, and the example of the gatekeeper's documentation. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Shape } from '../one/vm/span.ts';
import { parseFilters } from './frame.ts';
import type { Metrics } from './metrics.ts';
import { type MatrixSeries, parseRange } from './query.ts';
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
  vmWith,
  vnf,
} from './testing.ts';

describe('the example of the documentation', () => {
  const { metrics } = monitor([vnf([span(BOOT, null, { profile: 'idle' })])]);
  const range = parseRange('1504011287', '1504012281', '14');

  test('has 72 points for the machine and for its only core', () => {
    const rows = metrics.range('vm_cpu_perc', { id: VC_ID, exported_job: 'vnf' }, range, range.until);
    const labels = {
      exported_instance: 'vtc-vnf',
      group: 'development',
      exported_job: 'vnf',
      instance: 'pushgateway:9091',
      job: 'sonata',
      __name__: 'vm_cpu_perc',
      id: VC_ID,
    };
    expect(rows.map(({ metric }) => metric)).toEqual([
      { ...labels, core: 'cpu' },
      { ...labels, core: 'cpu0' },
    ]);
    for (const { values } of rows) {
      expect(values).toHaveLength(72);
      expect(values[0]).toEqual([1504011287, '0']);
      expect(values[71]).toEqual([1504012281, '0']);
      expect(values.every(([, value]) => /^\d+(\.\d\d?)?$/.test(value))).toBe(true);
    }
  });

  test('is the same for every representation of its range', () => {
    const written = parseRange('2017-08-29T12:54:47Z', '2017-08-29T13:11:21+00:00', '14s');
    expect(written).toEqual(range);
  });

  test('has frames of numbers with the labels as pushed', () => {
    const at = 1504011288500;
    const frame = framed(metrics, 'vm_cpu_perc', parseFilters([`id='${VC_ID}'`, "type='vnf'"]), at) ?? [];
    const labels = [`id="${VC_ID}"`, 'instance="vtc-vnf"', 'job="vnf"'];
    expect(frame.map((record) => record.labels)).toEqual([
      ['core="cpu"', ...labels],
      ['core="cpu0"', ...labels],
    ]);
    for (const { value, time } of frame) {
      expect(value).toBe(0);
      expect(time % 1000).toBe(0);
      expect(at - time).toBeLessThan(3000);
    }
  });
});

test('there are 14 metrics, in order of name', () => {
  const names = monitor([]).metrics.names();
  expect(names).toHaveLength(14);
  expect(names).toEqual(names.toSorted());
});

describe('a value', () => {
  test('stays within physical bounds (T5)', () => {
    const bounds: Record<string, [number, number]> = {
      vm_cpu_perc: [0, 100],
      vm_mem_perc: [0, 100],
      vm_disk_usage_perc: [0, 100],
    };
    fc.assert(
      fc.property(aWorld, aRange, ({ metrics, end }, range) => {
        for (const { metric, values } of everyRow(metrics, range, end)) {
          const [least, most] = bounds[metric.__name__ ?? ''] ?? [0, Number.MAX_SAFE_INTEGER];
          for (const [, value] of values) {
            const bounded = Number(value) >= least && Number(value) <= most;
            if (!bounded || !/^\d+(\.\d\d?)?$/.test(value)) throw new Error(`${metric.__name__} is ${value}`);
          }
        }
      }),
      { seed: 1, numRuns: 40 },
    );
  });

  test('of a counter falls only at a boot (T5)', () => {
    fc.assert(
      fc.property(aWorld, ({ metrics, spans, end }) => {
        const bootAt = (time: number): number | undefined =>
          spans.find(({ from, to }) => from <= time && time < (to ?? time + 1))?.boot;
        const before = new Map<string, { value: number; time: number }>();
        for (let at = BOOT; at < end; at += 3000) {
          for (const name of ['vm_net_rx_MB', 'vm_net_tx_MB']) {
            for (const { labels, value, time } of framed(metrics, name, [], at) ?? []) {
              const key = name + labels;
              const was = before.get(key);
              if (was !== undefined && bootAt(was.time) === bootAt(time)) {
                expect(value).toBeGreaterThanOrEqual(was.value);
              }
              before.set(key, { value, time });
            }
          }
        }
      }),
      { seed: 1, numRuns: 30 },
    );
  });

  test('is one with the others of the same push: cores and machine, free memory and total, used blocks and share', () => {
    fc.assert(
      fc.property(aWorld, fc.nat(HOUR), ({ metrics }, after) => {
        const at = BOOT + after;
        const all = (name: string): number[] => (framed(metrics, name, [], at) ?? []).map(({ value }) => value);
        const [machine, ...cores] = all('vm_cpu_perc');
        if (machine === undefined) return;
        expect(Math.abs(machine - cores.reduce((a, b) => a + b) / cores.length)).toBeLessThan(0.00501);
        const [free = 0, total = 0] = [...all('vm_mem_free_MB'), ...all('vm_mem_total_MB')];
        expect(free).toBeLessThanOrEqual(total);
        expect(all('vm_mem_perc')).toEqual([Math.round((10_000 * free) / total) / 100]);
        const used = all('vm_disk_used_1k_blocks');
        expect(used).toHaveLength(4);
        for (const [i, blocks] of all('vm_disk_total_1k_blocks').entries()) {
          expect(all('vm_disk_usage_perc')[i]).toBe(blocks === 0 ? 0 : Math.ceil((100 * (used[i] ?? 0)) / blocks));
        }
      }),
      { seed: 1 },
    );
  });

  test('of bps is about twice the rate at which the counter rises, and what lo sends it receives', () => {
    const { metrics } = monitor([vnf([span(BOOT, null, { profile: 'bursty' })])]);
    const range = { since: BOOT + HOUR, until: BOOT + 9 * HOUR, step: 3000 };
    const row = (name: string, inf: string): number[] =>
      (metrics.range(name, { id: VC_ID, inf }, range, range.until)[0]?.values ?? []).map(([, value]) => Number(value));
    for (const inf of ['lo', 'eth0', 'eth1']) {
      const bits = row('vm_net_rx_bps', inf);
      const bytes = row('vm_net_rx_MB', inf);
      const rate = ((bytes.at(-1) ?? 0) - (bytes[0] ?? 0)) / (8 * 3600);
      const twice = bits.reduce((a, b) => a + b) / bits.length / 8e6;
      expect(twice / rate).toBeGreaterThan(1.9);
      expect(twice / rate).toBeLessThan(2.1);
    }
    expect(row('vm_net_rx_MB', 'lo')).toEqual(row('vm_net_tx_MB', 'lo'));
    expect(row('vm_net_rx_MB', 'eth0')).not.toEqual(row('vm_net_tx_MB', 'eth0'));
  });

  test('of a rate is missing in the first push after a boot, but not after a resume', () => {
    const { metrics } = monitor([
      vnf([span(BOOT, BOOT + HOUR), span(BOOT + 2 * HOUR, BOOT + 3 * HOUR), span(BOOT + 4 * HOUR, null, { boot: 2 })]),
    ]);
    const carried = (name: string, at: number): number => (framed(metrics, name, [], at) ?? []).length;
    for (const [from, boots] of [
      [BOOT, true],
      [BOOT + 2 * HOUR, false],
      [BOOT + 4 * HOUR, true],
    ] as const) {
      expect(carried('vm_net_rx_MB', from + 3000)).toBe(3);
      expect(carried('vm_net_rx_bps', from + 2999)).toBe(boots ? 0 : 3);
      expect(carried('vm_net_rx_pps', from + 6000)).toBe(3);
    }
  });

  test('of a core that a resize took away ends, and the machine stays the mean of the others', () => {
    const { metrics } = monitor([vnf([span(BOOT, BOOT + HOUR, { vcpu: 3 }), span(BOOT + HOUR, null, { vcpu: 1 })])]);
    const range = { since: BOOT + MINUTE, until: BOOT + 2 * HOUR, step: MINUTE };
    const rows = metrics.range('vm_cpu_perc', { id: VC_ID }, range, range.until);
    expect(rows.map(({ metric, values }) => [metric.core, values.length])).toEqual([
      ['cpu', 120],
      ['cpu0', 120],
      ['cpu1', 64],
      ['cpu2', 64],
    ]);
  });

  test('never comes from before the VM ran or from after it (T7)', () => {
    fc.assert(
      fc.property(aWorld, fc.integer({ min: -MINUTE, max: 2 * HOUR }), ({ metrics, spans }, after) => {
        for (const name of metrics.names()) {
          for (const { time } of framed(metrics, name, [], BOOT + after) ?? []) {
            expect(time).toBeLessThanOrEqual(BOOT + after);
            expect(spans.some(({ from, to }) => from <= time && time < (to ?? time + 1))).toBe(true);
          }
        }
      }),
      { seed: 1 },
    );
  });

  test('in a frame is the one in the exposition (T6)', () => {
    fc.assert(
      fc.property(aWorld, fc.nat(2 * HOUR), ({ metrics }, after) => {
        const at = BOOT + after;
        const records = metrics
          .names()
          .flatMap((name) =>
            (framed(metrics, name, [], at) ?? [])
              .filter(({ time }) => at - time <= 5 * MINUTE)
              .map(({ labels, value, time }) => ({ name, labels: labels.join(), value, time })),
          );
        const shown = exposed(metrics, at).map(({ labels, ...rest }) => ({
          ...rest,
          labels: Object.entries(labels)
            .map(([label, value]) => `${label}="${value}"`)
            .join(),
        }));
        expect(shown).toEqual(records);
      }),
      { seed: 1 },
    );
  });
});

describe('without deviations', () => {
  const { metrics: upstream } = monitor([vnf([span(BOOT, null)])]);
  const { metrics } = monitor([vnf([span(BOOT, null)])], 1, new Set());
  const at = BOOT + HOUR;
  const value = (from: Metrics, name: string): number => framed(from, name, [], at)?.[0]?.value ?? Number.NaN;

  test('memory is what its names say', () => {
    expect(value(metrics, 'vm_mem_perc')).toBeCloseTo(100 - value(upstream, 'vm_mem_perc'), 2);
    for (const name of ['vm_mem_free_MB', 'vm_mem_total_MB']) {
      expect(value(metrics, name)).toBe(Math.floor(value(upstream, name) / 1024));
    }
    expect(String(value(metrics, 'vm_mem_total_MB'))).toMatch(/^\d{4}$/);
    expect(String(value(upstream, 'vm_mem_total_MB'))).toMatch(/^\d{7}$/);
    expect(metrics.names()).toEqual(upstream.names());
  });

  test('a frame has the labels of the history, and is filtered as ever', () => {
    const [record] = framed(metrics, 'vm_up', parseFilters([`id='${VC_ID}'`, "type='vnf'"]), at) ?? [];
    expect(record?.labels).toEqual([
      'exported_instance="vtc-vnf"',
      'exported_job="vnf"',
      'group="development"',
      `id="${VC_ID}"`,
      'instance="pushgateway:9091"',
      'job="sonata"',
    ]);
  });
});

describe('chance', () => {
  const answers = (metrics: Metrics): unknown => {
    const range = { since: BOOT, until: BOOT + 6 * HOUR, step: 47_000 };
    return [
      everyRow(metrics, range, range.until),
      framed(metrics, 'vm_cpu_perc', parseFilters([`id=${VC_ID}`]), BOOT + HOUR),
    ];
  };
  const spans = [span(BOOT, BOOT + HOUR, { vcpu: 2 }), span(BOOT + 2 * HOUR, null, { boot: 2 })];

  test('gives the same for the same seed, whoever else is there and whatever was asked before', () => {
    const alone = answers(monitor([vnf(spans)]).metrics);
    const noisy = vmWith({}, [span(BOOT, null, { profile: 'noisy' })], 1);
    const { metrics } = monitor([vnf(spans), noisy]);
    metrics.range('vm_mem_perc', {}, { since: BOOT, until: BOOT + 9 * HOUR, step: 1111 }, BOOT + 9 * HOUR);
    exposed(metrics, BOOT + HOUR);
    expect(answers(metrics)).toEqual(alone);
    expect(answers(metrics)).toEqual(alone);
  });

  test('gives something else for another seed, and for another VM', () => {
    const alone = answers(monitor([vnf(spans)]).metrics);
    expect(answers(monitor([vnf(spans)], 2).metrics)).not.toEqual(alone);
    const { metrics } = monitor([vnf(spans), vmWith({ VC_ID: OTHER_VC_ID }, spans, 1)]);
    const range = { since: BOOT, until: BOOT + HOUR, step: 10_000 };
    const cpu = (id: string): unknown => metrics.range('vm_cpu_perc', { id }, range, range.until)[0]?.values;
    expect(cpu(VC_ID)).not.toEqual(cpu(OTHER_VC_ID));
  });
});

describe('a change of the machine', () => {
  const at = (rows: MatrixSeries[], label: string, value: string): [number, number] => {
    const times = rows.filter(({ metric }) => metric[label] === value).flatMap(({ values }) => values.map(([t]) => t));
    return [Math.min(...times), Math.max(...times)];
  };
  const now = BOOT + 20 * MINUTE;
  const range = (name: string, metrics: Metrics): MatrixSeries[] =>
    metrics.range(name, { id: VC_ID }, { since: BOOT, until: now, step: 15_000 }, now);
  const changed = (before: Partial<Shape>, after: Partial<Shape>): Metrics =>
    monitor([vnf([span(BOOT, BOOT + 10 * MINUTE, before), span(BOOT + 10 * MINUTE, null, after)])]).metrics;

  test('an interface reports from when it was attached until it was detached', () => {
    const rows = range('vm_net_rx_MB', changed({ nics: [0, 1] }, { nics: [1, 2] }));
    expect(at(rows, 'inf', 'eth0')[1]).toBeLessThanOrEqual((BOOT + 16 * MINUTE) / 1000);
    expect(at(rows, 'inf', 'eth1')[1]).toBeGreaterThan((BOOT + 19 * MINUTE) / 1000);
    expect(at(rows, 'inf', 'eth2')[0]).toBeGreaterThanOrEqual((BOOT + 10 * MINUTE) / 1000);
  });

  test('a disk has the size that it had at the time', () => {
    const disk = { id: 0, target: 'vda', sizeMiB: 1024 };
    const metrics = changed({ disks: [disk] }, { disks: [{ ...disk, sizeMiB: 2048 }] });
    const [row] = range('vm_disk_total_1k_blocks', metrics).filter((r) => r.metric.file_system === '/dev/vda1');
    expect(new Set(row?.values.map(([, value]) => value))).toEqual(new Set(['1006632', '2013265']));
  });

  test('a change of profile leaves the past as it was, and counters rising', () => {
    const [before, after] = [monitor([vnf([span(BOOT, null)])]).metrics, changed({}, { profile: 'saturating' })];
    for (const name of before.names()) {
      const early = { since: BOOT, until: BOOT + 9 * MINUTE, step: 15_000 };
      expect(after.range(name, {}, early, now)).toEqual(before.range(name, {}, early, now));
    }
    for (const { values } of range('vm_net_tx_MB', after)) {
      const numbers = values.map(([, value]) => Number(value));
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }
  });
});
