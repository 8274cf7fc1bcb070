/** Rules that hold for every query, on the metrics of machines whose histories chance made. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../kernel/random.ts';
import type { Span } from '../../one/vm/span.ts';
import type { ProbedVm } from '../guest.ts';
import { Metrics } from '../metrics.ts';
import { LOOKBACK_MS } from '../series.ts';
import { type Column, keyOf, type Times } from './column.ts';
import { evaluate, prepare } from './engine.ts';
import { ExecutionError, ParseError } from './expression.ts';

const BOOT = Date.parse('2017-08-28T15:23:31Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const DISKS = [{ id: 0, target: 'vda', sizeMiB: 40_960 }];

/** Lives of up to three machines: they run and pause in turns, boot or resume, and change their size. */
const aWorld = fc
  .record({
    seed: fc.nat(),
    lives: fc.array(
      fc.array(
        fc.record({
          pauseMs: fc.oneof(fc.constant(0), fc.nat(20_000), fc.nat(15 * MINUTE)),
          runMs: fc.oneof(fc.nat(4000), fc.nat(20 * MINUTE)),
          boots: fc.boolean(),
          vcpu: fc.integer({ min: 1, max: 3 }),
        }),
        { minLength: 1, maxLength: 4 },
      ),
      { minLength: 1, maxLength: 3 },
    ),
  })
  .map(({ seed, lives }) => {
    const vms = lives.map((turns, id): ProbedVm => {
      let now = BOOT;
      let boot = 1;
      const spans = turns.map(({ pauseMs, runMs, boots, vcpu }): Span => {
        if (boots) boot++;
        const from = now + pauseMs;
        now = from + runMs;
        const shape = { vcpu, memoryMiB: 1024, disks: DISKS, nics: [0], profile: 'bursty' };
        return { from, to: now, boot, hostId: 0, shape };
      });
      const uuid = `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`;
      return { id, uuid, spans, userTemplate: new Map(id === 0 ? [['VC_ID', uuid]] : []) };
    });
    const source = { vms: { nextId: vms.length, find: (id: number) => vms[id] }, observe: () => {} };
    return new Metrics(new Random(seed), source);
  });

const someTimes = fc
  .record({
    start: fc.integer({ min: -10 * MINUTE, max: HOUR }),
    step: fc.integer({ min: 1000, max: 5 * MINUTE }),
    count: fc.integer({ min: 1, max: 25 }),
  })
  .map(({ start, step, count }): Times => ({ start: BOOT + start, step, count }));

const NOW = BOOT + 2 * HOUR;

function ask(metrics: Metrics, query: string, times: Times): readonly Column[] {
  const result = evaluate(prepare(query), (matchers) => metrics.select(matchers, NOW), times);
  if (result.type !== 'vector') throw new Error(result.type);
  return result.columns;
}

/** By label set: the values that there are, by time. */
type Shown = Map<string, Map<number, number>>;

function shown(columns: readonly Column[], { start, step }: Times): Shown {
  return new Map(
    columns.map(({ labels, values, present }) => [
      keyOf(labels),
      new Map(Array.from(values, (value, i) => [start + i * step, value] as const).filter((_, i) => present[i] === 1)),
    ]),
  );
}

const QUERIES = [
  'vm_cpu_perc',
  'vm_cpu_perc offset 2m',
  '{__name__=~"vm_mem.*"}',
  'rate(vm_net_rx_MB[2m])',
  'increase(vm_net_tx_MB{inf!="lo"}[45s])',
  'irate(vm_net_rx_MB[1m])',
  'max_over_time(vm_cpu_perc[3m])',
  'avg_over_time(vm_cpu_perc{core=~"cpu.+"}[40s])',
  'sum by (exported_job) (vm_cpu_perc)',
  'topk(2, vm_cpu_perc)',
  'vm_cpu_perc > 10',
  'vm_mem_free_MB / vm_mem_total_MB',
  'vm_cpu_perc * on (id) group_left vm_mem_perc',
  'vm_cpu_perc{core="cpu"} or ignoring (core) vm_mem_perc',
  'vm_net_rx_bps unless on (id) (vm_cpu_perc{core="cpu"} > 20)',
  'absent(vm_up{exported_job="vnf"})',
  'vector(scalar(vm_up) - time())',
  'timestamp(vm_up)',
];

/** The least that a query gives. */
const aQuery = fc.constantFrom(...QUERIES);

const options = { seed: 1, numRuns: 150 };

