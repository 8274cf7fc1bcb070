/** `one.vmpool.info` of large clouds, from the request to the bytes: how long it takes, how that grows, and what a page takes. */
import { encodeCall } from '../../sim/api/oned/xmlrpc.ts';
import type { Simulator } from '../../sim/simulator.ts';
import type { Benchmark } from './benchmark.ts';
import { roomFor, Tenant } from './crowd.ts';

const VMS = 10_000;
const MANY = 100_000;
const ROUNDS = 7;
const AT_ONCE = 100;

/** Of everybody, in any state but DONE; all of them, or a page behind so many. */
const ALL = [-2, -1, -1, -1];
const PAGE = (behind: number): number[] => [-2, behind, -100, -1];

export const vmPool: Benchmark = {
  name: 'vm-pool',
  what: `one.vmpool.info of ${VMS.toLocaleString('en')} VMs, and a page of 100 out of ${MANY.toLocaleString('en')}`,
  bar: '400 ms, in linear time; a page takes as long in a large cloud as in a small one',
  async run() {
    const [small, medium, large] = [await cloudOf(VMS / 10), await cloudOf(VMS), await cloudOf(MANY)];
    const tenth = await measure(small, ALL);
    const all = await measure(medium, ALL);
    const page = await measure(small, PAGE(200));
    const pageOfMany = await measure(large, PAGE(200));
    return [
      { figure: `${VMS.toLocaleString('en')} VMs`, measured: all.ms, unit: 'ms', bar: { atMost: 400 } },
      { figure: '  the answer', measured: all.bytes / 1e6, unit: 'MB', bar: null },
      {
        figure: `time per VM, of that with ${(VMS / 10).toLocaleString('en')}`,
        measured: all.ms / tenth.ms / 10,
        unit: '×',
        bar: { atMost: 1.5 },
      },
      {
        figure: `a page out of ${MANY.toLocaleString('en')}, of one out of ${(VMS / 10).toLocaleString('en')}`,
        measured: pageOfMany.ms / page.ms,
        unit: '×',
        bar: { atMost: 2 },
      },
      { figure: '  the page', measured: pageOfMany.ms, unit: 'ms', bar: null },
    ];
  },
};

async function cloudOf(vms: number): Promise<Simulator> {
  const simulator = roomFor(vms);
  const tenant = new Tenant(simulator);
  for (let made = 0; made < vms; made += AT_ONCE) {
    for (let i = 0; i < AT_ONCE; i++) await tenant.create();
    tenant.settle();
  }
  tenant.requireRunning(vms);
  return simulator;
}

/** The middle of some rounds, after one that only warms up. */
async function measure(
  simulator: Simulator,
  params: readonly number[],
): Promise<{ readonly ms: number; readonly bytes: number }> {
  const body = encodeCall({ method: 'one.vmpool.info', params: ['oneadmin:opennebula', ...params] });
  const rounds = [];
  for (let round = 0; round <= ROUNDS; round++) {
    global.gc?.();
    const from = performance.now();
    const response = await simulator.fetch(new Request('http://localhost/RPC2', { method: 'POST', body }));
    const bytes = (await response.arrayBuffer()).byteLength;
    rounds.push({ ms: performance.now() - from, bytes });
  }
  return rounds.slice(1).sort((a, b) => a.ms - b.ms)[Math.floor(ROUNDS / 2)] as (typeof rounds)[number];
}
