/** Range queries: 11,000 points of metrics from a VM that has run for a year. */
import { prometheusApi } from '../../sim/api/prometheus/api.ts';
import { Clock } from '../../sim/kernel/clock.ts';
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

interface QueryCase {
  readonly figure: string;
  readonly query: string;
  readonly series: number;
  readonly bar: Bar | null;
}

const QUERIES: readonly QueryCase[] = [
  { figure: 'GET query_range of those 4 series', query: 'vm_cpu_perc', series: 4, bar: { atMost: 40 } },
  { figure: '  of a rate over 5 minutes', query: 'rate(vm_net_rx_MB{inf="eth0"}[5m])', series: 1, bar: null },
  { figure: '  of a sum of those 4 series', query: 'sum(vm_cpu_perc)', series: 1, bar: null },
];

export const range: Benchmark = {
  name: 'range',
  what: `one range query of ${POINTS.toLocaleString('en')} points, every one a sample of its own`,
  bar: '20 ms, and 40 ms for four series',
  async run() {
    const results = CASES.flatMap(measure);
    for (const one of QUERIES) results.push(await measureQuery(one));
    return results;
  },
};

const SHAPE = { vcpu: 3, memoryMiB: 2048, disks: [], nics: [0], profile: 'bursty' };

function metricsOfOneVm(): Metrics {
  const vm = {
    id: 0,
    uuid: UUID,
    spans: [{ from: BOOT, to: null, boot: 1, hostId: 0, shape: SHAPE }],
    userTemplate: new Map<string, string>(),
  };
  return new Metrics(new Random(1), { vms: { nextId: 1, find: () => vm }, observe: () => {} });
}

/** From the request to the last byte of the answer, without the network. */
async function measureQuery({ figure, query, series, bar }: QueryCase): Promise<Result> {
  const app = prometheusApi({ clock: new Clock(NOW), metrics: metricsOfOneVm(), maxBodyBytes: 0 });
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const end = (NOW - round * 86_400_000) / 1000;
    const start = end - ((POINTS - 1) * STEP_MS) / 1000;
    const parameters = new URLSearchParams({ query, start: `${start}`, end: `${end}`, step: `${STEP_MS / 1000}` });
    const began = performance.now();
    const answer = await app.fetch(new Request(`http://127.0.0.1/api/v1/query_range?${parameters}`));
    const { byteLength } = await answer.arrayBuffer();
    rounds.push(performance.now() - began);
    if (byteLength < 18 * series * POINTS) throw new Error(`${byteLength} bytes`);
  }
  return { figure, measured: middle(rounds.slice(ROUNDS / 3)), unit: 'ms', bar };
}

function measure({ figure, metric, labels, series, bar }: Case): readonly Result[] {
  const metrics = metricsOfOneVm();
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
