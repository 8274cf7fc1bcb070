/** State: how long it takes to make a world, to begin it again, to write a large one down and to go on from that. */
import { createSimulator, type Simulator } from '../../sim/simulator.ts';
import { furnishing } from '../../sim/world/worlds.ts';
import type { Bar, Benchmark, Result } from './benchmark.ts';
import { roomFor } from './crowd.ts';

const VMS = 10_000;
const WORLDS = 50;
const SNAPSHOTS = 7;

const MADE: Bar = { atMost: 5 };
const RESET: Bar = { atMost: 20 };
const SNAPSHOT: Bar = { atMost: 500 };

export const state: Benchmark = {
  name: 'state',
  what: `make, reset and open worlds; write down and restore ${VMS.toLocaleString('en')} VMs`,
  bar: 'a world in 5 ms, a sandbox in 5 ms, a reset in 20 ms, a snapshot and its restoring in 500 ms',
  async run() {
    const furnish = await furnishing('default');
    const simulator = createSimulator({ furnish, sandboxes: WORLDS });
    const make = (): void => createSimulator({ furnish }).close();
    // The first of a process wait for its compiler.
    timed(WORLDS, make);
    const made = timed(WORLDS, make);
    const opened = timed(WORLDS, () => void simulator.sandboxes.open({}));
    simulator.sandboxes.closeAll();
    const reset = timed(WORLDS, () => simulator.reset());
    return [
      { figure: 'default world, made', measured: made, unit: 'ms', bar: MADE },
      { figure: 'sandbox, opened', measured: opened, unit: 'ms', bar: MADE },
      { figure: 'default world, reset', measured: reset, unit: 'ms', bar: RESET },
      ...measureSnapshots(crowd()),
    ];
  },
};

function crowd(): Simulator {
  const simulator = roomFor(VMS);
  const { cloud, clock } = simulator.world;
  for (let i = 0; i < VMS; i++) cloud.run(cloud.root, 'one.template.instantiate', 0, `vm-${i}`, false, 'NOTE=x');
  clock.advanceNow(3_600_000);
  const running = Array.from(cloud.vms).filter(({ state }) => state === 'RUNNING').length;
  if (running !== VMS) throw new Error(`${running} of ${VMS} VMs run`);
  return simulator;
}

function measureSnapshots(simulator: Simulator): Result[] {
  const other = createSimulator();
  let text = '';
  const written = timed(SNAPSHOTS, () => {
    text = simulator.snapshot();
  });
  const restored = timed(SNAPSHOTS, () => other.restore(text));
  if (other.snapshot() !== text) throw new Error('the restored world is another one');
  return [
    { figure: 'snapshot and restored', measured: written + restored, unit: 'ms', bar: SNAPSHOT },
    { figure: 'of that, snapshot', measured: written, unit: 'ms', bar: null },
    { figure: 'size of the snapshot', measured: text.length / 1e6, unit: 'MB', bar: null },
  ];
}

/** The median of several times, in milliseconds. */
function timed(times: number, act: () => void): number {
  const taken = Array.from({ length: times }, () => {
    const start = performance.now();
    act();
    return performance.now() - start;
  });
  return taken.sort((a, b) => a - b)[Math.floor(times / 2)] ?? Number.NaN;
}
