/** A simulated day of a cloud that is watched: every VM's measurements are pushed, scraped and asked for. */
import type { Benchmark } from './benchmark.ts';
import { roomFor, Tenant } from './crowd.ts';

const VMS = 1_000;
const HOURS = 24;
const HOUR_MS = 3_600_000;

export const day: Benchmark = {
  name: 'day',
  what: `${HOURS} simulated hours of ${VMS.toLocaleString('en')} VMs, every one monitored: a scrape of all and a look at each VM's monitoring every hour`,
  bar: '5 s',
  async run() {
    const simulator = roomFor(VMS);
    const tenant = new Tenant(simulator);
    for (let i = 0; i < VMS; i++) await tenant.create();
    tenant.settle();
    tenant.requireRunning(VMS);
    const { cloud, clock, metrics } = simulator.world;
    const start = performance.now();
    let lines = 0;
    let samples = 0;
    for (let hour = 0; hour < HOURS; hour++) {
      clock.advanceNow(HOUR_MS);
      const scraped = await simulator.fetch(new Request('http://localhost:1337/metrics'));
      lines += (await scraped.text()).split('\n').length;
      for (const { id } of cloud.vms) if (metrics.monitored(id, 'CPU', clock.now) !== undefined) samples++;
    }
    const seconds = (performance.now() - start) / 1000;
    if (samples !== HOURS * VMS) throw new Error(`${samples} samples of ${HOURS * VMS}`);
    tenant.requireRunning(VMS);
    return [
      { figure: 'a day', measured: seconds, unit: 's', bar: { atMost: 5 } },
      { figure: '  simulated to real', measured: (HOURS * 3600) / seconds, unit: ': 1', bar: null },
      { figure: '  lines scraped', measured: lines, unit: '', bar: null },
    ];
  },
};
