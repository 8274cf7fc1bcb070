/** Every ordeal leads along the steps that it is there for, whatever the profile, and breaks no law. */
import { expect, test, vi } from 'vitest';
import { judge, loadLaws } from './laws.ts';
import { faultsOfOrdeal, ORDEALS } from './ordeals.ts';
import { runScenario } from './runner.ts';
import type { Scenario } from './scenario.ts';
import { keyOf } from './state-graph.ts';
import { storyOf } from './story.ts';
import { inProcess } from './transport.ts';

vi.setConfig({ testTimeout: 30_000 });

const CASES = ORDEALS.map((ordeal) => [ordeal.leads.join(', '), ordeal] as const);

test.each(CASES)('%s', async (_, ordeal) => {
  const scenario: Scenario = {
    v: 1,
    timing: 'fast',
    steps: [
      { id: 's1', op: 'create', bind: 'r1' },
      { id: 's2', op: 'get', ref: 'r1', after: { event: 's1.RUNNING' } },
      { id: 's3', op: 'advance', ms: 290_000 },
      { id: 'h1', op: 'heal' },
      { id: 's4', op: 'delete', ref: 'r1' },
      { id: 's5', op: 'advance', ms: 60_000 },
      { id: 's6', op: 'heal' },
      { id: 's7', op: 'advance', ms: 60_000 },
    ],
    faults: faultsOfOrdeal(ordeal, 'f1', 'r1', { event: ordeal.deeds.length > 0 ? 's1.RUNNING' : 's4.sent' }),
  };
  const trace = await runScenario(scenario, await inProcess(scenario));
  const seen = new Set(storyOf(trace).changes.map(({ from, to }) => keyOf(from, to)));
  expect(ordeal.leads.filter((edge) => !seen.has(edge))).toEqual([]);
  expect(judge(await loadLaws(), trace).violations.map(({ law, expected, seen }) => [law, expected, seen])).toEqual([]);
});
