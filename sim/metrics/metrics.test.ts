/** The laws of monitoring, T1 to T8, on histories that chance made, and the example of the gatekeeper's documentation. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../kernel/random.ts';
import type { Shape, Span } from '../one/vm/span.ts';
import { parseFilters } from './frame.ts';
import type { ProbedVm } from './guest.ts';
import { METRIC_DEVIATIONS, type MetricDeviation, Metrics } from './metrics.ts';
import { type MatrixSeries, parseRange, type Range } from './query.ts';

const BOOT = Date.parse('2017-08-28T15:23:31Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const VC_ID = 'fa8869e3-cc5f-4a5e-8520-932226d804e1';
const OTHER_VC_ID = '3f3c7a62-7b43-4f0c-9d0e-6a4a1e2f5b11';

interface TestVm extends ProbedVm {
  readonly attributes: Map<string, string>;
  readonly spans: Span[];
}

function vmWith(attributes: Record<string, string>, spans: Span[] = [], id = 0): TestVm {
  const map = new Map(Object.entries(attributes));
  return {
    id,
    uuid: `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`,
    spans,
    attributes: map,
    userTemplate: map,
  };
}

const SHAPE: Shape = {
  vcpu: 1,
  memoryMiB: 2048,
  disks: [
    { id: 0, target: 'vda', sizeMiB: 40_960 },
    { id: 1, target: 'vdb', sizeMiB: 1024 },
  ],
  nics: [0, 1],
  profile: '',
};

function span(from: number, to: number | null, more: Partial<Shape> & { boot?: number } = {}): Span {
  const { boot = 1, ...shape } = more;
  return { from, to, boot, hostId: 0, shape: { ...SHAPE, ...shape } };
}

const vnf = (spans: Span[], more: Record<string, string> = {}, id = 0): TestVm =>
  vmWith({ VC_ID, VNF_NAME: 'vtc-vnf', ...more }, spans, id);

/** The metrics of some VMs, and a way to change one. */
function monitor(vms: TestVm[], seed = 1, deviations: ReadonlySet<MetricDeviation> = new Set(METRIC_DEVIATIONS)) {
  const observers: ((vm: ProbedVm) => void)[] = [];
  const metrics = new Metrics(
    new Random(seed),
    {
      vms: {
        get nextId() {
          return vms.length;
        },
        find: (id) => vms[id],
      },
      observe: ({ vmUpdate }) => observers.push(vmUpdate),
    },
    deviations,
  );
  const update = (vm: TestVm, attributes: Record<string, string>): void => {
    for (const [name, value] of Object.entries(attributes)) vm.attributes.set(name, value);
    for (const vmUpdate of observers) vmUpdate(vm);
  };
  return { metrics, update };
}

const everyRow = (metrics: Metrics, range: Range, now: number): MatrixSeries[] =>
  metrics.names().flatMap((name) => metrics.range(name, { id: VC_ID }, range, now));

const pointsOf = (rows: MatrixSeries[]): Map<string, Map<number, string>> =>
  new Map(rows.map(({ metric, values }) => [JSON.stringify(metric), new Map(values)]));

