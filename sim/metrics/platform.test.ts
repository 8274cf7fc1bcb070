/** The containers of SONATA's platform: what is pushed of them, everywhere alike. */
import { expect, test } from 'vitest';
import { Random } from '../kernel/random.ts';
import { METRIC_DEVIATIONS, Metrics } from './metrics.ts';
import { CONTAINER_CATALOG, platformSince } from './platform.ts';
import { framed } from './testing.ts';

const SINCE = Date.parse('2017-08-28T15:23:31Z');
const HOUR = 3_600_000;

const metrics = new Metrics(
  new Random(1),
  { vms: { nextId: 0, find: () => undefined }, observe: () => {} },
  new Set(METRIC_DEVIATIONS),
  undefined,
  null,
  () => platformSince(SINCE),
);

/** Values by the name of the container. */
function values(metric: string, at: number): Map<string | undefined, number> {
  const rows = metrics.range(metric, {}, { since: at, until: at, step: 1 }, at);
  return new Map(rows.map(({ metric: { name }, values: [point] }) => [name, Number(point?.[1])]));
}

test('there are ten metrics of a container, in order of name', () => {
  const names = CONTAINER_CATALOG.map(({ name }) => name);
  expect(names).toHaveLength(10);
  expect(names).toEqual(names.toSorted());
  expect(metrics.pushedNames().filter((name) => name.startsWith('cnt_'))).toEqual(names);
  expect(CONTAINER_CATALOG.filter(({ type }) => type === 'counter').map(({ name }) => name)).toEqual(['cnt_created']);
});

test('a container is named by its id, its image and itself', () => {
  const at = SINCE + HOUR;
  const rows = metrics.range('cnt_status', { name: 'son-broker' }, { since: at, until: at, step: 1 }, at);
  expect(rows).toEqual([
    {
      metric: {
        __name__: 'cnt_status',
        exported_instance: 'sonata-sp',
        exported_job: 'containers',
        group: 'development',
        id: expect.stringMatching(/^[0-9a-f]{64}$/),
        image: 'rabbitmq:latest',
        image_name: 'rabbitmq',
        instance: 'pushgateway:9091',
        job: 'sonata',
        name: 'son-broker',
      },
      values: [[at / 1000, '1']],
    },
  ]);
  const ids = metrics.range('cnt_status', {}, { since: at, until: at, step: 1 }, at).map(({ metric }) => metric.id);
  expect(new Set(ids).size).toBe(ids.length);
  const [id = ''] = ids;
  expect(metrics.range('cnt_status', { id }, { since: at, until: at, step: 1 }, at)).toHaveLength(1);
  expect(framed(metrics, 'cnt_status', [{ tag: 'id', value: id }], at)).toHaveLength(1);
});

test('a container uses no more than it may, and what it has traded never falls (T5)', () => {
  const counters = ['cnt_block_in_MB', 'cnt_block_ou_MB', 'cnt_net_rx_MB', 'cnt_net_tx_MB'];
  let before = counters.map((name) => values(name, SINCE + 60_000));
  for (let at = SINCE + HOUR; at < SINCE + 30 * HOUR; at += HOUR) {
    const limit = values('cnt_mem_limit_MB', at);
    const share = values('cnt_mem_perc', at);
    for (const [name, usage] of values('cnt_mem_usage_MB', at)) {
      expect(usage).toBeLessThanOrEqual(limit.get(name) ?? 0);
      expect(share.get(name)).toBeCloseTo((100 * usage) / (limit.get(name) ?? 0), 1);
    }
    for (const busy of values('cnt_cpu_perc', at).values()) expect(busy >= 0 && busy <= 100).toBe(true);
    const now = counters.map((name) => values(name, at));
    for (const [i, counts] of now.entries()) {
      for (const [name, count] of counts) expect(count).toBeGreaterThanOrEqual(before[i]?.get(name) ?? 0);
    }
    before = now;
  }
  expect([...(before[3]?.values() ?? [])].every((sent) => sent > 1)).toBe(true);
});

