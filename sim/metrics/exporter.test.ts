/** OpenNebula's exporter, over clouds in which much happens: that it agrees with oned, with itself, and with the past. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../kernel/random.ts';
import type { Cloud } from '../one/cloud.ts';
import { OneError } from '../one/error.ts';
import { furnishedCloud, TESTER } from '../one/testing.ts';
import { Chronicle } from './chronicle.ts';
import { UNDISTURBED } from './disturbance.ts';
import type { Labels } from './labels.ts';
import { METRIC_DEVIATIONS, Metrics } from './metrics.ts';
import { evaluate, prepare } from './promql/engine.ts';

const SCRAPE = 15_000;

function start(): { readonly cloud: Cloud; readonly metrics: Metrics; readonly chronicle: Chronicle } {
  const cloud = furnishedCloud();
  const chronicle = new Chronicle(cloud);
  // It is there before the hosts are, in life.
  for (const host of cloud.hosts) cloud.hostUpdated(host);
  const metrics = new Metrics(new Random(1), cloud, new Set(METRIC_DEVIATIONS), UNDISTURBED, chronicle);
  return { cloud, metrics, chronicle };
}

/** Values by label set, at a time. */
function asked(metrics: Metrics, query: string, at: number, now = at): Map<string, number> {
  const result = evaluate(prepare(query), (matchers) => metrics.select(matchers, now), {
    start: at,
    step: 1,
    count: 1,
  });
  if (result.type !== 'vector') throw new Error(`${query} is no vector`);
  const shown = (labels: Labels): string => labels.map(([name, value]) => `${name}=${value}`).join();
  return new Map(
    result.columns.filter(({ present }) => present[0] === 1).map((c) => [shown(c.labels), c.values[0] ?? 0]),
  );
}

const value = (metrics: Metrics, query: string, at: number): number | undefined =>
  [...asked(metrics, query, at).values()][0];

const onGrid = (cloud: Cloud): number => SCRAPE * Math.ceil((cloud.clock.now + 1) / SCRAPE);

/** What a client may do to the nth VM. */
const OPERATIONS = {
  deploy: (cloud: Cloud, id: number, n: number) => cloud.run(cloud.root, 'one.vm.deploy', id, n % 2),
  poweroff: (cloud: Cloud, id: number) => cloud.call(TESTER, 'one.vm.action', 'poweroff-hard', id),
  resume: (cloud: Cloud, id: number) => cloud.call(TESTER, 'one.vm.action', 'resume', id),
  suspend: (cloud: Cloud, id: number) => cloud.call(TESTER, 'one.vm.action', 'suspend', id),
  stop: (cloud: Cloud, id: number) => cloud.call(TESTER, 'one.vm.action', 'stop', id),
  undeploy: (cloud: Cloud, id: number) => cloud.call(TESTER, 'one.vm.action', 'undeploy-hard', id),
  terminate: (cloud: Cloud, id: number) => cloud.call(TESTER, 'one.vm.action', 'terminate-hard', id),
  resize: (cloud: Cloud, id: number, n: number) =>
    cloud.call(TESTER, 'one.vm.resize', id, `CPU=${n + 1} MEMORY=${64 * (n + 1)}`, true),
  attach: (cloud: Cloud, id: number) =>
    cloud.call(TESTER, 'one.vm.attach', id, 'DISK=[TYPE=fs, FORMAT=raw, SIZE=10, TARGET=vdx]'),
  disable: (cloud: Cloud, _: number, n: number) => cloud.run(cloud.root, 'one.host.status', n % 2, n % 3),
} as const;

/** Without these there is not much to do anything to. */
const OFTEN = ['make', 'make', 'make', 'deploy', 'deploy', 'deploy', 'deploy', 'resize'] as const;

const aStep = fc.record({
  what: fc.constantFrom(...OFTEN, ...(Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[])),
  which: fc.nat(3),
  n: fc.nat(3),
  ms: fc.oneof(fc.nat(3000), fc.nat(60_000)),
});

function act(cloud: Cloud, { what, which, n }: { what: 'make' | keyof typeof OPERATIONS; which: number; n: number }) {
  try {
    if (what === 'make') cloud.call(TESTER, 'one.template.instantiate', 0, '', false, '');
    else OPERATIONS[what](cloud, which, n);
  } catch (error) {
    // What is refused is no less a part of a life.
    if (!(error instanceof OneError)) throw error;
  }
}

