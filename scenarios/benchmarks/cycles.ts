/** VM life cycles through the engine's operations, on the virtual clock: how many a second, and whether they slow down as the cloud fills. */

import type { Benchmark } from './benchmark.ts';
import { roomFor, Tenant } from './crowd.ts';

const FEW = 1_000;
const MANY = 100_000;
/** Cycles that are timed together. */
const ROUND = 1_000;
const ROUNDS = 5;
const WARM_UP = 15_000;

export const cycles: Benchmark = {
  name: 'cycles',
  what: 'create → RUNNING → deleted, through the operations of the engine, on the virtual clock',
  bar: '5,000 cycles a second, and with 100,000 VMs no more than 1.3 times the time of 1,000',
  async run() {
    await passed(WARM_UP);
    const [first, last] = await passed(MANY);
    const [few, many] = await among();
    const grown = (figure: string, from: number, to: number) => ({
      figure: `time per VM, ${figure}`,
      measured: to / from,
      unit: '×',
      bar: { atMost: 1.3 },
    });
    return [
      { figure: 'in an empty cloud', measured: 1000 / first, unit: 'cycles/s', bar: { atLeast: 5_000 } },
      grown('the last of 100,000 to the first 1,000', first, last),
      grown('beside 100,000 VMs that run to beside 1,000', few, many),
      { figure: 'beside 100,000 VMs that run', measured: 1000 / many, unit: 'cycles/s', bar: null },
    ];
  },
};

/** So many VMs come and go in a new world. Gives the milliseconds that one took, at the beginning and at the end. */
async function passed(count: number): Promise<readonly [first: number, last: number]> {
  const tenant = new Tenant(roomFor(FEW));
  const times: number[] = [];
  for (let done = 0; done < count; done += ROUND) times.push(await round(tenant));
  return [middle(times.slice(0, ROUNDS)), middle(times.slice(-ROUNDS))];
}

/** As {@link passed}, beside few VMs that run all the time and beside many. */
async function among(): Promise<readonly [few: number, many: number]> {
  const tenant = new Tenant(roomFor(MANY + 1));
  const beside: number[] = [];
  for (const [running, more] of [
    [FEW, FEW],
    [MANY, MANY - FEW],
  ] as const) {
    for (let i = 0; i < more; i++) {
      await tenant.create();
      if (i % 100 === 0) tenant.settle();
    }
    tenant.settle();
    tenant.requireRunning(running);
    const times: number[] = [];
    for (let i = 0; i < ROUNDS; i++) times.push(await round(tenant));
    beside.push(middle(times));
  }
  return [beside[0] as number, beside[1] as number];
}

async function round(tenant: Tenant): Promise<number> {
  const from = performance.now();
  for (let i = 0; i < ROUND; i++) await tenant.cycle();
  return (performance.now() - from) / ROUND;
}

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
