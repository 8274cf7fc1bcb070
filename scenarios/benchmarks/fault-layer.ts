/** What it costs that anything might be broken: the share of a GET that asks for faults, while there are none. */
import type { Benchmark } from './benchmark.ts';
import { AUTHORIZATION, roomFor, Tenant } from './crowd.ts';

const GETS = 20_000;
const ASKED = 20_000_000;
const ROUNDS = 5;

export const faultLayer: Benchmark = {
  name: 'fault-layer',
  what: 'the fault layer in a GET of a runtime, no fault armed, in process',
  bar: '5 % of the GET',
  async run() {
    const simulator = roomFor(1);
    const tenant = new Tenant(simulator);
    const { id } = (await tenant.create()).document;
    tenant.settle();
    const url = `http://localhost:1337/serverless-runtimes/${id}`;
    const { judge } = simulator.world;
    const gets: number[] = [];
    const asks: number[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const get = await spent(GETS, async () => {
        const answer = await simulator.answer(new Request(url, { headers: { Authorization: AUTHORIZATION } }));
        if (answer.status !== 200) throw new Error(`answered ${answer.status}`);
      });
      let armed = 0;
      const before = process.cpuUsage();
      for (let i = 0; i < ASKED; i++) if (judge.armed('api') || judge.armed('transport')) armed++;
      const ask = microseconds(before) / ASKED;
      if (armed > 0) throw new Error('a fault is armed');
      if (round === 0) continue;
      gets.push(get);
      asks.push(ask);
    }
    const [get, ask] = [Math.min(...gets), Math.min(...asks)];
    return [
      { figure: 'share of a GET', measured: (100 * ask) / get, unit: '%', bar: { atMost: 5 } },
      { figure: '  a GET, in process', measured: get, unit: 'µs', bar: null },
      { figure: '  of which the fault layer', measured: ask, unit: 'µs', bar: null },
    ];
  },
};

/** Microseconds of the processor for each. */
async function spent(times: number, act: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < times; i++) await act();
  return microseconds(before) / times;
}

function microseconds(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
