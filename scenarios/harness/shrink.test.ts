import { expect, test } from 'vitest';
import type { Scenario } from './scenario.ts';
import { shrink, without } from './shrink.ts';

const SCENARIO: Scenario = {
  v: 1,
  seed: '0x2a',
  timing: 'realistic',
  steps: [
    { id: 's1', op: 'create', bind: 'r1', args: { name: 'a', faas: { CPU: 4 } } },
    { id: 's2', op: 'create', bind: 'r2' },
    { id: 's3', op: 'get', ref: 'r1', client: 1, after: { event: 's2.RUNNING', delayMs: 500 } },
    { id: 's4', op: 'advance', ms: 5_000 },
    { id: 's5', op: 'delete', ref: 'r1', after: { event: 'f1.began' } },
    { id: 's6', op: 'get', ref: 'r2' },
  ],
  faults: [{ id: 'f1', kind: 'hostDown', ref: 'r2', after: { event: 's3.answered' }, forMs: 1_000 }],
};

test('what is taken out takes along what refers to it, and lets go of what was told from it', () => {
  const { steps, faults } = without(SCENARIO, new Set(['s2']));
  expect(steps.map(({ id }) => id)).toEqual(['s1', 's3', 's4', 's5']);
  expect(steps.filter(({ after }) => after !== undefined)).toEqual([]);
  expect(faults).toEqual([]);
});

test('ends with the least that fails in the same way', async () => {
  const fails = async ({ steps }: Scenario): Promise<boolean> =>
    steps.some(({ op }) => op === 'delete') && steps.some((step) => step.op === 'advance' && step.ms >= 1_000);
  const { scenario } = await shrink(SCENARIO, fails);
  expect(scenario).toEqual({
    v: 1,
    timing: 'fast',
    steps: [
      { id: 's1', op: 'create', bind: 'r1' },
      { id: 's4', op: 'advance', ms: 1_250 },
      { id: 's5', op: 'delete', ref: 'r1' },
    ],
  });
});

test('takes no more runs than it may', async () => {
  let runs = 0;
  const shrunk = await shrink(SCENARIO, async () => ++runs > 0, 5);
  expect([runs, shrunk.runs]).toEqual([5, 5]);
});
