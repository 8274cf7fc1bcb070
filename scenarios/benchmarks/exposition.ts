/** The text exposition of a large cloud: how long it takes, how that grows, and what it holds in memory meanwhile. */
import { Random } from '../../sim/kernel/random.ts';
import { Metrics } from '../../sim/metrics/metrics.ts';
import type { Shape } from '../../sim/one/vm/span.ts';
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

const shapeOf = (id: number): Shape => ({
  vcpu: 1 + (id % 4),
  memoryMiB: 2048,
  disks: [{ id: 0, target: 'vda', sizeMiB: 40_960 }],
  nics: [0],
  profile: PROFILES[id % PROFILES.length] ?? '',
});

function measure(count: number): { readonly ms: number; readonly bytes: number; readonly longest: number } {
  const metrics = new Metrics(new Random(1), {
    vms: { nextId: count, find: (id) => vms[id] },
    observe: () => {},
  });
  const vms = Array.from({ length: count }, (_, id) => ({
    id,
    uuid: `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`,
    spans: [{ from: BOOT + id, to: null, boot: 1, hostId: 0, shape: shapeOf(id) }],
    userTemplate: new Map<string, string>(),
  }));
  const rounds = Array.from({ length: ROUNDS + 1 }, (_, round) => {
    let bytes = 0;
    let longest = 0;
    const from = performance.now();
    for (const chunk of metrics.exposition(BOOT + 86_400_000 + round * 15_000)) {
      bytes += chunk.length;
      longest = Math.max(longest, chunk.length);
    }
    return { ms: performance.now() - from, bytes, longest };
  });
  // The first round only warms up; of the others, the one in the middle.
  return rounds.slice(1).sort((a, b) => a.ms - b.ms)[Math.floor(ROUNDS / 2)] as (typeof rounds)[number];
}
