/** Generated scenarios against the stand-in: the first that breaks a law, and how small it can be made. */
import fc from 'fast-check';
import { crowds } from './concurrency/crowds.ts';
import { doubtsOf } from './concurrency/verdicts.ts';
import type { Coverage } from './coverage.ts';
import { type Budget, scenarios } from './generator.ts';
import { fingerprint, type Law, type Violation } from './law.ts';
import { addUp, judge } from './laws.ts';
import { ORDEALS, scenarioOf } from './ordeals.ts';
import { counted } from './report.ts';
import { runScenario } from './runner.ts';
import { type Scenario, writeScenario } from './scenario.ts';
import { shrink } from './shrink.ts';
import { storyOf } from './story.ts';
import { type Trace, writeTrace } from './trace.ts';
import { inProcess, type Wrap } from './transport.ts';
import { judgeTwins } from './twins.ts';

export interface Search {
  readonly seed: number;
  readonly runs: number;
  /** So many of those that the seed gives come before. */
  readonly skip?: number;
  readonly budget: Budget;
  readonly profile: NonNullable<Scenario['profile']>;
  /** Every so many scenarios is also held against its twins, which costs three more runs. */
  readonly twinsEvery: number;
  readonly wrap?: Wrap;
  /** Takes down what is seen. */
  readonly coverage?: Coverage;
}

/** As it was come upon. */
export interface Failure {
  readonly violation: Violation;
  readonly scenario: Scenario;
}

/** As small as it goes. */
export interface Found {
  /** Of D3 when it does not come again each time: then it is onesim that is not to be relied on. */
  readonly violation: Violation;
  readonly trace: Trace;
  readonly scenario: Scenario;
  /** What the file of the scenario holds. */
  readonly content: string;
}

export interface Searched {
  readonly scenarios: number;
  readonly requests: number;
  /** Those of the laws between two runs as well. */
  readonly checks: ReadonlyMap<string, number>;
  /** Places where the laws had to let pass what they could not tell from right. */
  readonly doubts: number;
  readonly failure: Failure | undefined;
}

/** After so many scenarios one of clients that are at it at the same time is run besides. */
const CROWD_EVERY = 8;
/** After so many an ordeal, one after the other: in a thousand scenarios all of them, whatever the seed. */
const ORDEAL_EVERY = 16;

interface Drawn {
  readonly scenario: Scenario;
  /** Which of the seed's scenarios it is, or stands beside. */
  readonly n: number;
}

function drawn({ seed, runs, skip = 0, budget, profile }: Search): Drawn[] {
  const sample = fc.sample(scenarios(budget, profile), { seed, numRuns: skip + runs });
  const beside = fc.sample(crowds(profile), { seed, numRuns: Math.ceil(sample.length / CROWD_EVERY) });
  const all = sample.flatMap((scenario, n): Drawn[] => {
    const crowd = n % CROWD_EVERY === 0 ? beside[n / CROWD_EVERY] : undefined;
    const turn = (seed + n) / ORDEAL_EVERY;
    const ordeal = Number.isInteger(turn) ? ORDEALS[turn % ORDEALS.length] : undefined;
    return [
      { scenario, n },
      ...(crowd === undefined ? [] : [{ scenario: crowd, n }]),
      ...(ordeal === undefined ? [] : [{ scenario: scenarioOf(ordeal, profile), n }]),
    ];
  });
  return all.filter(({ n }) => n >= skip);
}

export async function search(laws: readonly Law[], wanted: Search): Promise<Searched> {
  const { runs, skip = 0, twinsEvery, wrap, coverage } = wanted;
  const checks = new Map<string, number>();
  let [requests, doubts] = [0, 0];
  const door = (scenario: Scenario) => inProcess(scenario, wrap);
  for (const { scenario, n } of drawn(wanted)) {
    const trace = await runScenario(scenario, await door(scenario));
    const story = storyOf(trace);
    const verdict = judge(laws, trace, story);
    coverage?.add(story);
    doubts += doubtsOf(story).length;
    addUp(checks, verdict.checks);
    requests += trace.lines.filter(({ kind }) => kind === 'exchange').length;
    const twins = twinsEvery > 0 && n % twinsEvery === 0 ? await judgeTwins(trace, door) : undefined;
    if (twins !== undefined) addUp(checks, twins.checks);
    const [violation] = [...verdict.violations, ...(twins?.violations ?? [])];
    if (violation === undefined) continue;
    const failure = { violation, scenario };
    return { scenarios: n + 1 - skip, requests, checks, doubts, failure };
  }
  return { scenarios: runs, requests, checks, doubts, failure: undefined };
}

export async function smallest(laws: readonly Law[], { violation, scenario }: Failure, wrap?: Wrap): Promise<Found> {
  const door = (candidate: Scenario) => inProcess(candidate, wrap);
  const wanted = fingerprint(violation);
  const look = async (candidate: Scenario): Promise<readonly [Trace, Violation | undefined]> => {
    const trace = await runScenario(candidate, await door(candidate));
    const mine = laws.filter(({ id }) => id === violation.law);
    const { violations: found } = mine.length > 0 ? judge(mine, trace) : await judgeTwins(trace, door);
    return [trace, found.find((each) => fingerprint(each) === wanted)];
  };
  const { scenario: least } = await shrink(scenario, async (candidate) => (await look(candidate))[1] !== undefined);
  const first = await look(least);
  const replays = [first, await look(least), await look(least)];
  const shown = replays.find(([, found]) => found !== undefined);
  const [trace, again] = shown ?? first;
  const unsteady = unsteadiness(violation, replays);
  return { violation: unsteady ?? again ?? violation, trace, scenario: least, content: writeScenario(least) };
}

/** What differs between replays of one scenario; none where the law that is broken says so itself. */
function unsteadiness(
  violation: Violation,
  replays: readonly (readonly [Trace, Violation | undefined])[],
): Violation | undefined {
  const { law, at, subject, expected, seen } = violation;
  const times = replays.filter(([, found]) => found !== undefined).length;
  const traces = new Set(replays.map(([trace]) => writeTrace(trace))).size;
  if (times === replays.length && (traces === 1 || law === 'D3')) return undefined;
  return {
    ...{ law: 'D3', at, subject },
    expected: `${law} is broken each time, as it was when it was come upon`,
    seen: `${times} of ${replays.length} replays break it, and they leave ${counted(traces, 'trace')}`,
    more: [`when it was come upon, ${law} expected ${expected}`, `and saw ${seen}`],
  };
}