/** Sums over the VMs that hold capacity on each host. */
const HOLDING =
  '(opennebula_vm_host_id * 0 + 1) and (opennebula_vm_state == 3 or opennebula_vm_state == 5 or opennebula_vm_state == 8)';

describe('the sums of VMs are the totals of hosts (T9)', () => {
  test('at every scrape, whatever has happened, then and afterwards', () => {
    let held = 0;
    fc.assert(
      fc.property(fc.array(aStep, { minLength: 5, maxLength: 25 }), (steps) => {
        const { cloud, metrics } = start();
        const told: { readonly at: number; readonly text: string }[] = [];
        for (const step of steps) {
          // What happens at the instant of a scrape is found by it.
          cloud.clock.advanceNow(1);
          act(cloud, step);
          cloud.clock.advanceNow(step.ms);
          cloud.clock.advanceNow(onGrid(cloud) - cloud.clock.now);
          told.push({ at: cloud.clock.now, text: [...metrics.exposition(cloud.clock.now)].join('') });
        }
        for (const { at, text } of told) {
          const now = cloud.clock.now;
          const read = (query: string): Map<string, number> => asked(metrics, query, at, now);
          const holding = read(HOLDING);
          const totals = { cpu: 0, memory: 0 };
          const bare = (labels: string): string => labels.replace(/__name__=\w+,/, '');
          const cpus = new Map([...read('opennebula_vm_cpu_ratio')].map(([labels, cpu]) => [bare(labels), cpu]));
          const memories = new Map(
            [...read('opennebula_vm_mem_total_bytes')].map(([labels, kb]) => [bare(labels), kb]),
          );
          for (const labels of holding.keys()) {
            totals.cpu += Math.round(100 * (cpus.get(labels) ?? Number.NaN));
            totals.memory += 1024 * (memories.get(labels) ?? Number.NaN);
          }
          const [total = 0] = read('sum(opennebula_host_cpu_usage_ratio)').values();
          const [memory = 0] = read('sum(opennebula_host_mem_usage_bytes)').values();
          const [vms = 0] = read('sum(opennebula_host_vms)').values();
          expect({ cpu: total, memory }).toEqual(totals);
          expect(vms).toBe(holding.size);
          held += vms;
          // What the past says of an instant is what the exporter said then (T6).
          const lines = text.split('\n').filter((line) => line.startsWith('opennebula_'));
          const stored = [...read('{__name__=~"opennebula_.*"}')].map(([labels, number]) => {
            const pairs = labels.split(',').map((pair) => pair.split('='));
            const own = pairs.filter(([name = '']) => !['__name__', 'job', 'instance'].includes(name));
            const shown = own.map(([name, of]) => `${name}="${of}"`).join(',');
            return `${pairs.find(([name]) => name === '__name__')?.[1]}${shown === '' ? '' : `{${shown}}`} ${number}`;
          });
          expect(stored.sort()).toEqual(lines.sort());
        }
      }),
      { seed: 1, numRuns: 20 },
    );
    expect(held).toBeGreaterThan(30);
  });
});

