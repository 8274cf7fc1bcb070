/** The harness: generated scenarios with faults, run and held against all laws, in the processor's time. */
import fc from 'fast-check';
import type { Law } from '../harness/law.ts';
import { judge, loadLaws } from '../harness/laws.ts';
import { MUTANTS } from '../harness/mutants/mutants.ts';
import { runScenario } from '../harness/runner.ts';
import type { Scenario, Step } from '../harness/scenario.ts';
import { shrink } from '../harness/shrink.ts';
import { inProcess } from '../harness/transport.ts';
import type { Benchmark } from './benchmark.ts';

const SCENARIOS = 400;
const CYCLES = 300;
/** Run before time is taken: a search is thousands of scenarios long, and the first ones pay for compiling. */
const WARMING = { scenarios: 800, cycles: 200 };

export const harness: Benchmark = {
  name: 'harness',
  what: `${SCENARIOS} generated scenarios and ${CYCLES} life cycles of 30 commands, with all laws on and on one core, after ${WARMING.scenarios} and ${WARMING.cycles} others; one failure of 100 steps made small`,
  bar: '5,000 commands a second; 10 ms a life cycle; 10,000 simulated seconds in a real one; 10 s to make a failure small',
  async run() {
    // It reads the contracts when it is loaded, which would slow what the other benchmarks measure.
    const { SMALL, scenarios } = await import('../harness/generator.ts');
    const laws = await loadLaws();
    const sample = fc.sample(scenarios(SMALL), { seed: 1, numRuns: WARMING.scenarios + SCENARIOS });
    for (const scenario of sample.splice(0, WARMING.scenarios)) await judged(laws, scenario);
    const generated = await timed(async () => {
      let [commands, simulatedMs] = [0, 0];
      for (const scenario of sample) {
        simulatedMs += await judged(laws, scenario);
        commands += scenario.steps.length + (scenario.faults?.length ?? 0);
      }
      return { commands, simulatedMs };
    });
    await lifeCycles(laws, WARMING.cycles);
    const cycles = await timed(() => lifeCycles(laws, CYCLES));
    const shrunk = await timed(() => shrunkFailure(laws));
    const { commands, simulatedMs } = generated.result;
    return [
      {
        figure: 'commands of generated scenarios',
        measured: (commands / generated.cpuMs) * 1000,
        unit: 'commands/s',
        bar: { atLeast: 5000 },
      },
      {
        figure: 'commands of a life cycle',
        measured: (CYCLES * LIFE_CYCLE.steps.length * 1000) / cycles.cpuMs,
        unit: 'commands/s',
        bar: { atLeast: 5000 },
      },
      { figure: 'a life cycle of 30 commands', measured: cycles.cpuMs / CYCLES, unit: 'ms', bar: { atMost: 10 } },
      { figure: 'simulated to real', measured: simulatedMs / generated.cpuMs, unit: '×', bar: { atLeast: 10_000 } },
      { figure: 'a failure of 100 steps made small', measured: shrunk.cpuMs / 1000, unit: 's', bar: { atMost: 10 } },
      { figure: 'steps that are left of it', measured: shrunk.result, unit: 'steps', bar: { atMost: 3 } },
    ];
  },
};

/** @returns how long it was, in simulated time */
async function judged(laws: readonly Law[], scenario: Scenario): Promise<number> {
  const trace = await runScenario(scenario, await inProcess(scenario));
  const { violations } = judge(laws, trace);
  if (violations.length > 0) throw new Error(`${violations[0]?.law} is broken: the figures would be of something else`);
  return trace.lines.at(-1)?.at ?? 0;
}

async function lifeCycles(laws: readonly Law[], count: number): Promise<void> {
  for (let n = 0; n < count; n++) await judged(laws, { ...LIFE_CYCLE, seed: `${n + 1}` });
}

/** The processor's time, which other programs on the machine do not lengthen as they do the wall's. */
async function timed<T>(work: () => Promise<T>): Promise<{ readonly cpuMs: number; readonly result: T }> {
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return { cpuMs: (user + system) / 1000, result };
}

const several = (count: number, make: (n: number) => Step): Step[] => Array.from({ length: count }, (_, n) => make(n));

/** Creation, looks, updates that wait for one another, and the end. */
const LIFE_CYCLE: Scenario = {
  v: 1,
  steps: [
    { id: 'made', op: 'create', bind: 'r1' },
    { id: 'up', op: 'get', ref: 'r1', after: { event: 'made.RUNNING' } },
    ...several(12, (n): Step => {
      const [id, ref] = [`look${n}`, 'r1'];
      return n % 4 === 0 ? { id, op: 'get', ref, as: 'other' } : { id, op: 'get', ref };
    }),
    { id: 'grow', op: 'put', ref: 'r1', args: { faas: { CPU: 2, MEMORY: 256, DISK_SIZE: 2048 } } },
    { id: 'busy', op: 'put', ref: 'r1', args: { faas: { CPU: 1, MEMORY: 128, DISK_SIZE: 2048 } } },
    { id: 'later', op: 'advance', ms: 60_000 },
    ...several(10, (n): Step => ({ id: `see${n}`, op: 'get', ref: 'r1' })),
    { id: 'gone', op: 'delete', ref: 'r1' },
    { id: 'after', op: 'advance', ms: 60_000 },
    { id: 'missing', op: 'get', ref: 'r1' },
  ],
};

/** @returns how many steps are left */
async function shrunkFailure(laws: readonly Law[]): Promise<number> {
  const mutant = MUTANTS.find(({ law }) => law === 'L13');
  if (mutant === undefined) throw new Error('there is no mutant of L13');
  const mine = laws.filter(({ id }) => id === mutant.law);
  const long: Scenario = {
    v: 1,
    steps: [
      { id: 'made', op: 'create', bind: 'r1' },
      ...several(98, (n): Step => ({ id: `look${n}`, op: 'get', ref: 'r1', client: n % 3 })),
      {
        id: 'grow',
        op: 'put',
        ref: 'r1',
        after: { event: 'made.RUNNING' },
        args: { faas: { CPU: 2, DISK_SIZE: 2048 } },
      },
    ],
  };
  const { scenario } = await shrink(long, async (candidate) => {
    const trace = await runScenario(candidate, await inProcess(candidate, mutant.wrap));
    return judge(mine, trace).violations.length > 0;
  });
  return scenario.steps.length;
}
