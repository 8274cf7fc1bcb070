import { describe, expect, test } from 'vitest';
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
    timing: 'instant',
    steps: [
      { id: 's1', op: 'create', bind: 'r1' },
      { id: 's4', op: 'advance', ms: 1_000 },
      { id: 's5', op: 'delete', ref: 'r1' },
    ],
  });
});

describe('times become the shortest that do, to the tick', () => {
  const TOLD: Scenario = {
    v: 1,
    timing: 'fast',
    steps: [
      { id: 's1', op: 'create', bind: 'r1' },
      { id: 's2', op: 'get', ref: 'r1', after: { event: 's1.answered', delayMs: 4_000 } },
      { id: 's3', op: 'put', ref: 'r1', lane: 1, pausesMs: [900, 700] },
      { id: 's4', op: 'ws.read', ref: 'w', withinMs: 30_000 },
    ],
    faults: [{ id: 'f1', kind: 'driver', do: 'delay', ms: 2_000, ref: 'r1', forMs: 600_000 }],
  };
  const withStream: Scenario = {
    ...TOLD,
    steps: [{ id: 's0', op: 'metrics.synch', metrics: [], bind: 'w' }, ...TOLD.steps],
  };
  /** What becomes of the scenario when all of it is needed, and the times have to keep a rule. */
  async function kept(rule: (scenario: Scenario) => boolean): Promise<Scenario> {
    const whole = ({ steps, faults = [] }: Scenario): boolean =>
      steps.length + faults.length === 6 &&
      steps.every((step) => step.id !== 's2' || step.after !== undefined) &&
      steps.every((step) => !('lane' in step) || step.pausesMs?.length === 2) &&
      steps.every((step) => step.op !== 'ws.read' || step.withinMs !== undefined) &&
      steps.some((step) => 'lane' in step) &&
      faults.every((fault) => fault.kind === 'driver' && fault.forMs !== undefined);
    return (await shrink(withStream, async (candidate) => whole(candidate) && rule(candidate))).scenario;
  }
  const delayOf = ({ steps }: Scenario): number => steps.find(({ id }) => id === 's2')?.after?.delayMs ?? 0;

  test('nothing, where nothing is as good', async () => {
    const { steps, faults } = await kept(() => true);
    expect(steps.slice(2)).toEqual([
      { id: 's2', op: 'get', ref: 'r1', after: { event: 's1.answered' } },
      { id: 's3', op: 'put', ref: 'r1', lane: 1, pausesMs: [0, 0] },
      { id: 's4', op: 'ws.read', ref: 'w', withinMs: 0 },
    ]);
    expect(faults).toEqual([{ id: 'f1', kind: 'driver', do: 'delay', ms: 0, ref: 'r1', forMs: 0 }]);
  });

  test.each<[string, (ms: number) => boolean, number]>([
    ['one tick, where it must not be at once', (ms) => ms > 0, 1],
    ['the tick after a deadline', (ms) => ms > 2_000, 2_001],
    ['the deadline itself', (ms) => ms >= 2_000, 2_000],
    ['as it is, where only that tick does', (ms) => ms === 4_000, 4_000],
  ])('%s', async (_, does, least) => {
    expect(delayOf(await kept((scenario) => does(delayOf(scenario))))).toBe(least);
  });

  test('each of them by itself', async () => {
    const { steps, faults } = await kept(({ steps, faults = [] }) => {
      const [fault] = faults;
      const put = steps.find((step) => step.op === 'put');
      const read = steps.find((step) => step.op === 'ws.read');
      return (
        fault?.kind === 'driver' &&
        [fault.ms ?? 0, fault.forMs ?? 0, put?.pausesMs?.[1] ?? 0, read?.withinMs ?? 0].every(
          (ms, n) => ms >= 101 * (n + 1),
        )
      );
    });
    expect(steps.slice(3)).toMatchObject([{ pausesMs: [0, 303] }, { withinMs: 404 }]);
    expect(faults).toMatchObject([{ ms: 101, forMs: 202 }]);
  });
});

test('takes no more runs than it may', async () => {
  let runs = 0;
  const shrunk = await shrink(SCENARIO, async () => ++runs > 0, 5);
  expect([runs, shrunk.runs]).toEqual([5, 5]);
});
