/** How many generated scenarios it takes until a mutant's law finds it. */
import fc from 'fast-check';
import { crowds } from '../concurrency/crowds.ts';
import { type Budget, scenarios } from '../generator.ts';
import type { Law, Violation } from '../law.ts';
import { judge } from '../laws.ts';
import { runScenario } from '../runner.ts';
import type { Scenario } from '../scenario.ts';
import { inProcess } from '../transport.ts';
import { judgeTwins, TWINS } from '../twins.ts';
import type { Mutant } from './mutant.ts';

interface Kill {
  /** Scenarios that were run, the one that found it included; `undefined` when none did. */
  readonly runs: number | undefined;
  readonly scenario: Scenario | undefined;
  /** All laws that found something on the way. */
  readonly laws: ReadonlySet<string>;
}

/** Judges one scenario on a stand-in with a mutant in it. */
export async function judgeMutant(mutant: Mutant, laws: readonly Law[], scenario: Scenario): Promise<Violation[]> {
  const trace = await runScenario(scenario, await inProcess(scenario, mutant.wrap));
  const found = [...judge(laws, trace).violations];
  if (!mutant.twin) return found;
  const twins = TWINS.filter(({ id }) => id === mutant.law);
  const { violations } = await judgeTwins(trace, (twin) => inProcess(twin, mutant.wrap), twins);
  return [...found, ...violations];
}

export async function kill(
  mutant: Mutant,
  laws: readonly Law[],
  seed: number,
  most: number,
  budget: Budget,
): Promise<Kill> {
  const found = new Set<string>();
  const sample = fc.sample(mutant.crowd ? crowds(mutant.profile ?? 'upstream') : scenarios(budget, mutant.profile), {
    seed,
    numRuns: most,
  });
  for (const [n, scenario] of sample.entries()) {
    for (const { law } of await judgeMutant(mutant, laws, scenario)) found.add(law);
    if (found.has(mutant.law)) return { runs: n + 1, scenario, laws: found };
  }
  return { runs: undefined, scenario: undefined, laws: found };
}
