/** Every ordeal leads along the steps, and to the answers, that it is there for, whatever the profile, and breaks no law. */
import { expect, test, vi } from 'vitest';
import { loadContracts } from '../../contracts/contract.ts';
import { Coverage } from './coverage.ts';
import { judge, loadLaws } from './laws.ts';
import { ORDEALS, scenarioOf } from './ordeals.ts';
import { runScenario } from './runner.ts';
import { storyOf } from './story.ts';
import { inProcess } from './transport.ts';

vi.setConfig({ testTimeout: 30_000 });

const CASES = ORDEALS.flatMap((ordeal) =>
  (['upstream', 'contract'] as const).map((profile) => [ordeal.leads.join(', '), profile, ordeal] as const),
);

test.each(CASES)('%s, profile %s', async (_, profile, ordeal) => {
  const scenario = scenarioOf(ordeal, profile);
  const trace = await runScenario(scenario, await inProcess(scenario));
  const coverage = new Coverage(await loadContracts());
  coverage.add(storyOf(trace));
  const { leads, answers = [] } = ordeal;
  const missing = [
    ...leads.filter((edge) => coverage.count('edge', edge) === 0),
    ...answers.filter((answer) => coverage.count('answer', answer) === 0),
  ];
  expect(missing).toEqual([]);
  expect(judge(await loadLaws(), trace).violations.map(({ law, expected, seen }) => [law, expected, seen])).toEqual([]);
});