/** A VM's life: it runs and pauses for a while, in turns; a resume does not boot, and a resize only reshapes. */
const aHistory = fc
  .array(
    fc.record({
      pauseMs: fc.oneof(fc.constant(0), fc.nat(20_000), fc.nat(15 * MINUTE)),
      runMs: fc.oneof(fc.nat(4000), fc.nat(20 * MINUTE)),
      boots: fc.boolean(),
      vcpu: fc.integer({ min: 1, max: 3 }),
      memoryMiB: fc.integer({ min: 1, max: 8192 }),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .chain((turns) => fc.record({ turns: fc.constant(turns), runsOn: fc.boolean() }))
  .map(({ turns, runsOn }) => {
    const spans: Span[] = [];
    let now = BOOT;
    let boot = 1;
    for (const { pauseMs, runMs, boots, vcpu, memoryMiB } of turns) {
      if (boots) boot++;
      spans.push(span(now + pauseMs, now + pauseMs + runMs, { boot, vcpu, memoryMiB }));
      now += pauseMs + runMs;
    }
    const last = spans.at(-1);
    if (runsOn && last !== undefined) last.to = null;
    return { spans, end: now };
  });

const aProfile = fc.constantFrom('idle', 'steady', 'diurnal', 'bursty', 'leaking', 'saturating', 'noisy');

const aWorld = fc.record({ history: aHistory, profile: aProfile, seed: fc.nat() }).map(({ history, profile, seed }) => {
  const spans = history.spans.map((one) => ({ ...one, shape: { ...one.shape, profile } }));
  const vm = vnf(spans);
  return { ...history, spans, vm, seed, ...monitor([vm], seed) };
});

const aRange = fc
  .record({
    start: fc.integer({ min: -10 * MINUTE, max: HOUR }),
    length: fc.nat(HOUR),
    step: fc.oneof(fc.integer({ min: 500, max: 20_000 }), fc.integer({ min: 1000, max: 10 * MINUTE })),
  })
  .map(({ start, length, step }) => ({ since: BOOT + start, until: BOOT + start + length, step }));

interface Exposed {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly value: number;
  readonly time: number;
}

/** Reads the exposition format; throws for what is not part of it, and for a family that is announced twice or not at all. */
function parseExposition(text: string): Exposed[] {
  const samples: Exposed[] = [];
  const helped = new Set<string>();
  const typed = new Set<string>();
  let family = '';
  for (const line of text.split('\n').slice(0, -1)) {
    const [, comment, about] = /^# (HELP|TYPE) (\S+) [^\n]+$/.exec(line) ?? [];
    if (about !== undefined) {
      const seen = comment === 'HELP' ? helped : typed;
      if (seen.has(about)) throw new Error(`a second ${comment} for ${about}`);
      seen.add(about);
      family = about;
      continue;
    }
    const [, name = '', pairs = '', value, time] = /^(\w+)\{(.*)\} (\S+) (\d+)$/.exec(line) ?? [];
    if (name !== family || !helped.has(name) || !typed.has(name)) throw new Error(`not expected here: ${line}`);
    const labels: Record<string, string> = {};
    const rest = pairs.replace(/(\w+)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/g, (_, label: string, escaped: string) => {
      labels[label] = escaped.replace(/\\(.)/g, (__, sign: string) => (sign === 'n' ? '\n' : sign));
      return '';
    });
    if (rest !== '') throw new Error(`labels do not parse: ${line}`);
    samples.push({ name, labels, value: Number(value), time: Number(time) });
  }
  return samples;
}

const exposed = (metrics: Metrics, at: number): Exposed[] => parseExposition([...metrics.exposition(at)].join(''));

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
    const frame = metrics.frame('vm_cpu_perc', parseFilters([`id='${VC_ID}'`, "type='vnf'"]), at) ?? [];
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
    const last = metrics.frame('vm_up', [], now)?.[0]?.time ?? 0;
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
            for (const { labels, value, time } of metrics.frame(name, [], at) ?? []) {
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
        const all = (name: string): number[] => (metrics.frame(name, [], at) ?? []).map(({ value }) => value);
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
    const carried = (name: string, at: number): number => (metrics.frame(name, [], at) ?? []).length;
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
          for (const { time } of metrics.frame(name, [], BOOT + after) ?? []) {
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
        const framed = metrics
          .names()
          .flatMap((name) =>
            (metrics.frame(name, [], at) ?? [])
              .filter(({ time }) => at - time <= 5 * MINUTE)
              .map(({ labels, value, time }) => ({ name, labels: labels.join(), value, time })),
          );
        const shown = exposed(metrics, at).map(({ labels, ...rest }) => ({
          ...rest,
          labels: Object.entries(labels)
            .map(([label, value]) => `${label}="${value}"`)
            .join(),
        }));
        expect(shown).toEqual(framed);
      }),
      { seed: 1 },
    );
  });
});