test('a range query is its instant queries, one after the other', () => {
  let points = 0;
  fc.assert(
    fc.property(aWorld, aQuery, someTimes, (metrics, query, times) => {
      const whole = shown(ask(metrics, query, times), times);
      const single: Shown = new Map();
      for (let i = 0; i < times.count; i++) {
        const at = { start: times.start + i * times.step, step: 1, count: 1 };
        for (const [key, values] of shown(ask(metrics, query, at), at)) {
          single.set(key, new Map([...(single.get(key) ?? []), ...values]));
        }
      }
      expect(whole).toEqual(single);
      points += [...whole.values()].reduce((sum, { size }) => sum + size, 0);
    }),
    options,
  );
  expect(points).toBeGreaterThan(1000);
});

test('a range is the sum of its parts', () => {
  fc.assert(
    fc.property(aWorld, aQuery, someTimes, fc.nat(25), (metrics, query, times, at) => {
      const cut = Math.min(at, times.count);
      const parts = [
        { ...times, count: cut },
        { ...times, start: times.start + cut * times.step, count: times.count - cut },
      ].filter(({ count }) => count > 0);
      const joined: Shown = new Map();
      for (const part of parts) {
        for (const [key, values] of shown(ask(metrics, query, part), part)) {
          joined.set(key, new Map([...(joined.get(key) ?? []), ...values]));
        }
      }
      expect(shown(ask(metrics, query, times), times)).toEqual(joined);
    }),
    options,
  );
});

test('a selector shows what the monitoring manager shows', () => {
  fc.assert(
    fc.property(aWorld, someTimes, (metrics, times) => {
      const until = times.start + (times.count - 1) * times.step;
      for (const name of metrics.names()) {
        const rows = metrics.range(name, {}, { since: times.start, until, step: times.step }, NOW);
        const theirs = rows.map(({ metric, values }) => [
          keyOf(Object.entries(metric)),
          new Map(values.map(([at, value]) => [Math.round(at * 1000), Number(value)])),
        ]);
        expect([...shown(ask(metrics, name, times), times)], name).toEqual(theirs);
      }
    }),
    { ...options, numRuns: 40 },
  );
});

test('an offset shows the past', () => {
  fc.assert(
    fc.property(aWorld, someTimes, fc.integer({ min: 1, max: 1800 }), (metrics, times, seconds) => {
      const past = { ...times, start: times.start - seconds * 1000 };
      const values = (columns: readonly Column[]) =>
        columns.map(({ labels, values, present }) => [keyOf(labels), values, present]);
      for (const range of ['', '[1m]']) {
        const [now, then] = range === '' ? ['vm_cpu_perc', ''] : ['delta(vm_cpu_perc[1m]', ')'];
        const shifted = ask(metrics, `${now} offset ${seconds}s${then}`, times);
        expect(values(shifted)).toEqual(values(ask(metrics, `${now}${then}`, past)));
      }
    }),
    options,
  );
});

describe('counters', () => {
  test.each(['rate', 'increase', 'irate'])('never have a negative %s', (name) => {
    fc.assert(
      fc.property(aWorld, someTimes, fc.constantFrom('20s', '1m', '10m'), (metrics, times, range) => {
        for (const { values } of ask(metrics, `${name}(vm_net_rx_MB[${range}])`, times)) {
          for (const value of values) expect(value).toBeGreaterThanOrEqual(0);
        }
      }),
      options,
    );
  });
});

describe('aggregations', () => {
  test('of no labels are those of all series', () => {
    fc.assert(
      fc.property(aWorld, someTimes, (metrics, times) => {
        const columns = ask(metrics, 'vm_net_rx_bps', times);
        const all = Array.from({ length: times.count }, (_, i) =>
          columns.filter(({ present }) => present[i] === 1).map(({ values }) => values[i] ?? 0),
        );
        const expected: Record<string, (values: readonly number[]) => number> = {
          sum: (values) => values.reduce((sum, value) => sum + value, 0),
          count: (values) => values.length,
          min: (values) => Math.min(...values),
          max: (values) => Math.max(...values),
        };
        for (const [name, of] of Object.entries(expected)) {
          const [column] = ask(metrics, `${name} by () (vm_net_rx_bps)`, times);
          for (const [i, values] of all.entries()) {
            expect(column?.present[i] ?? 0, name).toBe(values.length > 0 ? 1 : 0);
            if (values.length > 0) expect(column?.values[i], name).toBeCloseTo(of(values), 6);
          }
        }
      }),
      options,
    );
  });

  test('of all labels change nothing but the name', () => {
    fc.assert(
      fc.property(aWorld, someTimes, (metrics, times) => {
        const same = shown(ask(metrics, 'sum without () (vm_cpu_perc)', times), times);
        expect(same).toEqual(shown(ask(metrics, '+vm_cpu_perc + 0', times), times));
      }),
      options,
    );
  });
});

