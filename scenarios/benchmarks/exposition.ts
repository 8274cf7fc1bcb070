/** The text exposition of a large cloud: how long it takes, how that grows, and what it holds in memory meanwhile. */
import { addHost } from '../../sim/one/resources/host.ts';
import { createSimulator } from '../../sim/simulator.ts';
import type { Benchmark, Result } from './benchmark.ts';

const VMS = 10_000;
const ROUNDS = 5;
const BOOT = Date.parse('2017-08-28T15:23:31Z');
const PROFILES = ['idle', 'steady', 'diurnal', 'bursty', 'leaking', 'saturating', 'noisy'];

export const exposition: Benchmark = {
  name: 'exposition',
  what: `the text exposition of ${VMS.toLocaleString('en')} VMs, chunk by chunk`,
  bar: '1.5 s, in linear time and bounded memory',
  async run() {
    const small = measure(VMS / 10);
    const large = measure(VMS);
    const results: Result[] = [
      { figure: `${VMS.toLocaleString('en')} VMs`, measured: large.ms / 1000, unit: 's', bar: { atMost: 1.5 } },
      {
        figure: `time per VM, of that with ${(VMS / 10).toLocaleString('en')}`,
        measured: large.ms / small.ms / 10,
        unit: '×',
        bar: { atMost: 1.3 },
      },
      { figure: 'text', measured: large.bytes / 1e6, unit: 'MB', bar: null },
      { figure: 'longest chunk', measured: large.longest / 1e3, unit: 'kB', bar: { atMost: 100 } },
    ];
    return results;
  },
};

/** A world with so many VMs, which have been running for a day: all that is measured of them, inside and outside. */
function measure(count: number): { readonly ms: number; readonly bytes: number; readonly longest: number } {
  const { metrics, cloud, clock } = createSimulator({ epochMs: BOOT + 86_400_000 }).world;
  const host = addHost(cloud, { name: 'host0', cpu: 400 * count, memKb: 2_097_152 * count });
  for (let i = 0; i < count; i++) {
    const size = `CPU=1 VCPU=${1 + (i % 4)} MEMORY=2048 DISK=[TYPE=fs, FORMAT=raw, SIZE=40960]`;
    const text = `NAME=vm ${size} NIC=[NETWORK_MODE=auto] METRIC_PROFILE=${PROFILES[i % PROFILES.length]}`;
    const vm = cloud.vms.get(cloud.run(cloud.root, 'one.vm.allocate', text));
    cloud.driver.adopt(vm, host, BOOT + i);
  }
  const rounds = Array.from({ length: ROUNDS + 1 }, (_, round) => {
    let bytes = 0;
    let longest = 0;
    const from = performance.now();
    for (const chunk of metrics.exposition(clock.now + round * 15_000)) {
      bytes += chunk.length;
      longest = Math.max(longest, chunk.length);
    }
    return { ms: performance.now() - from, bytes, longest };
  });
  // The first round only warms up; of the others, the one in the middle.
  return rounds.slice(1).sort((a, b) => a.ms - b.ms)[Math.floor(ROUNDS / 2)] as (typeof rounds)[number];
}