describe('the exposition', () => {
  const aName = fc.string({ unit: fc.constantFrom('a', '"', '\\', '\n', '=', ',', ' }', ' ', 'é'), maxLength: 8 });

  test('parses, announces each family once, repeats no label set, and escapes what must be (T8)', () => {
    fc.assert(
      fc.property(fc.array(aName, { maxLength: 6 }), (names) => {
        const vms = names.map((name, id) => vmWith({ VC_ID: `${name}-${id}`, VNF_NAME: name }, [span(BOOT, null)], id));
        const samples = exposed(monitor(vms).metrics, BOOT + HOUR);
        const keys = samples.map(({ name, labels }) => JSON.stringify([name, Object.entries(labels)]));
        expect(new Set(keys).size).toBe(keys.length);
        const shown = samples.filter(({ name }) => name === 'vm_up').map(({ labels }) => [labels.id, labels.instance]);
        expect(shown).toEqual(names.map((name, id) => [`${name}-${id}`, name]));
        expect(samples).toHaveLength(36 * names.length);
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  test('comes in chunks that hold no more than a part of it', () => {
    const vms = Array.from({ length: 300 }, (_, id) => vmWith({}, [span(BOOT, null)], id));
    const chunks = [...monitor(vms).metrics.exposition(BOOT + HOUR)];
    expect(chunks.length).toBeGreaterThan(10);
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThan(100_000);
  });

  test('is empty without VMs, and leaves out those that died long ago', () => {
    expect([...monitor([]).metrics.exposition(BOOT)]).toEqual([]);
    const { metrics } = monitor([vnf([span(BOOT, BOOT + HOUR)])]);
    expect(exposed(metrics, BOOT + HOUR + 4 * MINUTE)).not.toEqual([]);
    expect(exposed(metrics, BOOT + HOUR + 6 * MINUTE)).toEqual([]);
  });

  test('shows a VM that is no network function under its own name', () => {
    const { metrics } = monitor([vmWith({}, [span(BOOT, null)], 0)]);
    expect(exposed(metrics, BOOT + HOUR).find(({ name }) => name === 'vm_up')?.labels).toEqual({
      id: '00000000-0000-4000-8000-000000000000',
      instance: 'one-0',
      job: 'vm',
    });
  });
});

describe('a frame', () => {
  const vms = [
    vnf([span(BOOT, BOOT + HOUR)], {}, 0),
    vmWith({ VC_ID: OTHER_VC_ID, VNF_NAME: 'fw-vnf' }, [span(BOOT, null)], 1),
    vmWith({ VC_ID: `old-${VC_ID}`, VNF_NAME: 'fw-vnf' }, [span(BOOT, null)], 2),
  ];
  const { metrics } = monitor(vms);
  const ids = (filters: string[], at = BOOT + 2 * HOUR): (string | undefined)[] | undefined =>
    metrics.frame('vm_up', parseFilters(filters), at)?.map(({ labels }) => /^id="(.*)"$/.exec(labels[0] ?? '')?.[1]);

  test('holds the records with as many hits as there are filters', () => {
    expect(ids([])).toEqual([VC_ID, OTHER_VC_ID, `old-${VC_ID}`]);
    expect(ids(["type='vnf'"])).toEqual([VC_ID, OTHER_VC_ID, `old-${VC_ID}`]);
    expect(ids(["type='vnf'", 'instance=fw'])).toEqual([OTHER_VC_ID, `old-${VC_ID}`]);
    expect(ids([`id='${OTHER_VC_ID}'`, "type='vnf'"])).toEqual([OTHER_VC_ID]);
    expect(ids(['i=vnf', 'type=vnf'])).toEqual([VC_ID, OTHER_VC_ID, `old-${VC_ID}`]);
    expect(ids(['=', 'j=j'])).toEqual([]);
    expect(ids(['id=nobody', 'i=-'])).toEqual([VC_ID, OTHER_VC_ID, `old-${VC_ID}`]);
  });

  test('looks for a value anywhere in a label', () => {
    expect(ids(['id=fa8869e3'])).toEqual([VC_ID, `old-${VC_ID}`]);
    expect(ids([`id=${VC_ID}`])).toEqual([VC_ID, `old-${VC_ID}`]);
    expect(ids(['id="'])).toEqual([VC_ID, OTHER_VC_ID, `old-${VC_ID}`]);
  });

  test('is empty when nothing matches, and is not sent while nobody has pushed the metric', () => {
    expect(ids(['id=nobody'])).toEqual([]);
    expect(ids([], BOOT - 1)).toBeUndefined();
    expect(metrics.frame('vm_cpu', [], BOOT + HOUR)).toBeNull();
  });

  test('repeats the last push of a dead VM for ever, with its time', () => {
    const [record] = metrics.frame('vm_up', parseFilters([`id=${VC_ID}`, 'instance=vtc']), BOOT + 1000 * HOUR) ?? [];
    expect(record?.value).toBe((record?.time ?? 0) / 1000);
    expect(BOOT + HOUR - (record?.time ?? 0)).toBeLessThanOrEqual(3000);
  });
});

describe('without deviations', () => {
  const { metrics: upstream } = monitor([vnf([span(BOOT, null)])]);
  const { metrics } = monitor([vnf([span(BOOT, null)])], 1, new Set());
  const at = BOOT + HOUR;
  const value = (from: Metrics, name: string): number => from.frame(name, [], at)?.[0]?.value ?? Number.NaN;

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
    const [record] = metrics.frame('vm_up', parseFilters([`id='${VC_ID}'`, "type='vnf'"]), at) ?? [];
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
      metrics.frame('vm_cpu_perc', parseFilters([`id=${VC_ID}`]), BOOT + HOUR),
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

describe('a fleet that changes', () => {
  const now = BOOT + HOUR;
  const range = { since: now, until: now, step: 1 };
  const found = (metrics: Metrics, id: string): (string | undefined)[] =>
    metrics.range('vm_up', { id }, range, now).map(({ metric }) => metric.exported_instance);

  test('shows a VM made after the first question', () => {
    const vms = [vnf([span(BOOT, null)])];
    const { metrics } = monitor(vms);
    expect(found(metrics, OTHER_VC_ID)).toEqual([]);
    vms.push(vmWith({ VC_ID: OTHER_VC_ID, VNF_NAME: 'new' }, [span(BOOT, null)], 1));
    expect(found(metrics, OTHER_VC_ID)).toEqual(['new']);
  });

  test('shows a VM that boots, ends or moves after the first question', () => {
    const vm = vnf([]);
    const { metrics } = monitor([vm]);
    const cores = (at: number): number =>
      metrics.range('vm_cpu_perc', {}, { since: at, until: at, step: 1 }, at).length;
    expect(cores(now)).toBe(0);
    vm.spans.push(span(BOOT, null));
    expect(cores(now)).toBe(2);
    for (const old of vm.spans) old.to = now;
    vm.spans.push(span(now, null, { vcpu: 2 }));
    expect(cores(now + MINUTE)).toBe(3);
    for (const old of vm.spans) old.to ??= now + MINUTE;
    expect(cores(now + HOUR)).toBe(0);
    expect(cores(now + MINUTE)).toBe(3);
  });

  test('finds a VM by the id that it has now', () => {
    const vm = vnf([span(BOOT, null)]);
    const { metrics, update } = monitor([vm]);
    expect(found(metrics, VC_ID)).toEqual(['vtc-vnf']);
    update(vm, { VC_ID: OTHER_VC_ID, VNF_NAME: 'fw-vnf' });
    expect(found(metrics, VC_ID)).toEqual([]);
    expect(found(metrics, OTHER_VC_ID)).toEqual(['fw-vnf']);
    update(vm, { VC_ID });
    expect(found(metrics, VC_ID)).toEqual(['fw-vnf']);
  });

  test('shows the newest of two VMs with the same labels, and the other again when that has others', () => {
    const vms = [vnf([span(BOOT, null, { vcpu: 4 })], {}, 0), vnf([span(BOOT, null, { vcpu: 1 })], {}, 1)];
    const { metrics, update } = monitor(vms);
    const cores = (): number => metrics.range('vm_cpu_perc', { id: VC_ID }, range, now).length;
    expect(cores()).toBe(2);
    expect(exposed(metrics, now).filter(({ name }) => name === 'vm_up')).toHaveLength(1);
    update(vms[1] as TestVm, { VNF_NAME: 'other' });
    expect(cores()).toBe(7);
    update(vms[1] as TestVm, { VC_ID: OTHER_VC_ID });
    expect(cores()).toBe(5);
  });
});

describe('a profile', () => {
  const column = (profile: string, name: string, matchers: Record<string, string> = {}): number[] => {
    const { metrics } = monitor([vnf([span(BOOT, null, { profile })])]);
    const range = { since: BOOT + HOUR, until: BOOT + 25 * HOUR, step: MINUTE };
    const rows = metrics.range(name, { id: VC_ID, ...matchers }, range, range.until);
    return (rows[0]?.values ?? []).map(([, value]) => Number(value));
  };
  const cpu = (profile: string): number[] => column(profile, 'vm_cpu_perc');
  const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const spread = (values: number[]): number => mean(values.map((value) => Math.abs(value - mean(values))));

  test('idle shows plain zeros, and now and then a little work', () => {
    const zeros = cpu('idle').filter((value) => value === 0).length / 1441;
    expect(zeros).toBeGreaterThan(0.9);
    expect(zeros).toBeLessThan(1);
    expect(Math.max(...cpu('idle'))).toBeLessThan(20);
  });

  test('steady stays around its mean, noisy strays far, bursty is quiet or high', () => {
    expect(spread(cpu('steady'))).toBeLessThan(5);
    expect(spread(cpu('noisy'))).toBeGreaterThan(12);
    const values = cpu('bursty');
    expect(values.filter((value) => value < 10).length).toBeGreaterThan(800);
    expect(values.filter((value) => value > 25).length).toBeGreaterThan(100);
  });

  test('diurnal is high in the afternoon and low at night', () => {
    const at = (hour: number): number => {
      const first = ((hour - 16 + 24) % 24) * 60 - 24;
      return mean(cpu('diurnal').slice(Math.max(0, first), first + 60));
    };
    expect(at(15)).toBeGreaterThan(at(3) + 40);
    expect(at(9)).toBeGreaterThan(at(3));
  });

  test('leaking loses memory until there is none, saturating its processor and its disk', () => {
    const free = column('leaking', 'vm_mem_perc');
    expect(free[0]).toBeGreaterThan(50);
    expect(free.at(-1)).toBeLessThan(5);
    expect(mean(cpu('saturating').slice(120))).toBeGreaterThan(80);
    const used = column('saturating', 'vm_disk_used_1k_blocks', { file_system: '/dev/vda1' });
    expect(used.at(-1)).toBeGreaterThan(1.1 * (used[0] ?? 0));
  });

  test('is named in any case, and is steady when there is none of that name', () => {
    expect(cpu('IDLE')).toEqual(cpu('idle'));
    expect(cpu('__proto__')).toEqual(cpu('steady'));
    expect(cpu('')).toEqual(cpu('steady'));
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
