/** What comes of the shares is told in their order, whoever is done first, and whoever dies. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadContracts } from '../../contracts/contract.ts';
import { Coverage } from './coverage.ts';
import { inOrder, type SearchedShare, type Share, searchShare, threadOf } from './crew.ts';
import { SMALL } from './generator.ts';
import { loadLaws } from './laws.ts';

const share = (seed: number): Share => ({ seed, runs: 1, budget: SMALL, profile: 'upstream', twinsEvery: 0 });

const FATES = ['fine', 'broken', 'dead'] as const;
type Fate = (typeof FATES)[number];

function cameOf(given: Share, fate: Fate): SearchedShare {
  if (fate === 'dead') throw new Error(`dead of ${given.seed}`);
  const violation = { law: 'A1', at: 0, subject: '', expected: '', seen: '' };
  const failure = fate === 'broken' ? { violation, scenario: { v: 1, steps: [] } as const } : undefined;
  const counts = { scenarios: 1, requests: 1, checks: new Map(), doubts: 0 };
  return { share: given, ...counts, failure, sightings: new Coverage([]).sightings };
}

const upTo = (end: number): number[] => Array.from({ length: end }, (_, n) => n);

test('all is told up to the first that is broken, or that somebody died of, and nothing is begun once that is known', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom<Fate>('fine', 'fine', 'fine', 'fine', ...FATES), { maxLength: 12 }),
      fc.integer({ min: 1, max: 4 }),
      fc.scheduler(),
      async (fates, count, scheduler) => {
        const [asked, told]: number[][] = [[], []];
        let [ended, begunWhenKnown] = [0, Number.POSITIVE_INFINITY];
        const crew = upTo(count).map(() => {
          let isBusy = false;
          return {
            async search(given: Share) {
              expect(isBusy).toBe(false);
              isBusy = true;
              asked?.push(given.seed);
              await scheduler.schedule(Promise.resolve());
              isBusy = false;
              const fate = fates[given.seed] ?? 'dead';
              if (fate !== 'fine') begunWhenKnown = Math.min(begunWhenKnown, asked?.length ?? 0);
              return cameOf(given, fate);
            },
            end: async () => void ended++,
          };
        });
        const tell = async (): Promise<string> => {
          for await (const { share: of, failure } of inOrder(upTo(fates.length).map(share).values(), crew)) {
            told?.push(of.seed);
            if (failure !== undefined) return 'broken';
          }
          return 'fine';
        };
        const end = await scheduler.waitFor(tell().catch((error: Error) => error.message));
        const last = fates.findIndex((fate) => fate !== 'fine');
        expect(end).toBe(fates[last] === 'dead' ? `dead of ${last}` : (fates[last] ?? 'fine'));
        expect(told).toEqual(upTo(last < 0 ? fates.length : end === 'broken' ? last + 1 : last));
        expect(asked).toEqual(upTo(asked?.length ?? 0));
        expect(asked?.length).toBeLessThanOrEqual(begunWhenKnown);
        expect(ended).toBe(count);
      },
    ),
    { seed: 1, numRuns: 300 },
  ));

test('a thread comes to the same as this one; one that dies is named, with what it has died of', async () => {
  const thread = threadOf('worker 2 of 3');
  expect(await thread.search(share(7))).toEqual(await searchShare(await loadLaws(), await loadContracts(), share(7)));
  const unknown = { ...share(8), skip: 4, profile: 'none' as 'upstream' };
  await expect(thread.search(unknown)).rejects.toThrow(
    /^worker 2 of 3 has died of scenarios 5 to 5 of seed 8: .*Error/,
  );
  await expect(thread.search(share(9))).rejects.toThrow('worker 2 of 3 has died of scenarios 1 to 1 of seed 9');
  await thread.end();
}, 60_000);
