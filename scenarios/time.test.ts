/** Time passes the same however it is made to pass, and whoever looks on. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadSimulator, type Simulator } from '../sim/index.ts';
import { perform, type Step, steps } from './wandering.ts';

const RUNS = { seed: 1, numRuns: 10, endOnFailure: true };
const LONG = 120_000;

/** So long after each run, when what was asked for has come to its end. */
const SPAN_MS = 900_000;

const begun = async (given: readonly Step[]): Promise<Simulator> => {
  const simulator = await loadSimulator();
  await perform(simulator, given);
  return simulator;
};

/** All that has happened until an instant, but for requests: those may be made to look. */
const happened = ({ world }: Simulator, until = Number.POSITIVE_INFINITY): unknown[] =>
  [...world.journal.since()]
    .filter(({ kind, at }) => kind !== 'request' && kind !== 'answer' && at <= until)
    .map(({ at, kind, subject, detail }) => ({ at, kind, subject, detail }));

const splits = fc.array(fc.nat(SPAN_MS), { maxLength: 30 }).map((cuts) => [...cuts, SPAN_MS].sort((a, b) => a - b));

describe('time', () => {
  it(
    'is the same in one jump, in small ones, and event by event',
    async () => {
      await fc.assert(
        fc.asyncProperty(steps(20), splits, async (given, cuts) => {
          const [jump, small, single] = await Promise.all([begun(given), begun(given), begun(given)]);
          const end = jump.world.clock.now + SPAN_MS;
          await jump.world.clock.advance(SPAN_MS);
          let passed = 0;
          for (const cut of cuts) {
            await small.world.clock.advance(cut - passed);
            passed = cut;
          }
          const { clock } = single.world;
          while ((clock.nextDue ?? end + 1) <= end) await clock.step();
          await clock.advanceTo(end);
          expect(happened(small)).toEqual(happened(jump));
          expect(happened(single)).toEqual(happened(jump));
          expect(single.snapshot()).toBe(jump.snapshot());
          expect(small.snapshot()).toBe(jump.snapshot());
        }),
        RUNS,
      );
    },
    LONG,
  );

  it(
    "is the same when the host's clock moves it, at any factor",
    async () => {
      await fc.assert(
        fc.asyncProperty(steps(20), fc.constantFrom(50_000, 300_000, 1_000_000), async (given, factor) => {
          const [jump, paced] = await Promise.all([begun(given), begun(given)]);
          const end = jump.world.clock.now + SPAN_MS;
          await jump.world.clock.advance(SPAN_MS);
          const { clock, pace } = paced.world;
          pace.set(factor);
          // Each request catches up with the host.
          while (clock.now < end) await paced.fetch(new Request('http://127.0.0.1:1337/_onesim/livez'));
          pace.set(0);
          expect(happened(paced, end)).toEqual(happened(jump));
          paced.close();
        }),
        RUNS,
      );
    },
    LONG,
  );

  it(
    'is the same whoever looks on',
    async () => {
      const looks = fc.array(
        fc.constantFrom(
          '/serverless-runtimes/8',
          '/metrics',
          '/_onesim/vms',
          '/functions',
          '/service',
          '/_onesim/journal',
        ),
        { minLength: 1, maxLength: 5 },
      );
      await fc.assert(
        fc.asyncProperty(steps(20), looks, async (given, paths) => {
          const [alone, watched] = await Promise.all([loadSimulator(), loadSimulator()]);
          const token = { text: '' };
          for (const each of given) {
            await perform(watched, [each], token);
            for (const path of paths) {
              const headers = {
                Authorization:
                  path === '/service' ? `Basic ${btoa('oneadmin:opennebula')}` : `Basic ${btoa('alice:alice')}`,
              };
              const response = await watched.fetch(new Request(`http://127.0.0.1:1337${path}`, { headers }));
              await response.text();
            }
          }
          await perform(alone, given);
          for (const { world } of [alone, watched]) await world.clock.advance(SPAN_MS);
          expect(happened(watched)).toEqual(happened(alone));
        }),
        RUNS,
      );
    },
    LONG,
  );
});
