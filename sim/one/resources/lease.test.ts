import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HELD, Leases, reservedBy, reserver } from './lease.ts';

type Step = ['take', offset: number] | ['lowest'] | ['release', nth: number] | ['run', length: number];

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Step>(['lowest']) },
  fc.tuple(fc.constant('take' as const), fc.oneof(fc.nat(80), fc.nat(3000), fc.nat(2 ** 32))),
  { weight: 2, arbitrary: fc.tuple(fc.constant('release' as const), fc.nat(200)) },
  fc.tuple(fc.constant('run' as const), fc.integer({ min: 1, max: 40 })),
);

test('a lease is given once, the lowest free first, and comes back when released', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const leases = new Leases();
      const model = new Map<number, number>();
      const lowest = () => {
        let offset = 0;
        while (model.has(offset)) offset++;
        return offset;
      };
      for (const [index, [what, argument = 0]] of steps.entries()) {
        if (what === 'lowest') {
          expect(leases.lowestFree()).toBe(lowest());
          expect(leases.take(leases.lowestFree(), index)).toBe(true);
          model.set(lowest(), index);
        } else if (what === 'take') {
          expect(leases.take(argument, index)).toBe(!model.has(argument));
          if (!model.has(argument)) model.set(argument, index);
        } else if (what === 'run') {
          const first = leases.lowestFreeRun(argument);
          for (let offset = first; offset < first + argument; offset++) expect(model.has(offset)).toBe(false);
          if (first > 0) expect(model.has(first - 1)).toBe(true);
        } else {
          const [offset, owner] = [...model][argument % Math.max(model.size, 1)] ?? [];
          if (offset === undefined || owner === undefined) continue;
          expect(leases.release(offset, owner + 1)).toBe(false);
          expect(leases.release(offset, owner)).toBe(true);
          model.delete(offset);
        }
      }
      expect([...leases]).toEqual([...model].sort(([a], [b]) => a - b));
      expect(leases.size).toBe(model.size);
      expect(leases.lowestFree()).toBe(lowest());
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('finds the lowest free one of 40,000 in a few steps, wherever it is', () => {
  const leases = new Leases();
  for (let n = 0; n < 40_000; n++) leases.take(leases.lowestFree(), n);
  expect(leases.lowestFree()).toBe(40_000);
  // Churn all over the range: a search from the beginning would take a billion steps.
  const missed: number[] = [];
  for (let n = 0; n < 40_000; n++) {
    const offset = (n * 7919) % 40_000;
    leases.release(offset, offset);
    if (leases.lowestFree() !== offset) missed.push(offset);
    leases.take(offset, offset);
  }
  expect(missed).toEqual([]);
  expect(leases.size).toBe(40_000);
});

test('full beyond a power of 32, it goes on behind', () => {
  const leases = new Leases();
  for (let offset = 0; offset < 1024; offset++) leases.take(offset, 1);
  expect(leases.lowestFree()).toBe(1024);
  leases.take(2 ** 40, 1);
  expect(leases.lowestFree()).toBe(1024);
});

test('an owner says what it is', () => {
  expect(reserver(HELD)).toBeUndefined();
  expect(reserver(0)).toBeUndefined();
  for (const id of [0, 1, 77]) expect(reserver(reservedBy(id))).toBe(id);
});
