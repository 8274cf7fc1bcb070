import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../kernel/random.ts';
import { chanceOf, Load } from './load.ts';
import { PROFILES } from './profile.ts';

const BOOT = Date.parse('2017-08-28T15:23:31Z');
const DAY = 86_400_000;

const aLoad = fc
  .record({ seed: fc.nat(), profile: fc.constantFrom(...Object.values(PROFILES)), entity: fc.nat() })
  .map(({ seed, profile, entity }) => new Load(chanceOf(new Random(seed)), profile, entity));

/** Work from the boot until a time, by the closed form. */
const work = (load: Load, atMs: number): number =>
  load.byTime(atMs) - load.byTime(BOOT) + load.byUptime(atMs - BOOT) - load.byUptime(0);

describe('load', () => {
  test('is never negative', () => {
    fc.assert(
      fc.property(aLoad, fc.nat(30 * DAY), (load, uptimeMs) => {
        expect(load.at(BOOT + uptimeMs, uptimeMs)).toBeGreaterThanOrEqual(0);
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  test('has the integral that adding it up in small steps gives', () => {
    fc.assert(
      fc.property(aLoad, fc.nat(2 * DAY), (load, uptimeMs) => {
        const stepMs = 20;
        const from = BOOT + uptimeMs;
        let sum = 0;
        for (let t = stepMs / 2; t < 400_000; t += stepMs) sum += (load.at(from + t, uptimeMs + t) * stepMs) / 1000;
        expect(work(load, from + 400_000) - work(load, from)).toBeCloseTo(sum, 1);
      }),
      { seed: 1, numRuns: 30 },
    );
  });

  test('is high after a boot, and wears off', () => {
    const load = new Load(chanceOf(new Random(1)), { ...PROFILES.idle, burst: null }, 7);
    expect(load.at(BOOT, 0)).toBeGreaterThan(0.8);
    expect(load.at(BOOT + 300_000, 300_000)).toBeLessThan(1e-6);
  });
});
