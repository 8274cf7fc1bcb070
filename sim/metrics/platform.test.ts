/** The containers of SONATA's platform: what is pushed of them, everywhere alike. */
import { expect, test } from 'vitest';
import { Random } from '../kernel/random.ts';
import { METRIC_DEVIATIONS, Metrics } from './metrics.ts';
import { CONTAINER_CATALOG, containersSince } from './platform.ts';

const SINCE = Date.parse('2017-08-28T15:23:31Z');
const HOUR = 3_600_000;

const metrics = new Metrics(
  new Random(1),
  { vms: { nextId: 0, find: () => undefined }, observe: () => {} },
  new Set(METRIC_DEVIATIONS),
  undefined,
  null,
  containersSince(SINCE),
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
  expect(metrics.frame('cnt_status', [{ tag: 'id', value: id }], at)).toHaveLength(1);
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
    const framed = metrics.frame(name, [], at) ?? [];
    expect(lines).toEqual(framed.map(({ labels, value, time }) => `${name}{${labels.join(',')}} ${value} ${time}`));
    expect(lines).toHaveLength(13);
    const named = framed.map(({ labels, value }) => [/(?<=^name=").*(?="$)/.exec(labels.at(-1) ?? '')?.[0], value]);
    expect(values(name, at)).toEqual(new Map(named as [string, number][]));
    expect(values(name, SINCE - 1).size).toBe(0);
  }
});

test('a world without them does not know their names', () => {
  const bare = new Metrics(new Random(1), { vms: { nextId: 0, find: () => undefined }, observe: () => {} });
  expect(bare.names()).toHaveLength(14);
  expect(bare.range('cnt_status', {}, { since: SINCE, until: SINCE, step: 1 }, SINCE)).toEqual([]);
});
