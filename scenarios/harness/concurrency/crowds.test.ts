/** Clients that are at it at the same time: the stand-in answers as in some order, and what does not is made small. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SMALL } from '../generator.ts';
import { fingerprint } from '../law.ts';
import { judge, loadLaws } from '../laws.ts';
import { kill } from '../mutants/kill.ts';
import { RIVALS } from '../mutants/rivals.ts';
import { flawsOf, readScenario } from '../read-scenario.ts';
import { failureReport } from '../report.ts';
import { runScenario } from '../runner.ts';
import { SCENARIO, type Scenario, writeScenario } from '../scenario.ts';
import { shrink } from '../shrink.ts';
import { storyOf } from '../story.ts';
import type { Trace } from '../trace.ts';
import { inProcess } from '../transport.ts';
import { crowds } from './crowds.ts';
import { laneOf } from './lanes.ts';

const laws = await loadLaws();
const ran = async (scenario: Scenario): Promise<Trace> => runScenario(scenario, await inProcess(scenario));

describe.each(['upstream', 'contract'] as const)('in profile %s', (profile) => {
  const sample = fc.sample(crowds(profile), { seed: 7, numRuns: 25 });

  test('what a crowd is answered can be put in order, and every law of crowds had its chance', async () => {
    const checks = new Map<string, number>();
    for (const scenario of sample) {
      const trace = await ran(scenario);
      const verdict = judge(laws, trace, storyOf(trace));
      for (const [law, count] of verdict.checks) checks.set(law, (checks.get(law) ?? 0) + count);
      const [violation] = verdict.violations;
      const report = violation && [...failureReport(laws, trace, violation, []), writeScenario(scenario)].join('\n');
      expect(report).toBeUndefined();
    }
    for (const law of ['B1', 'C1', 'C2', 'C3']) expect(checks.get(law)).toBeGreaterThan(5);
  }, 30_000);

  test('crowds are scenarios as a file may hold them, of two to four lanes of at most six steps', () => {
    for (const scenario of sample) {
      expect([...SCENARIO.check(scenario, []), ...flawsOf(scenario)]).toEqual([]);
      const lengths = [1, 2, 3, 4].map((lane) => scenario.steps.filter((step) => laneOf(step) === lane).length);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(6);
      expect(lengths.filter((length) => length > 0).length).toBeGreaterThanOrEqual(2);
    }
  });
});

test('what has no order is made small, is told with its lanes, and replays from its file', async () => {
  const [mutant] = RIVALS;
  if (mutant === undefined) throw new Error('there are no rivals');
  const law = laws.filter(({ id }) => id === mutant.law);
  const judged = async (scenario: Scenario) => {
    const trace = await runScenario(scenario, await inProcess(scenario, mutant.wrap));
    return { trace, violation: judge(law, trace).violations[0] };
  };
  const { scenario } = await kill(mutant, law, 1, 50, SMALL);
  if (scenario === undefined) throw new Error('it was not found');
  const wanted = fingerprint(
    (await judged(scenario)).violation ?? { law: '', at: 0, subject: '', expected: '', seen: '' },
  );
  const least = await shrink(scenario, async (candidate) => {
    const { violation } = await judged(candidate);
    return violation !== undefined && fingerprint(violation) === wanted;
  });
  expect(least.scenario.steps.length).toBeLessThanOrEqual(6);
  const read = await readScenario(writeScenario(least.scenario), 'least.json');
  const reports = [];
  for (let n = 0; n < 3; n++) {
    const { trace, violation } = await judged(read);
    reports.push(violation === undefined ? [] : failureReport(law, trace, violation, []));
  }
  expect(reports[1]).toEqual(reports[0]);
  expect(reports[2]).toEqual(reports[0]);
  const text = reports[0]?.join('\n') ?? '';
  expect(text).toMatch(/^ {4}lane \d: .* PUT 200/m);
  expect(text).toMatch(/^ {4}in order: /m);
  expect(text).toMatch(/^ {4}then not .*: /m);
}, 30_000);
