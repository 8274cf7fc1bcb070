/**
 * Those who search at the same time, each on a core of its own: shares of the scenarios are handed out to whoever is idle,
 * and what came of them is taken in the order of the shares, so that it is the same for any number of them.
 */
import { Worker } from 'node:worker_threads';
import type { Contract } from '../../contracts/contract.ts';
import { Coverage, type Sightings } from './coverage.ts';
import type { Law } from './law.ts';
import { type Search, type Searched, search } from './property.ts';

/** Plain values, which another thread can be handed. */
export type Share = Omit<Search, 'wrap' | 'coverage'>;

export interface SearchedShare extends Searched {
  readonly share: Share;
  readonly sightings: Sightings;
}

export interface Searcher {
  /** One at a time. @throws when it has died */
  search(share: Share): Promise<SearchedShare>;
  /** What it is at is given up. */
  end(): Promise<unknown>;
}

/** @param count 1 is this thread */
export type Hire = (count: number, laws: readonly Law[], contracts: readonly Contract[]) => readonly Searcher[];

export const hireThreads: Hire = (count, laws, contracts) => {
  if (count > 1) return Array.from({ length: count }, (_, n) => threadOf(`worker ${n + 1} of ${count}`));
  return [{ search: (share) => searchShare(laws, contracts, share), end: async () => {} }];
};

export async function searchShare(
  laws: readonly Law[],
  contracts: readonly Contract[],
  share: Share,
): Promise<SearchedShare> {
  const coverage = new Coverage(contracts);
  const searched = await search(laws, { ...share, coverage });
  return { share, ...searched, sightings: coverage.sightings };
}

// ---- another thread -----------------------------------------------------------------------------------------------

/**
 * Twice what is usual: nearly all that a scenario makes is garbage when it is over, and with more room less of it is
 * copied before. Measured: a fourteenth less time; still more room brings nothing, and each thread would hold it.
 */
const YOUNG_MIB = 96;

/** As it was built; or from the sources, which Node learns to read first. */
function programOf(): URL {
  if (!import.meta.url.endsWith('.ts')) return new URL('./search-thread.js', import.meta.url);
  const [reader, sources] = ['tsx/esm/api', './search-thread.ts'].map((name) => import.meta.resolve(name));
  return new URL(`data:text/javascript,import { register } from '${reader}'; register(); await import('${sources}');`);
}

/** @param name what it is told by, should it die */
export function threadOf(name: string): Searcher {
  const thread = new Worker(programOf(), { name, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB } });
  const died = new Promise<never>((_, reject) => {
    thread.once('error', reject);
    thread.once('exit', (code) => reject(new Error(`it has ended with ${code}`)));
  });
  // Who is idle may die as well; it is told when it is asked for something.
  died.catch(() => {});
  return {
    async search(share) {
      const answer = new Promise<SearchedShare>((resolve) => thread.once('message', resolve));
      thread.postMessage(share);
      try {
        return await Promise.race([answer, died]);
      } catch (error) {
        const { seed, skip = 0, runs } = share;
        const why = error instanceof Error ? (error.stack ?? error.message) : `${error}`;
        throw new Error(`${name} has died of scenarios ${skip + 1} to ${skip + runs} of seed ${seed}: ${why}`);
      }
    },
    end: () => thread.terminate(),
  };
}

// ---- their order --------------------------------------------------------------------------------------------------

/**
 * Once one has found something, or has died, nothing is handed out any more: only what is before it matters. In the end
 * the crew is given leave, whatever it is at.
 * @param shares is asked for the next one when somebody is idle
 */
export async function* inOrder(shares: Iterator<Share>, crew: readonly Searcher[]): AsyncGenerator<SearchedShare> {
  const idle = [...crew];
  const coming: Promise<SearchedShare>[] = [];
  /** Those under way. */
  const open = new Map<Promise<SearchedShare>, Promise<unknown>>();
  let isLast = false;
  const send = (searcher: Searcher, share: Share): void => {
    const answer = searcher.search(share);
    coming.push(answer);
    const close = (last: boolean): void => {
      open.delete(answer);
      isLast ||= last;
    };
    const closed = answer.then(
      ({ failure }) => {
        idle.push(searcher);
        close(failure !== undefined);
      },
      () => close(true),
    );
    open.set(answer, closed);
  };
  try {
    while (true) {
      while (!isLast && idle.length > 0) {
        const { value, done } = shares.next();
        const searcher = done ? undefined : idle.shift();
        if (searcher === undefined) break;
        send(searcher, value);
      }
      if (coming.length === 0) return;
      await Promise.race(open.values());
      for (let [first] = coming; first !== undefined && !open.has(first); [first] = coming) {
        coming.shift();
        yield await first;
      }
    }
  } finally {
    await Promise.all(crew.map((each) => each.end()));
  }
}
