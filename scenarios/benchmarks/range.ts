/** Range queries: 11,000 points of metrics from a VM that has run for a year. */
import { Random } from '../../sim/kernel/random.ts';
import { Metrics } from '../../sim/metrics/metrics.ts';
import type { Bar, Benchmark, Result } from './benchmark.ts';

const POINTS = 11_000;
const STEP_MS = 14_000;
const ROUNDS = 21;
const UUID = 'fa8869e3-cc5f-4a5e-8520-932226d804e1';
const BOOT = Date.parse('2017-08-28T15:23:31Z');
const NOW = BOOT + 365 * 86_400_000;

interface Case {
  readonly figure: string;
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly series: number;
  readonly bar: Bar;
}

const CASES: readonly Case[] = [
  { figure: 'a gauge', metric: 'vm_mem_perc', labels: {}, series: 1, bar: { atMost: 20 } },
  { figure: 'a counter', metric: 'vm_net_rx_MB', labels: { inf: 'eth0' }, series: 1, bar: { atMost: 20 } },
  { figure: 'a rate', metric: 'vm_net_rx_bps', labels: { inf: 'eth0' }, series: 1, bar: { atMost: 20 } },
  { figure: 'a machine with three cores: 4 series', metric: 'vm_cpu_perc', labels: {}, series: 4, bar: { atMost: 40 } },
];

export const range: Benchmark = {
  name: 'range',
  what: `one range query of ${POINTS.toLocaleString('en')} points, every one a sample of its own`,
  bar: '20 ms, and 40 ms for four series',
  async run() {
    return CASES.flatMap(measure);
  },
};

const SHAPE = { vcpu: 3, memoryMiB: 2048, disks: [], nics: [0], profile: 'bursty' };

function measure({ figure, metric, labels, series, bar }: Case): readonly Result[] {
  const vm = {
    id: 0,
    uuid: UUID,
    spans: [{ from: BOOT, to: null, boot: 1, hostId: 0, shape: SHAPE }],
    userTemplate: new Map<string, string>(),
  };
  const metrics = new Metrics(new Random(1), { vms: { nextId: 1, find: () => vm }, observe: () => {} });
  const rounds = Array.from({ length: ROUNDS }, (_, round) => {
    const until = NOW - round * 86_400_000;
    const since = until - (POINTS - 1) * STEP_MS;
    const start = performance.now();
    const matrix = metrics.range(metric, { id: UUID, ...labels }, { since, until, step: STEP_MS }, NOW);
    const answered = performance.now();
    const { length } = JSON.stringify(matrix);
    const written = performance.now();
    const points = matrix.reduce((sum, { values }) => sum + values.length, 0);
    if (points !== series * POINTS || length < 20 * points) throw new Error(`${points} points`);
    return { query: answered - start, json: written - answered };
  });
  // The first third warms up.
  const warm = rounds.slice(ROUNDS / 3);
  return [
    { figure, measured: middle(warm.map(({ query }) => query)), unit: 'ms', bar },
    { figure: '  and its JSON text', measured: middle(warm.map(({ json }) => json)), unit: 'ms', bar: null },
  ];
}

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
