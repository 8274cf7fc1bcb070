/** A world that is written down and goes on elsewhere goes on as if nothing had been, whatever has happened in it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSimulator, loadSimulator, type Simulator } from '../sim/index.ts';
import { perform, steps } from './wandering.ts';

const RUNS = { seed: 1, numRuns: 16, endOnFailure: true };

const restored = (text: string): Simulator => {
  const simulator = createSimulator();
  simulator.restore(text);
  return simulator;
};

describe('a restored world', () => {
  it('goes on with the same answers, the same journal and the same events, wherever it was written down', async () => {
    await fc.assert(
      fc.asyncProperty(steps(30), steps(30), async (before, after) => {
        const [original, token] = [await loadSimulator({ timing: { name: 'fast' } }), { text: '' }];
        await perform(original, before, token);
        const text = original.snapshot();
        const other = restored(text);
        expect(other.snapshot()).toBe(text);
        expect(await perform(other, after, { ...token })).toEqual(await perform(original, after, { ...token }));
        expect([...other.world.journal.since()]).toEqual([...original.world.journal.since()]);
        expect(JSON.parse(other.snapshot())).toEqual(JSON.parse(original.snapshot()));
      }),
      RUNS,
    );
  }, 120_000);

  it('is the same at every point of a run', async () => {
    await fc.assert(
      fc.asyncProperty(steps(25), async (given) => {
        const [simulator, token] = [await loadSimulator({ timing: { name: 'fast' } }), { text: '' }];
        for (const each of given) {
          await perform(simulator, [each], token);
          const text = simulator.snapshot();
          expect(restored(text).snapshot()).toBe(text);
        }
      }),
      { ...RUNS, numRuns: 5 },
    );
  }, 120_000);

  it('may go on in the simulator that it comes from, any number of times', async () => {
    await fc.assert(
      fc.asyncProperty(steps(15), steps(15), async (before, after) => {
        const [simulator, token] = [await loadSimulator({ timing: { name: 'fast' } }), { text: '' }];
        await perform(simulator, before, token);
        const text = simulator.snapshot();
        const first = await perform(simulator, after, { ...token });
        for (let i = 0; i < 2; i++) {
          simulator.restore(text);
          expect(await perform(simulator, after, { ...token })).toEqual(first);
        }
      }),
      { ...RUNS, numRuns: 5 },
    );
  }, 120_000);
});
