/** The leaky bucket: what is left in it, and that it only takes what it accepts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Clock } from '../../kernel/clock.ts';
import { type Buckets, rateLimit } from './rate-limit.ts';
import { TODAY } from './testing.ts';

function start() {
  const clock = new Clock(TODAY);
  const buckets: Buckets = new Map();
  const limit = rateLimit(clock, buckets);
  const isTaken = (name: Parameters<typeof limit>[0], client: string): boolean => {
    try {
      limit(name, client);
      return true;
    } catch {
      return false;
    }
  };
  return { clock, buckets, isTaken };
}

const LIMITS = [
  ['anonymous_operations', 10, 60],
  ['other_operations', 10, 10],
] as const;

describe.each(LIMITS)('the bucket of %s', (name, size, periodS) => {
  test(`takes ${size} at once, and then as many in ${periodS} s, whatever is tried in between`, () => {
    const { clock, isTaken } = start();
    for (let i = 0; i < size; i++) expect(isTaken(name, 'a')).toBe(true);
    for (let second = 1; second <= 3 * periodS; second++) {
      clock.advanceNow(1000);
      for (let i = 0; i < 3; i++) expect(isTaken(name, 'a')).toBe(i === 0 && second % (periodS / size) === 0);
    }
  });

  test('counts whole seconds', () => {
    const { clock, isTaken } = start();
    for (let i = 0; i < size; i++) isTaken(name, 'a');
    clock.advanceNow((1000 * periodS) / size - 1);
    expect(isTaken(name, 'a')).toBe(false);
    clock.advanceNow(1);
    expect(isTaken(name, 'a')).toBe(true);
  });

  test('is each client’s own', () => {
    const { isTaken } = start();
    for (let i = 0; i < size; i++) isTaken(name, 'a');
    expect([isTaken(name, 'a'), isTaken(name, 'b')]).toEqual([false, true]);
  });

  test('is as full as the formula says', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20_000), { maxLength: 60 }), (waits) => {
        const { clock, buckets, isTaken } = start();
        let [level, last] = [0, Math.floor(TODAY / 1000)];
        for (const wait of waits) {
          clock.advanceNow(wait);
          const now = Math.floor(clock.now / 1000);
          const left = Math.max(0, level - ((now - last) * size) / periodS);
          expect(isTaken(name, 'a')).toBe(left + 1 <= size);
          if (left + 1 <= size) [level, last] = [left + 1, now];
          expect(buckets.get(`${name} a`)).toEqual({ level, at: last });
        }
      }),
      { seed: 1, numRuns: 50 },
    );
  });
});
