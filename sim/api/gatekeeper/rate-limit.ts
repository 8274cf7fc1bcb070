/** Rate limits: a leaky bucket for each limit and client. Mirrors `son-gtkrlt`. */
import type { Clock } from '../../kernel/clock.ts';
import { Refusal } from './answer.ts';

/** How many requests a bucket holds, and how long it takes to run empty. */
const LIMITS = {
  /** Shared by all who need no token. */
  anonymous_operations: { size: 10, periodS: 60 },
  /** For each user. */
  other_operations: { size: 10, periodS: 10 },
} as const;

interface Bucket {
  readonly level: number;
  /** Of the last request that was accepted, in whole seconds. */
  readonly at: number;
}

/** Counts a request of a client. @throws Refusal 429, and then the request does not count */
export type RateLimit = (limit: keyof typeof LIMITS, client: string) => void;

/** By limit and client. */
export type Buckets = Map<string, Bucket>;

export function rateLimit(clock: Clock, buckets: Buckets): RateLimit {
  return (limit, client) => {
    const { size, periodS } = LIMITS[limit];
    const key = `${limit} ${client}`;
    const at = Math.floor(clock.now / 1000);
    const last = buckets.get(key) ?? { level: 0, at };
    const level = Math.max(0, last.level - ((at - last.at) * size) / periodS);
    // The same words for every limit.
    if (level + 1 > size) throw new Refusal(429, 'GtkApi: Too many user creation requests were made');
    buckets.set(key, { level: level + 1, at });
  };
}

export const noRateLimit: RateLimit = () => {};