test('what is in both of two vectors and what is in the first only make up the first', () => {
  fc.assert(
    fc.property(aWorld, someTimes, fc.integer({ min: 0, max: 100 }), (metrics, times, bar) => {
      const few = `(vm_cpu_perc > ${bar})`;
      const joined = ask(metrics, `(vm_cpu_perc and ${few}) or (vm_cpu_perc unless ${few})`, times);
      expect(shown(joined, times)).toEqual(shown(ask(metrics, 'vm_cpu_perc', times), times));
    }),
    options,
  );
});

test('the newest sample is the last of those in a stretch of time', () => {
  fc.assert(
    fc.property(aWorld, fc.integer({ min: -MINUTE, max: HOUR }), (metrics, after) => {
      const at = BOOT + after;
      for (const group of metrics.select(prepareMatchers('vm_up'), NOW)) {
        const samplings = [...group.between(at - LOOKBACK_MS, at)].map((one) => one.at);
        expect(group.newest(at, at - LOOKBACK_MS)?.at).toBe(samplings.at(-1));
        expect(samplings).toEqual([...new Set(samplings)].sort((a, b) => a - b));
      }
    }),
    options,
  );
});

function prepareMatchers(query: string) {
  const expression = prepare(query);
  if (expression.is !== 'selector') throw new Error(query);
  return expression.matchers;
}

describe('whatever is written', () => {
  const TOKENS = [
    ...['vm_up', 'vm_cpu_perc', '{id=~".*0"}', '{', '}', '(', ')', '[5m]', '[5m:1m]', '[', ']', ',', '1', '0.5', '1e3'],
    ...['"x"', "'", '`', '+', '-', '*', '/', '%', '^', '==', '!=', '>', '< bool', 'and', 'or', 'unless', 'on (id)'],
    ...['ignoring (core)', 'group_left', 'group_right (x)', 'sum', 'topk', 'by (id)', 'without (', 'rate', 'absent'],
    ...['scalar', 'time()', 'offset 5m', 'offset -1h', '@ 1', '@ start()', '@', '#', '\n', 'é', '😀', '\\', '$', '0x'],
  ];

  test('is answered or refused in Prometheus’ form', () => {
    const seen = { answered: 0, refused: 0 };
    const times = { start: BOOT, step: 60_000, count: 3 };
    fc.assert(
      fc.property(aWorld, fc.array(fc.constantFrom(...TOKENS), { maxLength: 12 }), (metrics, tokens) => {
        try {
          evaluate(prepare(tokens.join(' ')), (matchers) => metrics.select(matchers, NOW), times);
          seen.answered++;
        } catch (error) {
          if (error instanceof ParseError) expect(error.message).toMatch(/^\d+:\d+: parse error: ./s);
          else expect(error).toBeInstanceOf(ExecutionError);
          seen.refused++;
        }
      }),
      { seed: 1, numRuns: 3000 },
    );
    expect(seen.answered).toBeGreaterThan(20);
    expect(seen.refused).toBeGreaterThan(20);
  });

  test.each([
    ['parentheses', '('.repeat(60_000)],
    ['closed parentheses', `${'('.repeat(1000)}1${')'.repeat(1000)}`],
    ['signs', `${'-'.repeat(60_000)}1`],
    ['sums', `${'1+'.repeat(30_000)}1`],
    ['powers', `${'2^'.repeat(1000)}1`],
    ['functions', `${'abs('.repeat(400)}vm_up${')'.repeat(400)}`],
    ['offsets', `vm_up${' offset 5m'.repeat(5000)}`],
    ['a long name', `${'a'.repeat(70_000)}`],
  ])('%s without end are refused', (_, query) => {
    expect(() => prepare(query)).toThrow(ParseError);
  });

  test.each([
    'count_over_time(vm_up[200y])',
    'rate({exported_job!=""}[30d])',
    'vm_up @ 9000000000000 offset 200y',
    'sum(vm_up offset -200y)',
  ])('%s ends', (query) => {
    const [metrics] = fc.sample(aWorld, { seed: 3, numRuns: 1 });
    const run = () =>
      evaluate(prepare(query), (matchers) => metrics?.select(matchers, NOW) ?? [], {
        start: BOOT,
        step: 1,
        count: 11_001,
      });
    try {
      run();
    } catch (error) {
      expect(error).toBeInstanceOf(ExecutionError);
    }
  });
});
