/** Generated scenarios against the stand-in: the first that breaks a law, made as small as it goes. */
import fc from 'fast-check';
import type { Coverage } from './coverage.ts';
import { type Budget, scenarios } from './generator.ts';
import { fingerprint, type Law, type Violation } from './law.ts';
import { judge } from './laws.ts';
import { runScenario } from './runner.ts';
import { type Scenario, writeScenario } from './scenario.ts';
import { shrink } from './shrink.ts';
import { storyOf } from './story.ts';
import type { Trace } from './trace.ts';
import { inProcess, type Wrap } from './transport.ts';
import { judgeTwins } from './twins.ts';

export interface Search {
  readonly seed: number;
  readonly runs: number;
  readonly budget: Budget;
  readonly profile: NonNullable<Scenario['profile']>;
  /** Every so many scenarios is also held against its twins, which costs three more runs. */
  readonly twinsEvery: number;
  readonly wrap?: Wrap;
  /** Takes down what is seen. */
  readonly coverage?: Coverage;
}

export interface Found {
  readonly violation: Violation;
  readonly trace: Trace;
  readonly scenario: Scenario;
  /** What the file of the scenario holds. */
  readonly content: string;
}

export interface Searched {
  readonly scenarios: number;
  readonly requests: number;
  readonly checks: ReadonlyMap<string, number>;
  readonly found: Found | undefined;
}

export async function search(
  laws: readonly Law[],
  { seed, runs, budget, profile, twinsEvery, wrap, coverage }: Search,
): Promise<Searched> {
  const checks = new Map<string, number>();
  let requests = 0;
  const door = (scenario: Scenario) => inProcess(scenario, wrap);
  const sample = fc.sample(scenarios(budget, profile), { seed, numRuns: runs });
  for (const [n, scenario] of sample.entries()) {
    const trace = await runScenario(scenario, await door(scenario));
    const story = storyOf(trace);
    const verdict = judge(laws, trace, story);
    coverage?.add(story);
    for (const [law, count] of verdict.checks) checks.set(law, (checks.get(law) ?? 0) + count);
    requests += trace.lines.filter(({ kind }) => kind === 'exchange').length;
    const twins = twinsEvery > 0 && n % twinsEvery === 0 ? await judgeTwins(trace, door) : [];
    const [violation] = [...verdict.violations, ...twins];
    if (violation === undefined) continue;
    const found = await smallest(laws, scenario, violation, door);
    return { scenarios: n + 1, requests, checks, found };
  }
  return { scenarios: sample.length, requests, checks, found: undefined };
}

async function smallest(
  laws: readonly Law[],
  scenario: Scenario,
  violation: Violation,
  door: (scenario: Scenario) => ReturnType<typeof inProcess>,
): Promise<Found> {
  const wanted = fingerprint(violation);
  const look = async (candidate: Scenario): Promise<readonly [Trace, Violation | undefined]> => {
    const trace = await runScenario(candidate, await door(candidate));
    const mine = laws.filter(({ id }) => id === violation.law);
    const found = mine.length > 0 ? judge(mine, trace).violations : await judgeTwins(trace, door);
    return [trace, found.find((each) => fingerprint(each) === wanted)];
  };
  const { scenario: least } = await shrink(scenario, async (candidate) => (await look(candidate))[1] !== undefined);
  const [trace, shown] = await look(least);
  return { violation: shown ?? violation, trace, scenario: least, content: writeScenario(least) };
}
