/** What a large cloud takes in memory: every VM made through the engine and RUNNING. */
import type { Benchmark } from './benchmark.ts';
import { roomFor, Tenant } from './crowd.ts';

const VMS = 100_000;
/** How many are made before time passes. */
const AT_ONCE = 100;
/** How many are made between two collections: the gaps that garbage leaves between VMs are not what is measured. */
const COLLECTED_AFTER = 10_000;
const MB = 1e6;

export const memory: Benchmark = {
  name: 'memory',
  what: `${VMS.toLocaleString('en')} VMs made through the engine, all of them RUNNING`,
  bar: '600 MB',
  async run() {
    const before = held();
    const simulator = roomFor(VMS);
    const tenant = new Tenant(simulator);
    for (let made = 0; made < VMS; made += AT_ONCE) {
      for (let i = 0; i < AT_ONCE; i++) await tenant.create();
      tenant.settle();
      if (made % COLLECTED_AFTER === 0) global.gc?.();
    }
    const after = held();
    // Asked after the measurement, so that all of it is still there.
    tenant.requireRunning(VMS);
    return [
      { figure: 'memory of the process', measured: after.rss / MB, unit: 'MB', bar: { atMost: 600 } },
      { figure: '  of which the heap', measured: after.heap / MB, unit: 'MB', bar: null },
      { figure: '  and before there was a cloud', measured: before.rss / MB, unit: 'MB', bar: null },
      { figure: 'heap per VM', measured: (after.heap - before.heap) / VMS / 1e3, unit: 'kB', bar: null },
    ];
  },
};

/** In bytes, after all garbage has been collected. */
function held(): { readonly rss: number; readonly heap: number } {
  global.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed + external };
}