test('the exposition, a frame and the past agree at a scrape (T6), and there is nothing before the start (T7)', () => {
  const at = 15_000 * Math.ceil((SINCE + HOUR) / 15_000);
  const text = [...metrics.exposition(at)].join('');
  for (const name of metrics.pushedNames().filter((each) => each.startsWith('cnt_'))) {
    const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
    const records = framed(metrics, name, [], at) ?? [];
    expect(lines).toEqual(records.map(({ labels, value, time }) => `${name}{${labels.join(',')}} ${value} ${time}`));
    expect(lines).toHaveLength(13);
    const named = records.map(({ labels, value }) => [/(?<=^name=").*(?="$)/.exec(labels.at(-1) ?? '')?.[0], value]);
    expect(values(name, at)).toEqual(new Map(named as [string, number][]));
    expect(values(name, SINCE - 1).size).toBe(0);
  }
});

test('a world without them does not know their names', () => {
  const bare = new Metrics(new Random(1), { vms: { nextId: 0, find: () => undefined }, observe: () => {} });
  expect(bare.names()).toHaveLength(14);
  expect(bare.range('cnt_status', {}, { since: SINCE, until: SINCE, step: 1 }, SINCE)).toEqual([]);
});

test('its machine reports what VMs report, as one that is no network function (T6, T7)', () => {
  const at = 15_000 * Math.ceil((SINCE + HOUR) / 15_000);
  const range = { since: at, until: at, step: 1 };
  const names = metrics.pushedNames().filter((name) => name.startsWith('vm_'));
  expect(names).toHaveLength(14);
  for (const name of names) {
    const rows = metrics.range(name, {}, range, at);
    expect(rows.length).toBeGreaterThan(0);
    for (const { metric } of rows) {
      expect(metric).toMatchObject({ exported_job: 'vm', exported_instance: 'sonata-sp', job: 'sonata' });
      expect(metric.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    }
    const [{ metric: { id = '' } = {} } = {}] = rows;
    expect(metrics.range(name, { id }, range, at)).toEqual(rows);
    expect(metrics.range(name, {}, { since: SINCE - HOUR, until: SINCE - 1, step: 60_000 }, at)).toEqual([]);
    const framedOf = (filters: Parameters<typeof framed>[2]) => framed(metrics, name, filters, at);
    expect(framedOf([{ tag: 'id', value: id }])).toEqual(framedOf([]));
    expect(framedOf([{ tag: 'job', value: 'vnf' }])).toEqual([]);
  }
  expect(values('vm_cpu_perc', at)).toBeDefined();
  expect(metrics.range('vm_cpu_perc', {}, range, at)).toHaveLength(17);
});

test('what its containers use, its machine uses: their cores, their memory, their traffic (T4)', () => {
  /** By name and core, with the time of the push. */
  const pushed = (name: string, at: number) => framed(metrics, name, [], at) ?? [];
  const sum = (name: string, at: number): number => pushed(name, at).reduce((all, { value }) => all + value, 0);
  let sameInstant = 0;
  let [received, sent] = [0, 0];
  for (let at = SINCE + 10_000; at < SINCE + 30 * HOUR; at += 1_234_567) {
    const cores = pushed('vm_cpu_perc', at);
    const [whole] = cores;
    for (const [i, { value, time }] of pushed('cnt_cpu_perc', at).entries()) {
      const core = cores.find(({ labels }) => labels.includes(`core="cpu${i}"`));
      if (core?.time !== time) continue;
      sameInstant++;
      expect(core.value).toBe(value);
    }
    const mean = cores.slice(1).reduce((all, { value }) => all + value, 0) / 16;
    expect(whole?.value).toBeCloseTo(mean, 1);
    const usedKb = sum('vm_mem_total_MB', at) - sum('vm_mem_free_MB', at);
    expect(usedKb * 1024).toBeGreaterThan(0.95e6 * sum('cnt_mem_usage_MB', at));
    expect(sum('vm_mem_free_MB', at)).toBeGreaterThan(0);
    const traded = (direction: 'rx' | 'tx'): number =>
      pushed(`vm_net_${direction}_MB`, at).find(({ labels }) => labels.includes('inf="eth0"'))?.value ?? 0;
    expect(traded('rx')).toBeGreaterThanOrEqual(Math.max(received, 0.95 * sum('cnt_net_rx_MB', at)));
    expect(traded('tx')).toBeGreaterThanOrEqual(Math.max(sent, 0.95 * sum('cnt_net_tx_MB', at)));
    [received, sent] = [traded('rx'), traded('tx')];
  }
  expect(sameInstant).toBeGreaterThan(100);
});