describe('the exporter', () => {
  test('shows a VM from when it is made until it is done, and then no more', () => {
    const { cloud, metrics } = start();
    const before = onGrid(cloud);
    cloud.clock.advanceNow(before - cloud.clock.now);
    const id = cloud.call(TESTER, 'one.template.instantiate', 0, 'one', false, '');
    cloud.run(cloud.root, 'one.vm.deploy', id, 0);
    cloud.clock.advanceNow(4 * SCRAPE);
    const running = cloud.clock.now;
    cloud.clock.advanceNow(1);
    cloud.call(TESTER, 'one.vm.action', 'terminate-hard', id);
    cloud.clock.advanceNow(4 * SCRAPE);
    const query = `opennebula_vm_lcm_state{one_vm_id="${id}"}`;
    const lcm = (at: number): number | undefined => [...asked(metrics, query, at, cloud.clock.now).values()][0];
    expect(lcm(before - 1)).toBeUndefined();
    expect(lcm(running)).toBe(3);
    // No marker of a push keeps it for 5 minutes.
    expect(lcm(cloud.clock.now)).toBeUndefined();
    expect(asked(metrics, 'opennebula_vm_total', running, cloud.clock.now).values().next().value).toBe(1);
    expect(value(metrics, 'opennebula_vm_total', cloud.clock.now)).toBe(0);
  });

  test('has the labels of OpenNebula’s Prometheus', () => {
    const { cloud, metrics } = start();
    cloud.call(TESTER, 'one.template.instantiate', 0, 'one', false, '');
    cloud.clock.advanceNow(2 * SCRAPE);
    const { now } = cloud.clock;
    const target = 'instance=localhost:9925,job=opennebula_exporter';
    expect([...asked(metrics, 'opennebula_vm_disk_size_bytes', now).entries()]).toEqual([
      [`__name__=opennebula_vm_disk_size_bytes,disk_id=0,${target},one_vm_id=0`, 200 * 1024 * 1024],
    ]);
    expect([...asked(metrics, 'opennebula_host_state', now).keys()]).toEqual([
      `__name__=opennebula_host_state,${target},one_host_id=0`,
      `__name__=opennebula_host_state,${target},one_host_id=1`,
    ]);
    expect(metrics.range('opennebula_vm_mem_total_bytes', {}, { since: now, until: now, step: 1 }, now)).toEqual([
      {
        metric: {
          __name__: 'opennebula_vm_mem_total_bytes',
          instance: 'localhost:9925',
          job: 'opennebula_exporter',
          one_vm_id: '0',
        },
        values: [[now / 1000, `${128 * 1024}`]],
      },
    ]);
    expect(metrics.range('opennebula_vm_state', { id: 'x' }, { since: now, until: now, step: 1 }, now)).toEqual([]);
  });

  test('counts the images of datastores, and shows a datastore until it is deleted', () => {
    const { cloud, metrics } = start();
    const images = (): number | undefined => {
      cloud.clock.advanceNow(onGrid(cloud) - cloud.clock.now);
      return value(metrics, 'opennebula_datastore_images{one_datastore_id="1"}', cloud.clock.now);
    };
    expect(images()).toBe(1);
    const image = cloud.run(cloud.root, 'one.image.allocate', 'NAME=x TYPE=DATABLOCK SIZE=1', 1);
    expect(images()).toBe(2);
    cloud.clock.advanceNow(60_000);
    cloud.run(cloud.root, 'one.image.delete', image);
    expect(images()).toBe(1);
  });

  test('says what it is of each metric, and what promtool takes for text', () => {
    const { cloud, metrics } = start();
    const families = metrics.catalog().filter(({ name }) => name.startsWith('opennebula_'));
    expect(families).toHaveLength(29);
    const text = [...metrics.exposition(cloud.clock.now)].join('');
    const lines = text.split('\n');
    expect(lines.every((line) => /^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"\})? \d+(\.\d+)?|)$/.test(line))).toBe(true);
    const types = lines.filter((line) => line.startsWith('# TYPE'));
    expect(new Set(types).size).toBe(types.length);
    expect(types).toEqual(types.toSorted());
    expect(text).toContain('\nopennebula_datastore_total 3\n');
    expect(text).toContain('\nopennebula_oned_state{one_server_fqdn="onesim"} 1\n');
  });
});

test('of what changes between two scrapes, only what the next one finds is kept', () => {
  const { cloud, chronicle } = start();
  cloud.clock.advanceNow(onGrid(cloud) - cloud.clock.now);
  const id = cloud.call(TESTER, 'one.template.instantiate', 0, 'one', false, '');
  cloud.clock.advanceNow(1);
  for (let i = 0; i < 40; i++) {
    cloud.call(TESTER, 'one.vm.action', i % 2 === 0 ? 'hold' : 'release', id);
    cloud.clock.advanceNow(10);
  }
  expect(chronicle.vms.get(id)).toHaveLength(1);
});

test('a chronicle that is restored goes on as the other', () => {
  const { cloud, chronicle } = start();
  cloud.call(TESTER, 'one.template.instantiate', 0, 'one', false, '');
  cloud.clock.advanceNow(60_000);
  const other = new Chronicle(cloud);
  other.restore(structuredClone(chronicle.state().value));
  cloud.call(TESTER, 'one.template.instantiate', 0, 'two', false, '');
  cloud.run(cloud.root, 'one.vm.deploy', 0, 1);
  cloud.clock.advanceNow(60_000);
  expect(other.state()).toEqual(chronicle.state());
});
